"""What is usual for a person: resting values and habits, drawn once from age, sex, conditions and seed.

| value | people of 65 and over | source |
|---|---|---|
| heart rate | 68, women 3 more, spread 6 | Ostchega 2011: adults 71 and 74; Stessman 2013: 65 to 75 |
| pressure | 123/73 without hypertension, spread 7; wider apart with age | Kato 2010: at home 123/76, mean age 62 |
| saturation | 96.4, spread 0.7 | BTS 2017: 94 to 98; Hardie 2004: 95; Rodríguez-Molinero 2013: from 91 on |
| respiration | 17, spread 1.5 | Rodríguez-Molinero 2013: up to 28; McFadden 1982: 16 to 25 in hospital |
| temperature | 36.35, spread 0.18 | Geneva 2019: in the mouth 36.57, 0.23 less from 60 on |
| glucose, fasting | 5.3, spread 0.3; diabetes 6.9, spread 0.75 | data of Zhao 2023: 6.7, half 5.6 to 7.6 |
| glucose, after a meal | 1.9 more; diabetes 3.6 more | data of Zhao 2023: supper's peak 3.5 more |
| glucose, from day to day | spread 0.3; diabetes 0.7 | data of Zhao 2023: spread 0.9 |
| weight | women 56, men 63, spread 8 | project choice |
| swing of pressure from day to day | people differ by a fifth | Kato 2010: 8.6, spread 3.1 mmHg |
| night dip of pressure | 13 %, spread 3 | Hinderliter 2013: 13 %, spread 5 |

What the data of Zhao 2023 hold is this project's own count: medians of the people with type 2 diabetes in
75 of the 125 recordings, fasting taken from 05:00 to 06:30.

A condition moves them by the amounts in `_CONDITIONS`, a project choice: hypertension is
taken as treated, 138/80 at home at 75 years; chronic lung disease as moderate, resting saturation about 92.5
(88 to 92 is what the BTS guideline aims at in those who need oxygen). All draws are cut at 2.2 spreads, because a
household of software is not where one meets a resting heart rate of 110.
"""

import random
from dataclasses import dataclass, replace

from kanhu.firmware_sim.scenario.model import Condition, Resident

_CUT = 2.2


@dataclass(frozen=True, slots=True)
class Traits:
    """One person's usual values, awake at rest at about 09:00, and habits."""

    heart_rate_bpm: float
    systolic_mmhg: float
    diastolic_mmhg: float
    spo2_percent: float
    respiration_per_min: float
    temperature_celsius: float
    glucose_mmol_l: float
    weight_kg: float
    night_dip: float
    """Share by which pressure is lower asleep."""
    swing: float
    """How far pressure goes up and down; 1 is usual."""
    liveliness: float
    """How much of the waking day is movement; 1 is usual."""
    meal_mmol_l: float
    """How far glucose rises after a meal."""
    glucose_spread_mmol_l: float
    """How much it differs from day to day."""
    dose_mmhg: float
    """What the daily tablet takes off the systolic pressure; 0 without one."""
    dose_mmol_l: float
    """What it takes off the glucose."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """How far a condition moves the usual values."""

    heart_rate_bpm: float = 0.0
    systolic_mmhg: float = 0.0
    diastolic_mmhg: float = 0.0
    spo2_percent: float = 0.0
    respiration_per_min: float = 0.0
    glucose_mmol_l: float = 0.0
    liveliness: float = 1.0


_CONDITIONS: dict[Condition, _Shift] = {
    Condition.HYPERTENSION: _Shift(heart_rate_bpm=2.0, systolic_mmhg=13.0, diastolic_mmhg=6.0),
    Condition.COPD: _Shift(
        heart_rate_bpm=6.0, systolic_mmhg=2.0, spo2_percent=-4.0, respiration_per_min=2.5, liveliness=0.8
    ),
    Condition.HEART_FAILURE: _Shift(
        heart_rate_bpm=6.0,
        systolic_mmhg=-6.0,
        diastolic_mmhg=-4.0,
        spo2_percent=-0.8,
        respiration_per_min=1.5,
        liveliness=0.75,
    ),
    Condition.DIABETES: _Shift(heart_rate_bpm=3.0, systolic_mmhg=2.0, diastolic_mmhg=1.0, glucose_mmol_l=1.6),
}
_DOSE_MMHG = 9.0  # Law 2003: one drug at standard dose takes 9.1/5.5 mmHg off
_DOSE_MMOL_L = 1.2  # project choice


def traits(resident: Resident | None, draw: random.Random) -> Traits:
    """Draw a person, or a plain visitor of middle age where nobody is named."""
    conditions: tuple[Condition, ...] = resident.conditions if resident else ()
    age_years = resident.age_years if resident else 55
    woman = resident is not None and resident.sex == "f"
    shifts = [_CONDITIONS[condition] for condition in conditions]
    over_65 = max(0, age_years - 65)
    systolic_mmhg = 122.0 + 0.3 * min(25, over_65) + sum(shift.systolic_mmhg for shift in shifts)
    pressure_spread = _spread(draw, 7.0)
    lung_spread = 1.6 if Condition.COPD in conditions else 1.0
    diabetic = Condition.DIABETES in conditions
    liveliness = 1.05 - 0.012 * over_65 + _spread(draw, 0.15)
    for shift in shifts:
        liveliness *= shift.liveliness
    usual = Traits(
        heart_rate_bpm=68.0 + 3.0 * woman + sum(shift.heart_rate_bpm for shift in shifts) + _spread(draw, 5.5),
        systolic_mmhg=systolic_mmhg + pressure_spread,
        diastolic_mmhg=74.0
        - 0.15 * min(25, over_65)
        + sum(shift.diastolic_mmhg for shift in shifts)
        + 0.45 * pressure_spread
        + _spread(draw, 3.0),
        spo2_percent=96.8
        - 0.03 * over_65
        + sum(shift.spo2_percent for shift in shifts)
        + lung_spread * _spread(draw, 0.6),
        respiration_per_min=17.0 + sum(shift.respiration_per_min for shift in shifts) + _spread(draw, 1.4),
        temperature_celsius=36.35 + _spread(draw, 0.18),
        glucose_mmol_l=5.3
        + sum(shift.glucose_mmol_l for shift in shifts)
        + (_spread(draw, 0.75) if diabetic else _spread(draw, 0.3)),
        weight_kg=(56.0 if woman else 63.0) + _spread(draw, 8.0),
        night_dip=0.13 + _spread(draw, 0.025),
        swing=1 + _spread(draw, 0.2),
        liveliness=max(0.3, liveliness),
        meal_mmol_l=(3.6 if diabetic else 1.9) * (1 + _spread(draw, 0.15)),
        glucose_spread_mmol_l=0.7 if diabetic else 0.3,
        dose_mmhg=_DOSE_MMHG if Condition.HYPERTENSION in conditions else 0.0,
        dose_mmol_l=_DOSE_MMOL_L if diabetic else 0.0,
    )
    return usual if resident is None else _as_told(usual, resident)


def _spread(draw: random.Random, deviation: float) -> float:
    return min(_CUT, max(-_CUT, draw.gauss(0.0, 1.0))) * deviation


def _as_told(usual: Traits, resident: Resident) -> Traits:
    """What somebody wrote down about this person holds."""
    told = {
        "heart_rate_bpm": resident.resting_heart_rate_bpm,
        "systolic_mmhg": resident.resting_systolic_mmhg,
        "diastolic_mmhg": resident.resting_diastolic_mmhg,
        "spo2_percent": resident.resting_spo2_percent,
    }
    return replace(usual, **{name: float(value) for name, value in told.items() if value is not None})
