"""Devices that fail for a while: a dead battery, a cuff that shows its last numbers again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kanhu.firmware_sim.bodies import Episode
from kanhu.firmware_sim.homes import dead_battery
from kanhu.firmware_sim.population import Inhabitant, Instrument
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S = 86_400.0
_STUCK_A_MONTH = 0.008
"""Of cuffs in 30 days, until somebody takes the battery out; project choice."""
_STUCK_S = (1 * _DAY_S, 5 * _DAY_S)
_WITH_BATTERY = (
    Instrument.CUFF,
    Instrument.OXIMETER,
    Instrument.STRAP,
    Instrument.METER,
    Instrument.SCALES,
    Instrument.THERMOMETER,
)


class TroubleKind(StrEnum):
    """What is wrong."""

    DEAD = "dead"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One device, one stretch; seconds of the recording."""

    kind: TroubleKind
    from_s: float
    to_s: float

    def covers(self, second: float, kind: TroubleKind) -> bool:
        """Whether it is so at this second."""
        return self.kind is kind and self.from_s <= second < self.to_s

    @property
    def happening(self) -> HappeningKind:
        """What the truth calls it."""
        return HappeningKind.DEAD_BATTERY if self.kind is TroubleKind.DEAD else HappeningKind.MISUSE


def draw_troubles(
    person: Inhabitant, episodes: Sequence[Episode], *, seed: str, days: int
) -> dict[Instrument, Trouble]:
    """By device; none while something befalls the person, so that what befalls could be seen."""
    draw = random.Random(f"{seed}/trouble/{person.id}")
    passing = [episode for episode in episodes if episode.lasts_s < days * _DAY_S]
    stuck = None
    if draw.random() < _STUCK_A_MONTH * days / 30:
        from_s = draw.uniform(0, days * _DAY_S)
        stuck = Trouble(TroubleKind.STUCK, round(from_s, 3), round(from_s + draw.uniform(*_STUCK_S), 3))
    found: dict[Instrument, Trouble] = {}
    for instrument in _WITH_BATTERY:
        dead = dead_battery(person.device(instrument), seed=seed, days=days)
        trouble = stuck if instrument is Instrument.CUFF else None
        if dead is not None:
            trouble = Trouble(TroubleKind.DEAD, round(dead[0], 3), round(min(dead[1], days * _DAY_S), 3))
        if trouble is not None and instrument in person.owns and not _meets(trouble, passing):
            found[instrument] = trouble
    return found


def _meets(trouble: Trouble, passing: Sequence[Episode]) -> bool:
    return any(trouble.from_s <= each.end_s and trouble.to_s >= each.onset_s - _DAY_S / 2 for each in passing)
