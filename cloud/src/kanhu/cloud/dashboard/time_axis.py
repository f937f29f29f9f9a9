"""The time axis of charts: where it begins, and the times written below it."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from kanhu.cloud.dashboard.languages import Language

__all__ = ["LEAST_SPAN", "Tick", "axis_start", "time_ticks"]

LEAST_SPAN = timedelta(minutes=15)
"""An axis is never shorter: a minute across the whole screen would make every pause look like a loss."""

_ROOM = 50  # the axis begins this part of itself before the first value
_MOST_STEPS = 6
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720))
_DATES_FROM = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Tick:
    """One label of an axis."""

    at: float
    text: str


def axis_start(moments: Iterable[datetime], *, start: datetime, end: datetime) -> datetime:
    """A little before the first value inside the period; the period's own start where there is none."""
    first = min((moment for moment in moments if start <= moment <= end), default=None)
    if first is None:
        return start
    return max(start, min(first - (end - first) / _ROOM, end - LEAST_SPAN))


def time_ticks(
    start: datetime, end: datetime, *, zone: tzinfo, language: Language, x: Callable[[datetime], float]
) -> tuple[Tick, ...]:
    """Round times of the day, or dates beyond two days; never more than eight."""
    span = end - start
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if span <= _DATES_FROM:
        step = next((step for step in _STEPS if span / step <= _MOST_STEPS), _STEPS[-1])
        first = math.floor((start - midnight) / step) + 1
        moments = [midnight + (first + place) * step for place in range(_MOST_STEPS + 1)]
        return tuple(Tick(x(at), language.clock(at, zone)) for at in moments if start < at <= end)
    days = math.ceil(span / timedelta(days=1))
    every = max(1, math.ceil(days / 8))
    dates = [midnight + timedelta(days=day) for day in range(1, days + 1, every)]
    return tuple(Tick(x(at), language.day(at.date())) for at in dates if start <= at <= end)
