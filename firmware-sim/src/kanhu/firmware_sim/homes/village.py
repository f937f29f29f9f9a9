"""The village around the homes: power cuts, links that fail, and gateways that do not know the time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_DAY_S = 86_400.0


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


def outages(village: str, gateways: Sequence[str], *, seed: str, days: int) -> tuple[Outage, ...]:
    """All outages of a village's gateways, by gateway and time, those of one gateway never overlapping."""
    draw = random.Random(f"{seed}/outages/{village}")
    found = [
        Outage(gateway, day * _DAY_S + start, day * _DAY_S + start + 600.0, "link")
        for gateway in gateways
        for day in range(days)
        for start in (draw.uniform(0, _DAY_S - 600),)
    ]
    return tuple(found)


def gateway_clock(gateway: str, *, seed: str) -> ClockFault | None:
    """What is wrong with this gateway's clock, which is nothing for nearly all."""
    draw = random.Random(f"{seed}/clock/{gateway}")
    if draw.random() >= 0.04:
        return None
    if draw.random() < 0.5:
        return ClockFault(until_s=draw.uniform(600, 3600), starts_at_1970=True)
    return ClockFault(
        until_s=draw.uniform(3600, _DAY_S), starts_at_1970=False, offset_s=draw.choice((-1, 1)) * draw.uniform(60, 7200)
    )
