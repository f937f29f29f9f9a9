"""A dwelling, and the people in it going from room to room."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.scenario import Resident

_DAY_S = 86_400.0


class DwellingKind(StrEnum):
    """The dwellings there are."""

    COURTYARD = "courtyard"
    ROW_HOUSE = "row_house"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of one sensor; seconds from Monday 00:00 local of the start."""

    at_s: float
    sensor: str
    kind: Literal["motion", "contact"]
    on: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody from outside is there."""

    from_s: float
    to_s: float


class Dwelling:
    """Rooms, doors and beds of one home; a pure function of seed and people."""

    def __init__(self, kind: DwellingKind, residents: Sequence[Resident], *, seed: str) -> None:
        """Furnish for these residents."""
        self.kind = kind
        self.residents = tuple(residents)
        self._seed = seed

    def visits(self, day: int) -> tuple[Visit, ...]:
        """Who comes on this day, counted from 0."""
        return (Visit(day * _DAY_S + 36_000.0, day * _DAY_S + 37_800.0),)

    def movements(self, body_by_resident: Mapping[str, Body], day: int) -> Iterator[Movement]:
        """What the sensors say on this day, in order, one line a real change; `body_by_resident` by resident id."""
        for second in range(6 * 3600, 21 * 3600, 1800):
            for resident in self.residents:
                activity = body_by_resident[resident.id].at(day * _DAY_S + second).activity
                yield Movement(day * _DAY_S + second, "kitchen", "motion", activity > 0)
