"""What a forecast is made from: one row of numbers, the same in training and on the Pi."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.glucose.habit import Habit
from kanhu.vitals.glucose.history import LAGS, History

__all__ = ["FEATURES", "LOW_MG_DL", "features"]

_DAY_MIN = 1440.0
LOW_MG_DL = 70.0
"""Below it a value is low: level 1 of the international consensus on time in range (Battelino et al., 2019)."""
_BIN_MIN = 30.0

FEATURES: Final = (
    "now", *(f"change_{15 * step}_min" for step in range(1, LAGS)),
    "over_30_min", "over_60_min", "over_120_min", "curvature", "curvature_before",
    "ahead_15_min", "ahead_30_min", "ahead_15_min_curved", "ahead_30_min_curved", "ahead_15_min_calm", "min_to_low",
    "sin_day", "cos_day", "sin_half_day", "cos_half_day", "minute_of_day",
    "mean", "sd", "above_mean", "above_mean_sd", "above_slow", "wobble", "days",
    "above_usual", "usual_before", "usual_now", "usual_next", "usual_after",
    "below_top_6_h", "above_bottom_6_h", "below_top_1_h", "above_bottom_1_h", "path_1_h", "near_6_h", "near_2_h",
    "since_low_min", "low_share", "near_is_low",
)  # fmt: skip  # groups by rows
"""By position; glucose in mg/dL, a change is newer less older."""


def features(history: History, habit: Habit, *, minute_of_day: float) -> NDArray[np.float64]:
    """One row, in the order of `FEATURES`, about the newest value of a history that is not empty."""
    lags, long = history.lags(), history.long_ago()
    steps = lags[:-1] - lags[1:]
    now, step, before = float(lags[0]), float(steps[0]), float(steps[1])
    mean, sd = habit.mean_mg_dl(), habit.sd_mg_dl()
    turn = 2 * math.pi * minute_of_day / _DAY_MIN
    hour = lags[:5]
    curvature = step - before
    row = (
        now, *steps.tolist(),
        now - lags[2], now - lags[4], now - lags[8], curvature, before - float(steps[2]),
        now + step, now + 2 * step, now + step + curvature / 2, now + 2 * step + 1.5 * curvature,
        now + (step + before) / 2, min((now - LOW_MG_DL) / max(-step, 0.5), 100.0),
        math.sin(turn), math.cos(turn), math.sin(2 * turn), math.cos(2 * turn), minute_of_day,
        mean, sd, now - mean, (now - mean) / sd, habit.slow_mg_dl - now, habit.wobble_mg_dl, habit.days(),
        habit.usual_level_mg_dl(minute_of_day) - now,
        *(habit.usual_change_mg_dl(minute_of_day + _BIN_MIN * later) for later in (-1, 0, 1, 2)),
        long.max() - now, now - long.min(), hour.max() - now, now - hour.min(), np.abs(steps[:4]).sum(),
        float((long < LOW_MG_DL + 15).sum()), float((lags < LOW_MG_DL + 10).sum()),
        habit.since_low_min(history.minutes[-1]), habit.low_share, habit.near_is_low(),
    )  # fmt: skip  # as the names
    return np.asarray(row, dtype=np.float64)
