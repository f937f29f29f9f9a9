"""A person over weeks: ten signs as a pure function of the seed and the true time.

From slow to fast: what is usual for the person (`traits`), the level of the day and its hours (`days`), the hour of
the day, meals, movement, the daily tablet, minutes of wandering, and what befalls them (`episodes`). The same seed and
the same second always give the same person, in whatever order one asks.

| part | how much | source |
|---|---|---|
| night | pressure lower by the person's dip | Hinderliter 2013 |
| night | heart rate 11 %, saturation 1 point, breath 1.5 lower | project choice |
| hour of the day, highest at 15:00 | pressure 1 %, heart rate 3 % | project choice |
| temperature, highest at 17:00 | 0.3 °C up and down | project choice; coldest in the morning, as is common knowledge |
| after a meal | pressure 6 mmHg lower, pulse 3 more | project choice; falls of 20 are common in the old: Jansen 1995 |
| movement | pulse 14, systolic 6, breath 4 more at activity 1 | project choice |
| minutes | systolic spread 3 %, pulse 1.4, saturation 0.15 | project choice; a second reading differs by some 4 mmHg |
| low pressure | below 106 mmHg a fall is halved | project choice: reflexes hold it up |
| missed tablet | what it takes off (`traits`), reached after 8 h, gone 4 h after the next | project choice |
"""

import math
import random
from collections.abc import Sequence

from kanhu.firmware_sim.bodies.days import Calendar, DayPlan
from kanhu.firmware_sim.bodies.episodes import STILL, Course, Episode, courses
from kanhu.firmware_sim.bodies.state import VitalState
from kanhu.firmware_sim.bodies.traits import Traits, traits
from kanhu.firmware_sim.scenario.model import Resident

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_LOWEST_AT_S = 3 * _HOUR_S
_WARMEST_AT_S = 17 * _HOUR_S
_FALLS_ASLEEP_S = 2400.0
_WAKES_UP_S = 1800.0
_LEVEL_CHANGES_S = 4 * _HOUR_S  # the level of the day before gives way from midnight to four
_TABLET_AT_S = 7 * _HOUR_S
_WEARS_OFF_S, _TAKES_HOLD_S = 8 * _HOUR_S, 4 * _HOUR_S
_DIGESTS_S = 4 * _HOUR_S
_HELD_UP_MMHG, _HELD_UP_SHARE = 106.0, 0.5
_DAYS_KEPT = 64
_TURN = 2 * math.pi
# Periods of the minutes' wandering, without common multiples within a day: three for heart and pressure together,
# two each for pressure, heart rate, saturation and the rest alone.
_SHARED_S = (61.0, 337.0, 1_709.0)
_OWN_S = (83.0, 521.0, 97.0, 613.0, 113.0, 1_433.0, 2_903.0, 7_129.0)
_FREQUENCIES = tuple(_TURN / period for period in _SHARED_S + _OWN_S)
_BOUTS = (_TURN / 2_861.0, _TURN / 977.0)


class _Day:
    """One day's plan, what goes over from the day before, and the episodes felt on it."""

    __slots__ = ("before", "courses", "missed", "missed_before", "plan")

    def __init__(self, plan: DayPlan, before: DayPlan, felt: tuple[Course, ...], missed: tuple[bool, bool]) -> None:
        self.plan = plan
        self.before = before.level
        self.courses = felt
        self.missed, self.missed_before = missed


class Body:
    """One person. Seconds count from Monday 00:00 local of the start, over any number of days."""

    def __init__(
        self,
        resident: Resident | None,
        *,
        seed: str,
        episodes: Sequence[Episode] = (),
        missed_doses: frozenset[int] = frozenset(),
    ) -> None:
        """Build from the resident, or a plain visitor where nobody is named; `missed_doses` are days, from 0."""
        seed = f"{seed}/body/{resident.id if resident else 'visitor'}"
        draw = random.Random(seed)
        self.traits: Traits = traits(resident, draw)
        self.episodes = tuple(episodes)
        self._calendar = Calendar(seed=seed)
        self._courses = courses(self.episodes, usual_spo2_percent=self.traits.spo2_percent)
        self._still = tuple(sorted((e.onset_s, e.end_s) for e in self.episodes if e.kind in STILL))
        self._missed_doses = missed_doses
        self._phases = tuple(draw.uniform(0, _TURN) for _ in _FREQUENCIES)
        self._days: dict[int, _Day] = {}

    def at(self, second: float) -> VitalState:
        """The state at one second, whatever this person is doing."""
        return self._state(second, self._activity(second))

    def seated(self, second: float) -> VitalState:
        """The state at one second, had this person sat down some minutes before, as one does to measure."""
        return self._state(second, min(0.05, self._activity(second)))

    def plan(self, day: int) -> DayPlan:
        """When this person wakes, eats and sleeps on a day, counted from 0."""
        return self._day(day).plan

    def vigour(self, second: float) -> float:
        """What episodes leave of the usual liveliness, from 0 to 1."""
        left = 1.0
        for course in self._day(int(second // _DAY_S)).courses:
            left *= 1 - (1 - course.activity) * course.strength(second)
        return left

    def still(self, second: float) -> bool:
        """Whether this person lies where they fell."""
        return any(onset_s <= second < end_s for onset_s, end_s in self._still)

    def still_between(self, from_s: float, to_s: float) -> tuple[tuple[float, float], ...]:
        """The stretches of lying where they fell that touch this one."""
        return tuple((onset_s, end_s) for onset_s, end_s in self._still if onset_s < to_s and end_s > from_s)

    def asleep(self, second: float) -> bool:
        """Whether this person sleeps, at night or after the noon meal."""
        day, clock_s = divmod(second, _DAY_S)
        return _sleep(self._day(int(day)).plan, clock_s) > 0.5 and not self.still(second)

    def _day(self, day: int) -> _Day:
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            plan, before = self._calendar.plan(day), self._calendar.plan(day - 1)
            from_s, to_s = day * _DAY_S, (day + 1) * _DAY_S
            felt = tuple(c for c in self._courses if c.episode.onset_s < to_s and c.felt_until_s > from_s)
            known = _Day(plan, before, felt, (day in self._missed_doses, day - 1 in self._missed_doses))
            self._days[day] = known
        return known

    def _activity(self, second: float) -> float:
        day_number, clock_s = divmod(second, _DAY_S)
        day = self._day(int(day_number))
        plan = day.plan
        if self._still and self.still(second):
            return 0.0
        if _sleep(plan, clock_s) > 0.5:
            return 0.15 if any(rise <= clock_s < back for rise, back in plan.rises_s) else 0.0
        bout = math.sin(_BOUTS[0] * second + self._phases[0]) + 0.8 * math.sin(_BOUTS[1] * second + self._phases[1])
        activity = (0.1 + 0.3 * max(0.0, bout)) * plan.liveliness * self.traits.liveliness * _busy(clock_s)
        return min(1.0, activity * self.vigour(second))

    def _state(self, second: float, activity: float) -> VitalState:
        day_number, clock_s = divmod(second, _DAY_S)
        day = self._day(int(day_number))
        plan, usual, level = day.plan, self.traits, day.plan.level
        sleep = _sleep(plan, clock_s)
        afternoon = -math.cos(_TURN * (clock_s - _LOWEST_AT_S) / _DAY_S)  # -1 at 03:00, +1 at 15:00
        warm = math.cos(_TURN * (clock_s - _WARMEST_AT_S) / _DAY_S)
        new = 1.0 if clock_s >= _LEVEL_CHANGES_S else clock_s / _LEVEL_CHANGES_S
        old, before = 1.0 - new, day.before
        full, sugar = _fed(plan, clock_s)
        sin = math.sin
        w = [sin(f * second + p) for f, p in zip(_FREQUENCIES, self._phases, strict=True)]
        together = w[0] + w[1] + w[2]
        bare_mmhg, bare_mmol_l = self._without_tablet(day, clock_s)

        pressure_minutes = usual.swing * (0.017 * together + 0.018 * (w[3] + w[4]))
        pressure = (
            1
            + usual.swing * (new * level.pressure + old * before.pressure)
            + 0.01 * afternoon
            - usual.night_dip * sleep
        )
        minutes = [
            0.8 * together + 0.9 * (w[5] + w[6]),
            usual.systolic_mmhg * pressure_minutes,
            usual.diastolic_mmhg * 1.2 * pressure_minutes,
            0.15 * (w[7] + w[8]),
            0.5 * (w[7] + w[8]),
            0.02 * w[9],
            0.08 * (w[9] + w[10]),
            0.0,
        ]
        warmer = new * level.temperature_celsius + old * before.temperature_celsius
        heart_rate = (
            1 + new * level.heart_rate + old * before.heart_rate + 0.03 * afternoon - 0.11 * sleep + 0.04 * warmer
        )
        sugar_level = new * level.glucose_mmol_l + old * before.glucose_mmol_l
        if sugar_level < 0:
            sugar_level *= 0.6  # the liver keeps fasting glucose from falling as far as it may rise
        values = [
            usual.heart_rate_bpm * heart_rate + 14 * activity + 3 * full + minutes[0],
            usual.systolic_mmhg * pressure + 6 * activity - 6 * full + bare_mmhg + minutes[1],
            usual.diastolic_mmhg * (1 + 1.15 * (pressure - 1)) - 3 * full + 0.55 * bare_mmhg + minutes[2],
            usual.spo2_percent + new * level.spo2_percent + old * before.spo2_percent - sleep + minutes[3],
            usual.respiration_per_min
            + new * level.respiration_per_min
            + old * before.respiration_per_min
            - 1.5 * sleep
            + 4 * activity
            + minutes[4],
            usual.temperature_celsius + warmer + 0.3 * warm + minutes[5],
            usual.glucose_mmol_l
            + usual.glucose_spread_mmol_l * sugar_level
            + usual.meal_mmol_l * sugar
            + bare_mmol_l
            + minutes[6],
            usual.weight_kg + new * level.weight_kg + old * before.weight_kg + _eaten_kg(clock_s),
        ]
        if values[1] < _HELD_UP_MMHG:
            values[1] = _HELD_UP_MMHG - _HELD_UP_SHARE * (_HELD_UP_MMHG - values[1])
        for course in day.courses:
            course.move(values, minutes, second)
        asleep = sleep > 0.5 and activity == 0.0 and not (self._still and self.still(second))
        heart, systolic, diastolic, spo2, breath, warmth, glucose, weight = values
        return VitalState(
            heart, systolic, diastolic, min(spo2, 100.0), breath, warmth, glucose, weight, activity, asleep
        )

    def _without_tablet(self, day: _Day, clock_s: float) -> tuple[float, float]:
        """How far pressure and glucose stand above where the tablet keeps them."""
        if not (day.missed or day.missed_before):
            return 0.0, 0.0
        since_s = clock_s - _TABLET_AT_S
        if since_s < 0:
            share = 1.0 if day.missed_before else 0.0
        elif day.missed:
            share = 1.0 if day.missed_before else min(1.0, since_s / _WEARS_OFF_S)
        else:
            share = max(0.0, 1 - since_s / _TAKES_HOLD_S)
        return share * self.traits.dose_mmhg, share * self.traits.dose_mmol_l


def _sleep(plan: DayPlan, clock_s: float) -> float:
    """How deep the sleep is, from 0 to 1; a nap is half as deep as the night, and counts as sleep."""
    if clock_s < plan.wakes_s:
        return min(1.0, (plan.wakes_s - clock_s) / _WAKES_UP_S)
    if clock_s > plan.to_bed_s:
        return min(1.0, (clock_s - plan.to_bed_s) / _FALLS_ASLEEP_S)
    if plan.nap_s is not None and plan.nap_s[0] < clock_s < plan.nap_s[1]:
        return min(0.6, (clock_s - plan.nap_s[0]) / 600, (plan.nap_s[1] - clock_s) / 600)
    return 0.0


def _busy(clock_s: float) -> float:
    """How lively this hour is: mornings most, evenings least."""
    if clock_s < 11 * _HOUR_S:
        return 1.0
    if clock_s < 14 * _HOUR_S:
        return 0.6
    return 0.85 if clock_s < 18 * _HOUR_S else 0.4


def _fed(plan: DayPlan, clock_s: float) -> tuple[float, float]:
    """How full the stomach and how high the sugar is after the last meals, each from 0 to about 1."""
    full = sugar = 0.0
    for meal_s in plan.meals_s:
        since_s = clock_s - meal_s
        if 0 < since_s < _DIGESTS_S:
            fades = 1 - since_s / _DIGESTS_S
            turns = since_s / 3000.0
            sugar += 1.3 * turns * math.exp(1 - turns) * fades
            if since_s < 2 * _HOUR_S:
                full += 4 * (since_s / (2 * _HOUR_S)) * (1 - since_s / (2 * _HOUR_S))
    return min(1.0, full), min(1.3, sugar)


def _eaten_kg(clock_s: float) -> float:
    """Heavier through the day by food and drink, lighter through the night: none at 07:00."""
    hours = (clock_s / _HOUR_S - 7) % 24
    return 0.6 * hours / 13 if hours < 13 else 0.6 * (24 - hours) / 11
