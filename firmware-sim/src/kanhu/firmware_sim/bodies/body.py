"""A person at rest over the day: heart rate, blood pressure, oxygen saturation.

Resting values come from the scenario, or from age and conditions. Over the day they follow one cosine: heart rate
and pressure are lowest at about 03:00 and highest in the late afternoon, the pressure some 12 % lower at night
("dipping"), saturation a little lower asleep. On top lie slow, smooth, seeded wanderings, so that the same seed and
the same second always give the same person.
"""

import math
import random
from dataclasses import dataclass

from kanhu.firmware_sim.scenario import Resident

_DAY_S = 86_400.0
_LOWEST_AT_S = 3 * 3600.0
_WANDERING_PERIODS_S = (61.0, 337.0, 1_709.0)  # no common multiple within a day

# How much a condition moves the resting values: heart rate (1/min), systolic, diastolic (mmHg), saturation (points).
_CONDITIONS: dict[str, tuple[float, float, float, float]] = {
    "hypertension": (2.0, 18.0, 8.0, 0.0),
    "copd": (6.0, 2.0, 0.0, -4.0),
    "heart_failure": (8.0, -6.0, -4.0, -2.0),
    "diabetes": (3.0, 6.0, 1.0, 0.0),
    "atrial_fibrillation": (10.0, 0.0, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class VitalState:
    """One moment of one person."""

    heart_rate_bpm: float
    systolic_mmhg: float
    diastolic_mmhg: float
    spo2_percent: float


class Body:
    """The slow part of one person; a pure function of the second of the day."""

    def __init__(self, resident: Resident | None, *, seed: str) -> None:
        """Build from the resident, or a plain visitor where nobody is named."""
        age_years = 65 if resident is None else resident.age_years
        heart_rate, systolic, diastolic, spo2 = 70.0, 118.0 + 0.25 * (age_years - 60), 76.0, 97.0
        for condition in () if resident is None else resident.conditions:
            moves = _CONDITIONS.get(condition, (0.0, 0.0, 0.0, 0.0))
            heart_rate, systolic = heart_rate + moves[0], systolic + moves[1]
            diastolic, spo2 = diastolic + moves[2], spo2 + moves[3]
        if resident is not None:
            heart_rate = resident.resting_heart_rate_bpm or heart_rate
            systolic = resident.resting_systolic_mmhg or systolic
            diastolic = resident.resting_diastolic_mmhg or diastolic
            spo2 = resident.resting_spo2_percent or spo2
        self._resting = VitalState(heart_rate, systolic, diastolic, spo2)
        draw = random.Random(f"{seed}/body/{resident.id if resident else 'visitor'}")
        self._phases = [[draw.uniform(0, 2 * math.pi) for _ in _WANDERING_PERIODS_S] for _ in range(3)]

    def at(self, second_of_day: float) -> VitalState:
        """The state at one second; the resting values hold at about 09:00 and 21:00."""
        day = -math.cos(2 * math.pi * (second_of_day - _LOWEST_AT_S) / _DAY_S)  # -1 at 03:00, +1 at 15:00
        rest = self._resting
        pressure = 1 + 0.06 * day + 0.015 * self._wandering(1, second_of_day)
        asleep = max(0.0, -day)
        return VitalState(
            heart_rate_bpm=rest.heart_rate_bpm * (1 + 0.08 * day) + 2.0 * self._wandering(0, second_of_day),
            systolic_mmhg=rest.systolic_mmhg * pressure,
            diastolic_mmhg=rest.diastolic_mmhg * pressure,
            spo2_percent=min(100.0, rest.spo2_percent - asleep + 0.3 * self._wandering(2, second_of_day)),
        )

    def _wandering(self, which: int, second: float) -> float:
        turns = zip(_WANDERING_PERIODS_S, self._phases[which], strict=True)
        return sum(math.sin(2 * math.pi * second / period + phase) for period, phase in turns) / len(self._phases)
