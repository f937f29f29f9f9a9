"""The village around the homes: power, links, batteries, and gateways that do not know the time.

All rates are project choices, set so that a good village is heard for about 99.4 % of the time and a weak one for
about 98.5 %: mobile operators publish coverage, not how often a modem in a far valley loses it.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_MINUTE_S = 60.0
_APART_S = 300.0  # a short loss that near a longer outage is part of it


@dataclass(frozen=True, slots=True)
class _Link:
    """How a village's mobile link fails by itself."""

    losses_a_day: float
    median_s: float
    spread: float
    """Of the logarithm."""


_GOOD_LINK = _Link(losses_a_day=1.2, median_s=75.0, spread=1.0)
_WEAK_LINK = _Link(losses_a_day=5.0, median_s=120.0, spread=0.9)
WEAK_VILLAGES: Final = 1 / 8
"""The share of villages with a weak link."""
_STORMS_A_DAY = 1 / 40
_STORM_H = (1.0, 8.0)
_STORM_TAKES_POWER = 0.3
_VILLAGE_CUTS_A_DAY = 1 / 60
_VILLAGE_CUT_H = (0.3, 3.0)
_HOME_CUTS_A_DAY = 1 / 120
_HOME_CUT_H = (0.1, 1.5)
_WRONG_CLOCKS = 0.04
_BATTERY_DIES_A_DAY = 1 / 720  # a coin cell lasts about two years
_BATTERY_CHANGED_DAYS = (0.5, 6.0)


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which the county hears nothing of a gateway; seconds from Monday 00:00 local of the start."""

    gateway: str
    from_s: float
    to_s: float
    cause: Literal["link", "power"]
    """`link`: devices go on being read. `power`: nothing is read."""


@dataclass(frozen=True, slots=True)
class ClockFault:
    """A gateway whose clock is wrong until it is synchronised."""

    until_s: float
    """Seconds from Monday 00:00 local of the start; from then on the clock is right."""
    starts_at_1970: bool
    """The clock began at 1970-01-01 00:00 UTC at second 0; otherwise `offset_s` holds."""
    offset_s: float = 0.0
    """How far the clock is ahead of true time (negative: behind)."""


def has_weak_link(village: str, *, seed: str) -> bool:
    """Whether this is one of the villages where the link often fails."""
    return random.Random(f"{seed}/link/{village}").random() < WEAK_VILLAGES


def outages(village: str, gateways: Sequence[str], *, seed: str, days: int) -> tuple[Outage, ...]:
    """All outages of a village's gateways, by gateway and time; those of one gateway never overlap."""
    end_s = days * _DAY_S
    shared = _apart([*_village_cuts(village, seed=seed, end_s=end_s), *_storms(village, seed=seed, end_s=end_s)])
    link = _WEAK_LINK if has_weak_link(village, seed=seed) else _GOOD_LINK
    found: list[Outage] = []
    for gateway in gateways:
        draw = random.Random(f"{seed}/outages/{village}/{gateway}")
        # Modems come back one after the other, and meters are reached street by street.
        own = [
            _Stretch(s.from_s + draw.uniform(0, 40), s.to_s + draw.uniform(-200, 200), s.cause, s.rank) for s in shared
        ]
        own += _drawn(draw, end_s, _HOME_CUTS_A_DAY, lengths_h=_HOME_CUT_H, cause="power", rank=1)
        own += [
            _Stretch(from_s, from_s + draw.lognormvariate(math.log(link.median_s), link.spread), "link", 2)
            for from_s in _moments(draw, end_s, link.losses_a_day)
        ]
        found += [Outage(gateway, s.from_s, min(s.to_s, end_s), s.cause) for s in _apart(own) if s.from_s < end_s]
    return tuple(found)


def gateway_clock(gateway: str, *, seed: str) -> ClockFault | None:
    """What is wrong with this gateway's clock, which is nothing for nearly all."""
    draw = random.Random(f"{seed}/clock/{gateway}")
    if draw.random() >= _WRONG_CLOCKS:
        return None
    if draw.random() < 0.5:
        return ClockFault(until_s=draw.uniform(_MINUTE_S, _HOUR_S), starts_at_1970=True)
    offset_s = draw.choice((-1, 1)) * draw.uniform(_MINUTE_S, 2 * _HOUR_S)
    return ClockFault(until_s=draw.uniform(_HOUR_S, _DAY_S), starts_at_1970=False, offset_s=offset_s)


def dead_battery(device: str, *, seed: str, days: int) -> tuple[float, float] | None:
    """From when to when a battery is empty, in seconds from the start; None where it holds, as nearly all do."""
    draw = random.Random(f"{seed}/battery/{device}")
    moment = next(_moments(draw, days * _DAY_S, _BATTERY_DIES_A_DAY), None)
    return None if moment is None else (moment, moment + draw.uniform(*_BATTERY_CHANGED_DAYS) * _DAY_S)


@dataclass(frozen=True, slots=True)
class _Stretch:
    from_s: float
    to_s: float
    cause: Literal["link", "power"]
    rank: int
    """Of two that meet, the lower one stands and the other never was."""


def _village_cuts(village: str, *, seed: str, end_s: float) -> list[_Stretch]:
    draw = random.Random(f"{seed}/cuts/{village}")
    return _drawn(draw, end_s, _VILLAGE_CUTS_A_DAY, lengths_h=_VILLAGE_CUT_H, cause="power", rank=0)


def _storms(village: str, *, seed: str, end_s: float) -> list[_Stretch]:
    draw = random.Random(f"{seed}/storms/{village}")
    storms: list[_Stretch] = []
    for from_s in _moments(draw, end_s, _STORMS_A_DAY):
        to_s = from_s + draw.uniform(*_STORM_H) * _HOUR_S
        storms.append(_Stretch(from_s, to_s, "power" if draw.random() < _STORM_TAKES_POWER else "link", 0))
    return storms


def _drawn(
    draw: random.Random,
    end_s: float,
    rate_a_day: float,
    *,
    lengths_h: tuple[float, float],
    cause: Literal["link", "power"],
    rank: int,
) -> list[_Stretch]:
    return [
        _Stretch(from_s, from_s + draw.uniform(*lengths_h) * _HOUR_S, cause, rank)
        for from_s in _moments(draw, end_s, rate_a_day)
    ]


def _moments(draw: random.Random, end_s: float, rate_a_day: float) -> Iterator[float]:
    """Moments without memory, at this rate."""
    moment = draw.expovariate(rate_a_day) * _DAY_S
    while moment < end_s:
        yield moment
        moment += draw.expovariate(rate_a_day) * _DAY_S


def _apart(stretches: list[_Stretch]) -> list[_Stretch]:
    """Those that stand, by time, each well apart from the next."""
    standing: list[_Stretch] = []
    for stretch in sorted(stretches, key=lambda s: (s.rank, s.from_s)):
        clear = all(
            stretch.to_s + _APART_S < other.from_s or stretch.from_s > other.to_s + _APART_S for other in standing
        )
        if clear and stretch.to_s > stretch.from_s:
            standing.append(stretch)
    return sorted(standing, key=lambda s: s.from_s)
