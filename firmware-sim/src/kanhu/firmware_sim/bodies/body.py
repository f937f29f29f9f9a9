"""A person at rest over the day: heart rate, blood pressure, oxygen saturation.

Resting values come from the scenario, or from age, sex and conditions. Over the day they follow one cosine: heart rate
and pressure are lowest at about 03:00 and highest at about 15:00, the pressure some 12 % lower at night
("dipping"), saturation a little lower asleep. On top lie slow, smooth, seeded wanderings, so that the same seed and
the same second always give the same person.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.firmware_sim.bodies.episodes import Episode
from kanhu.firmware_sim.scenario import Condition, Resident

_DAY_S = 86_400.0
_LOWEST_AT_S = 3 * 3600.0
_WANDERING_PERIODS_S = (61.0, 337.0, 1_709.0)  # no common multiple within a day

_FEMALE_BPM = 3.0  # women's hearts beat a little faster at rest

# How much a condition moves the resting values: heart rate (1/min), systolic, diastolic (mmHg), saturation (points).
_CONDITIONS: dict[Condition, tuple[float, float, float, float]] = {
    Condition.HYPERTENSION: (2.0, 18.0, 8.0, 0.0),
    Condition.COPD: (6.0, 2.0, 0.0, -4.0),
    Condition.HEART_FAILURE: (8.0, -6.0, -4.0, -2.0),
    Condition.DIABETES: (3.0, 6.0, 1.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class VitalState:
    """One moment of one person."""

    heart_rate_bpm: float
    systolic_mmhg: float
    diastolic_mmhg: float
    spo2_percent: float
    respiration_per_min: float = 16.5
    temperature_celsius: float = 36.4
    glucose_mmol_l: float = 5.4
    weight_kg: float = 60.0
    activity: float = 0.1
    asleep: bool = False


class Body:
    """The slow part of one person; a pure function of the second of the day."""

    def __init__(
        self,
        resident: Resident | None,
        *,
        seed: str,
        episodes: Sequence[Episode] = (),
        missed_doses: frozenset[int] = frozenset(),
    ) -> None:
        """Build from the resident, or a plain visitor where nobody is named."""
        self.episodes = tuple(episodes)
        self.missed_doses = missed_doses
        self._resting = _resting(resident)
        draw = random.Random(f"{seed}/body/{resident.id if resident else 'visitor'}")
        self._phases = [[draw.uniform(0, 2 * math.pi) for _ in _WANDERING_PERIODS_S] for _ in range(3)]

    def at(self, second: float) -> VitalState:
        """The state at one second; the resting values hold at about 09:00 and 21:00."""
        day = -math.cos(2 * math.pi * (second - _LOWEST_AT_S) / _DAY_S)  # -1 at 03:00, +1 at 15:00
        rest = self._resting
        pressure = 1 + 0.06 * day + 0.015 * self._wandering(1, second)
        asleep = max(0.0, -day)
        return VitalState(
            heart_rate_bpm=rest.heart_rate_bpm * (1 + 0.08 * day) + 2.0 * self._wandering(0, second),
            systolic_mmhg=rest.systolic_mmhg * pressure,
            diastolic_mmhg=rest.diastolic_mmhg * pressure,
            spo2_percent=min(100.0, rest.spo2_percent - asleep + 0.3 * self._wandering(2, second)),
        )

    def _wandering(self, which: int, second: float) -> float:
        turns = zip(_WANDERING_PERIODS_S, self._phases[which], strict=True)
        return sum(math.sin(2 * math.pi * second / period + phase) for period, phase in turns) / len(self._phases)


def _resting(resident: Resident | None) -> VitalState:
    if resident is None:
        return VitalState(heart_rate_bpm=70.0, systolic_mmhg=122.0, diastolic_mmhg=76.0, spo2_percent=97.0)
    heart_rate_bpm = 70.0 + (_FEMALE_BPM if resident.sex == "f" else 0.0)
    systolic_mmhg, diastolic_mmhg, spo2_percent = 118.0 + 0.25 * (resident.age_years - 60), 76.0, 97.0
    for condition in resident.conditions:
        moves = _CONDITIONS[condition]
        heart_rate_bpm, systolic_mmhg = heart_rate_bpm + moves[0], systolic_mmhg + moves[1]
        diastolic_mmhg, spo2_percent = diastolic_mmhg + moves[2], spo2_percent + moves[3]
    return VitalState(
        heart_rate_bpm=resident.resting_heart_rate_bpm or heart_rate_bpm,
        systolic_mmhg=resident.resting_systolic_mmhg or systolic_mmhg,
        diastolic_mmhg=resident.resting_diastolic_mmhg or diastolic_mmhg,
        spo2_percent=resident.resting_spo2_percent or spo2_percent,
    )
