"""One person's course: last, lowest, highest and mean of each sign, and a logistic score of them.

What was never measured is named, and has a weight of its own in the model: it never counts as normal.
"""

import math
from collections.abc import Mapping
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from kanhu.contract import METRICS
from kanhu.vitals.models import Model
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_MG_DL_PER_MMOL_L = 18.016  # glucose


def _range(metric: str) -> tuple[float, float]:
    row = METRICS[metric]
    return float(row.low or 0), float(row.high or 0)


SIGNS: Mapping[str, tuple[float, float]] = {
    **{name: _range(name) for name in ("heart_rate", "respiration", "spo2", "temperature", "systolic", "diastolic")},
    "consciousness": (3.0, 15.0),  # Glasgow Coma Scale
    "glucose_mg_dl": (0.6 * _MG_DL_PER_MMOL_L, 33.3 * _MG_DL_PER_MMOL_L),  # the range of the metric, in mmol/L
}
"""What a village can measure, with the range in which it is a measurement; units as the contract has them."""

_PER_SIGN = 9
_CLIP_SD = 4.0


class Taken(StrEnum):
    """What became of one observation."""

    TAKEN = "taken"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_SIGN = "unknown_sign"


class CourseScore(msgspec.Struct, frozen=True):
    """0 to 1, of use only to rank; `missing` names the signs that were never measured."""

    value: float
    missing: tuple[str, ...]


class _Sign(msgspec.Struct, array_like=True):
    count: int
    last: float
    lowest: float
    highest: float
    mean: float


class _Course(msgspec.Struct, array_like=True):
    version: int
    signs: dict[str, _Sign] = {}

    def __post_init__(self) -> None:
        """Refuse what no course can be."""
        for name, sign in self.signs.items():
            low, high = SIGNS.get(name, (math.inf, -math.inf))
            numbers = (sign.last, sign.lowest, sign.highest, sign.mean)
            if sign.count < 1 or not all(low <= number <= high for number in numbers):
                raise ValueError("not a course")


class Course:
    """One person, one observation after another; of fixed size, whatever the length."""

    def __init__(self, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of a course.
        """
        self._kept = read_state(_Course, state, version=STATE_VERSION) if state else _Course(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; bounded by the number of signs."""
        return msgspec.msgpack.encode(self._kept, order="deterministic")

    def update(self, sign: str, value: float) -> Taken:
        """Take one observation; they come in the order of their times."""
        if sign not in SIGNS:
            return Taken.UNKNOWN_SIGN
        low, high = SIGNS[sign]
        if not low <= value <= high:
            return Taken.OUT_OF_RANGE
        kept = self._kept.signs.get(sign)
        if kept is None:
            self._kept.signs[sign] = _Sign(1, value, value, value, value)
            return Taken.TAKEN
        kept.count += 1
        kept.last = value
        kept.lowest, kept.highest = min(kept.lowest, value), max(kept.highest, value)
        kept.mean = min(max(kept.mean + (value - kept.mean) / kept.count, kept.lowest), kept.highest)
        return Taken.TAKEN

    @property
    def missing(self) -> tuple[str, ...]:
        """Signs without any measurement."""
        return tuple(name for name in SIGNS if name not in self._kept.signs)

    def features(
        self, centre: NDArray[np.float64], spread: NDArray[np.float64], age_years: float | None
    ) -> NDArray[np.float64]:
        """The row the model is asked about; centre and spread have one number a sign, and one for the age."""
        row = np.zeros(_PER_SIGN * len(SIGNS) + 2)
        for index, name in enumerate(SIGNS):
            at = index * _PER_SIGN
            kept = self._kept.signs.get(name)
            if kept is None:
                row[at + 8] = 1.0
                continue
            numbers = np.array([kept.last, kept.lowest, kept.highest, kept.mean])
            scaled = np.clip((numbers - centre[index]) / spread[index], -_CLIP_SD, _CLIP_SD)
            row[at : at + 4], row[at + 4 : at + 8] = scaled, scaled**2
        if age_years is None or not 0 <= age_years <= 130:
            row[-1] = 1.0
        else:
            row[-2] = (age_years - centre[-1]) / spread[-1]
        return row

    def score(self, model: Model, *, age_years: float | None) -> CourseScore:
        """Rank the course so far.

        Raises:
            ModelRefused: the model is none of courses.
        """
        row = self.features(model.array("centre"), model.array("spread"), age_years)
        logit = float(row @ model.array("weights")) + model.number("intercept")
        return CourseScore(1.0 / (1.0 + math.exp(-min(max(logit, -700.0), 700.0))), self.missing)
