"""One day of a person: when they wake, eat, rest and sleep, and how the day's level differs from other days.

| what | how much | source |
|---|---|---|
| up, to bed | 05:50 and 20:50, people differ by 35 min, days by 15 | project choice: villagers keep early hours |
| nap after the noon meal | in about half of days, 30 to 70 min | project choice |
| up at night | 1 or 2 times, for 4 to 10 min | project choice |
| meals | 07:00, 12:00, 18:00, give or take 25 min | project choice |
| pressure from day to day | spread 5 %; with minutes and slow waves 8 to 9 mmHg | Kato 2010: 8.6 mmHg |
| heart rate from day to day | spread 3 % | project choice |
| weight from day to day | spread 0.25 kg, slow waves 0.4 kg | project choice |
| Saturday, Sunday | to bed 20 min later, livelier by a sixth, pressure 0.8 % higher | project choice |
"""

import math
import random
from dataclasses import dataclass

_CUT = 2.4
_MINUTE_S = 60.0
_HOUR_S = 3600.0
_WEEKEND = (5, 6)
_SLOW_DAYS = (5.3, 13.7)  # periods of the waves over days; no whole number of them makes a month


@dataclass(frozen=True, slots=True)
class Level:
    """How one day differs from this person's usual."""

    pressure: float
    """Share of the pressure."""
    heart_rate: float
    """Share of the heart rate."""
    spo2_percent: float
    respiration_per_min: float
    temperature_celsius: float
    glucose_mmol_l: float
    weight_kg: float


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day's hours, as seconds of the day."""

    day: int
    wakes_s: float
    to_bed_s: float
    meals_s: tuple[float, float, float]
    nap_s: tuple[float, float] | None
    rises_s: tuple[tuple[float, float], ...]
    """When this person is up between midnight and waking, from and to."""
    liveliness: float
    level: Level


class Calendar:
    """All days of one person; the same day is always the same."""

    def __init__(self, *, seed: str) -> None:
        """Draw the habits from `seed`."""
        self._seed = seed
        draw = random.Random(f"{seed}/habits")
        self._wakes_s = 5.85 * _HOUR_S + _spread(draw, 35 * _MINUTE_S)
        self._to_bed_s = 20.85 * _HOUR_S + _spread(draw, 35 * _MINUTE_S)
        self._naps = draw.uniform(0.2, 0.9)
        self._meals_s = tuple(hour * _HOUR_S + _spread(draw, 25 * _MINUTE_S) for hour in (7.2, 12.0, 18.0))
        self._phases = [[draw.uniform(0, 2 * math.pi) for _ in _SLOW_DAYS] for _ in range(7)]

    def plan(self, day: int) -> DayPlan:
        """The hours and level of a day, counted from Monday 0."""
        draw = random.Random(f"{self._seed}/day/{day}")
        weekend = day % 7 in _WEEKEND
        wakes_s = self._wakes_s + _spread(draw, 15 * _MINUTE_S)
        breakfast, noon, supper = (meal + _spread(draw, 12 * _MINUTE_S) for meal in self._meals_s)
        nap_s = None
        if draw.random() < self._naps:
            lies_down_s = noon + draw.uniform(35, 60) * _MINUTE_S
            nap_s = (lies_down_s, lies_down_s + draw.uniform(30, 70) * _MINUTE_S)
        rises = sorted(draw.uniform(0.5 * _HOUR_S, wakes_s - 1800) for _ in range(draw.choice((1, 1, 2))))
        return DayPlan(
            day=day,
            wakes_s=wakes_s,
            to_bed_s=self._to_bed_s + _spread(draw, 15 * _MINUTE_S) + (20 * _MINUTE_S if weekend else 0.0),
            meals_s=(max(breakfast, wakes_s + 20 * _MINUTE_S), noon, supper),
            nap_s=nap_s,
            rises_s=tuple((rise, rise + draw.uniform(4, 10) * _MINUTE_S) for rise in rises),
            liveliness=(7 / 6 if weekend else 1.0) * (1 + _spread(draw, 0.12)),
            level=self._level(day, draw, weekend_share=0.008 if weekend else 0.0),
        )

    def _level(self, day: int, draw: random.Random, *, weekend_share: float) -> Level:
        slow = [self._slow(which, day) for which in range(7)]
        strain = _spread(draw, 1.0)  # one cause behind pressure and heart rate: they rise together, a little
        return Level(
            pressure=0.048 * (0.9 * _spread(draw, 1.0) + 0.44 * strain) + 0.022 * slow[0] + weekend_share,
            heart_rate=0.03 * (0.9 * _spread(draw, 1.0) + 0.44 * strain) + 0.015 * slow[1],
            spo2_percent=_spread(draw, 0.2) + 0.15 * slow[2],
            respiration_per_min=_spread(draw, 0.5) + 0.3 * slow[3],
            temperature_celsius=_spread(draw, 0.08) + 0.06 * slow[4],
            glucose_mmol_l=_spread(draw, 1.0) + 0.3 * slow[5],
            weight_kg=_spread(draw, 0.18) + 0.3 * slow[6],
        )

    def _slow(self, which: int, day: int) -> float:
        waves = zip(_SLOW_DAYS, self._phases[which], strict=True)
        return sum(math.sin(2 * math.pi * day / period + phase) for period, phase in waves)


def _spread(draw: random.Random, deviation: float) -> float:
    return min(_CUT, max(-_CUT, draw.gauss(0.0, 1.0))) * deviation
