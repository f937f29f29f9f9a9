"""A dwelling with rooms, doors and beds, and what its sensors see of the people in it.

A motion sensor stands in each room under a roof, a contact on each door between inside and outside. Sensors are named
by what they watch. One line is one real change: motion begins when somebody comes in or gets up, and ends when the
last one has left, sleeps, or has lain still for two minutes; doors open and close.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.homes.itinerary import Place, Stay, itinerary, lying
from kanhu.firmware_sim.scenario.model import Resident

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_SAME_COMING_S = 60.0  # a room left and entered again sooner was not left
_DOOR_STANDS_OPEN_S = (3.0, 14.0)
_SAME_PASSAGE_S = 20.0  # two people through one door together
_FOUND_S = _HOUR_S  # who lies longer than this is found by somebody who comes in
_WEEKEND = (5, 6)


class DwellingKind(StrEnum):
    """The dwellings there are."""

    COURTYARD = "courtyard"
    ROW_HOUSE = "row_house"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Bed:
    """Where residents sleep."""

    room: str
    residents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of one sensor; seconds from Monday 00:00 local of the start."""

    at_s: float
    sensor: str
    kind: Literal["motion", "contact"]
    on: bool
    """Motion seen, or door open."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody from outside is there; seconds from Monday 00:00 local of the start."""

    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class _Layout:
    rooms: tuple[Place, ...]
    door: str
    yard_is_inside: bool
    """Whether the watched door is the gate of the yard: house doors in a courtyard stand open all day."""


_INSIDE = (Place.BEDROOM, Place.MAIN_ROOM, Place.KITCHEN)
_LAYOUTS: dict[DwellingKind, _Layout] = {
    DwellingKind.COURTYARD: _Layout(_INSIDE, "gate", yard_is_inside=True),  # the toilet is across the yard
    DwellingKind.ROW_HOUSE: _Layout((*_INSIDE, Place.TOILET), "front-door", yard_is_inside=False),
    DwellingKind.FLAT: _Layout((*_INSIDE, Place.TOILET), "front-door", yard_is_inside=False),
}


class Dwelling:
    """Rooms, doors and beds of one home; a pure function of seed and people."""

    def __init__(self, kind: DwellingKind, residents: Sequence[Resident], *, seed: str) -> None:
        """Furnish for these residents; two share one bed."""
        self.kind = kind
        self.residents = tuple(residents)
        self._layout = _LAYOUTS[kind]
        self._seed = f"{seed}/dwelling/{'+'.join(resident.id for resident in residents)}"
        self.rooms: tuple[str, ...] = tuple(self._layout.rooms)
        self.doors: tuple[str, ...] = (self._layout.door,)
        names = [resident.id for resident in residents]
        self.beds = tuple(Bed(Place.BEDROOM, tuple(names[first : first + 2])) for first in range(0, len(names), 2))

    def visits(self, body_by_resident: Mapping[str, Body], day: int) -> tuple[Visit, ...]:
        """Who comes on a day, counted from 0; nobody happens to come while somebody lies where they fell.

        One comes on a third of the days to somebody alone and a fifth to others, at weekends twice as often (project
        choice). Whoever has lain for an hour is found by somebody who comes in at the end of it.
        """
        draw = random.Random(f"{self._seed}/visits/{day}")
        share = (1 / 3 if len(self.residents) == 1 else 1 / 5) * (2 if day % 7 in _WEEKEND else 1)
        from_s = day * _DAY_S + draw.uniform(8.5, 18.0) * _HOUR_S
        chance = Visit(from_s, from_s + draw.uniform(20, 120) * 60)
        comes = draw.random() < share
        floors = [floor for body in body_by_resident.values() for floor in body.still_between(0.0, (day + 1) * _DAY_S)]
        found = [
            Visit(end_s - 30, end_s + _HOUR_S)
            for onset_s, end_s in floors
            if end_s - onset_s >= _FOUND_S and end_s // _DAY_S == day
        ]
        if comes and not any(onset_s < chance.to_s and end_s > chance.from_s for onset_s, end_s in floors):
            found.append(chance)
        return tuple(sorted(found, key=lambda visit: visit.from_s))

    def movements(self, body_by_resident: Mapping[str, Body], day: int) -> Iterator[Movement]:
        """What the sensors say on a day, counted from 0, in order of time; `body_by_resident` holds every resident."""
        draw = random.Random(f"{self._seed}/doors/{day}")
        seen: dict[Place, list[tuple[float, float]]] = {room: [] for room in self._layout.rooms}
        passages: dict[str, list[float]] = {door: [] for door in self.doors}
        for resident in self.residents:
            body = body_by_resident[resident.id]
            stays = itinerary(body, day, seed=f"{self._seed}/{resident.id}")
            self._watch(lying(stays, body), seen, passages)
        for visit in self.visits(body_by_resident, day):
            leaves_s = min(visit.to_s, (day + 1) * _DAY_S - 60)  # whoever stays the night is in bed
            seen[Place.MAIN_ROOM].append((visit.from_s, leaves_s))
            for door in self.doors:
                passages[door] += [visit.from_s, leaves_s]
        lines = [line for room, stretches in seen.items() for line in _motion(room, stretches)]
        for door, moments in passages.items():
            lines += _contact(door, moments, draw)
        yield from sorted(lines, key=lambda line: (line.at_s, line.sensor, line.on))

    def _watch(
        self, stays: Iterable[Stay], seen: dict[Place, list[tuple[float, float]]], passages: dict[str, list[float]]
    ) -> None:
        """Add what one person's day lets the sensors see."""
        before: Stay | None = None
        for stay in stays:
            if before is not None:
                for door in self._doors_between(before.place, stay.place):
                    passages[door].append(stay.from_s)
            if stay.place in seen and not stay.asleep:
                seen[stay.place].append((stay.from_s, stay.to_s))
            before = stay

    def _doors_between(self, here: Place, there: Place) -> tuple[str, ...]:
        return self.doors if self._inside(here) != self._inside(there) else ()

    def _inside(self, place: Place) -> bool:
        return place is not Place.OUT and (place is not Place.YARD or self._layout.yard_is_inside)


def _motion(room: Place, stretches: list[tuple[float, float]]) -> Iterator[Movement]:
    begins_s = ends_s = -1.0
    for from_s, to_s in sorted(stretches):
        if ends_s >= 0 and from_s - ends_s < _SAME_COMING_S:
            ends_s = max(ends_s, to_s)
            continue
        if ends_s >= 0:
            yield from _on_and_off(room, begins_s, ends_s)
        begins_s, ends_s = from_s, to_s
    if ends_s >= 0:
        yield from _on_and_off(room, begins_s, ends_s)


def _on_and_off(room: Place, begins_s: float, ends_s: float) -> Iterator[Movement]:
    yield Movement(begins_s, room.value, "motion", True)
    yield Movement(ends_s, room.value, "motion", False)


def _contact(door: str, moments: list[float], draw: random.Random) -> Iterator[Movement]:
    closed_s = -_DAY_S
    for moment in sorted(moments):
        if moment - closed_s < _SAME_PASSAGE_S:
            continue
        closed_s = moment + draw.uniform(*_DOOR_STANDS_OPEN_S)
        yield Movement(moment, door, "contact", True)
        yield Movement(closed_s, door, "contact", False)
