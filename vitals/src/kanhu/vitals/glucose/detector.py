"""One person's continuous glucose: where it is going, and what has to be said about it."""

import math
from datetime import datetime
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.arrival import Arrival, Order
from kanhu.vitals.glucose.features import features
from kanhu.vitals.glucose.forecast import Forecast
from kanhu.vitals.glucose.habit import Habit
from kanhu.vitals.glucose.history import STEP_MIN, History
from kanhu.vitals.glucose.low_watch import LowStage, LowWatch
from kanhu.vitals.glucose.settings import GlucoseSettings
from kanhu.vitals.models import Model
from kanhu.vitals.stored_state import read_state

__all__ = ["GlucoseAnswer", "GlucoseDetector", "GlucoseReason"]

STATE_VERSION = 1
_JITTER_MIN = 1.0
_LEARNED_FROM_MIN = 45.0
_NEAR_MG_DL = 6.0  # above the limit, 15 min on at the same slope: near a low


class GlucoseReason(StrEnum):
    """The closed list of answers. docs/detection/glucose.md explains each."""

    # These have to be said.
    LOW = "low"
    LOW_PRESSED = "low_pressed"
    LOW_AHEAD = "low_ahead"
    HIGH = "high"
    # The value counts, and nothing is said, or not again.
    STILL_LOW = "still_low"
    RECOVERING = "recovering"
    WARNED = "warned"
    STILL_HIGH = "still_high"
    FALLING_FAST = "falling_fast"
    RISING_FAST = "rising_fast"
    WITHIN_LIMIT = "within_limit"
    WARMING_UP = "warming_up"
    # The sensor, or the value, is not believed.
    STUCK = "stuck"
    JUMP = "jump"
    NO_VALUE = "no_value"
    OUT_OF_RANGE = "out_of_range"
    CLOCK_UNSET = "clock_unset"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


class GlucoseAnswer(msgspec.Struct, frozen=True):
    """What one value was answered with, and the numbers that decided it."""

    reason: GlucoseReason
    value_mg_dl: float | None = None
    rate_mg_dl_per_min: float | None = None
    """Over the last 15 min."""
    forecast_mg_dl: float | None = None
    """In 30 min; None while the sensor warms up or is not believed."""
    low_score: float | None = None
    """Log odds of a low; warned of from the model's `warn_at` on."""


class _Kept(msgspec.Struct, array_like=True):
    version: int
    order: Order = msgspec.field(default_factory=Order)
    jumped_min: float = -math.inf
    jumped_mg_dl: float = 0.0
    is_high: bool = False
    history: History = msgspec.field(default_factory=History)
    habit: Habit = msgspec.field(default_factory=Habit)
    watch: LowWatch = msgspec.field(default_factory=LowWatch)

    def __post_init__(self) -> None:
        """Refuse what cannot have been kept."""
        if math.isnan(self.jumped_min) or not math.isfinite(self.jumped_mg_dl):
            raise ValueError("not a time")


class GlucoseDetector:
    """Forecast, low, warning and high of one person and one sensor."""

    def __init__(self, model: Model, settings: GlucoseSettings | None = None, *, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            ModelRefused: the model is not one of glucose.
            StateRefused: `state` is not one of this detector.
        """
        self._forecast = Forecast(model)
        self._settings = settings or GlucoseSettings()
        self._kept = read_state(_Kept, state, version=STATE_VERSION) if state else _Kept(STATE_VERSION)
        self._row: NDArray[np.float64] | None = None

    @property
    def features(self) -> NDArray[np.float64] | None:
        """What the last forecast was made from, in the order of `FEATURES`; None where none was made."""
        return self._row

    def state(self) -> bytes:
        """What to store; at most six hours of values and the habits of a day."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, value_mg_dl: float, at: datetime) -> GlucoseAnswer:
        """Take one value; the hour of the day is that of `at`, which carries the person's time zone."""
        self._row, value_mg_dl = None, float(value_mg_dl)  # a numpy number would not go into the state
        doubt = self._doubted(value_mg_dl, at)
        if doubt is not None:
            return GlucoseAnswer(doubt, value_mg_dl if math.isfinite(value_mg_dl) else None)
        kept, settings = self._kept, self._settings
        minute, minute_of_day = at.timestamp() / 60, at.hour * 60 + at.minute + at.second / 60
        if not self._continued(value_mg_dl, minute):
            return GlucoseAnswer(GlucoseReason.JUMP, value_mg_dl)
        history, is_low = kept.history, value_mg_dl < settings.low_mg_dl
        if is_low:
            kept.habit.last_low_min = minute
        stuck = self._is_stuck(value_mg_dl, minute)
        rate = forecast = score = None
        lags = history.lags()
        if history.length_min >= STEP_MIN - _JITTER_MIN:
            rate = float(lags[0] - lags[1]) / STEP_MIN
        if history.length_min >= settings.warm_up_min and not stuck:
            self._row = features(history, kept.habit, minute_of_day=minute_of_day)
            forecast, score = self._forecast.in_30_min_mg_dl(self._row), self._forecast.low_score(self._row)
        stage = kept.watch.update(value_mg_dl, minute, score=score, warn_at=self._forecast.warn_at, settings=settings)
        if not stuck:
            self._learn(lags, minute, minute_of_day=minute_of_day)
        reason = self._reason(value_mg_dl, stage, rate=rate, is_known=forecast is not None)
        if stuck and not is_low:
            reason = GlucoseReason.STUCK
        if reason is GlucoseReason.LOW and self._is_pressed(lags, minute_of_day):
            reason = GlucoseReason.LOW_PRESSED
        return GlucoseAnswer(reason, value_mg_dl, rate, forecast, score)

    def _doubted(self, value_mg_dl: float, at: datetime) -> GlucoseReason | None:
        low, high = self._settings.possible_mg_dl
        if not math.isfinite(value_mg_dl):
            return GlucoseReason.NO_VALUE
        if not low <= value_mg_dl <= high:
            return GlucoseReason.OUT_OF_RANGE
        kept, arrival = self._kept, self._kept.order.take(at)
        if arrival is Arrival.ANEW:  # what was learned stays; nothing waits for a time that is far off
            kept.history.begin()
            kept.watch, kept.jumped_min = LowWatch(), -math.inf
            kept.habit.forget_times()
        return None if arrival in _COUNTS else GlucoseReason(arrival.value)

    def _continued(self, value_mg_dl: float, minute: float) -> bool:
        """Whether the value was kept; the first one after a jump is not, until the next is like it."""
        kept, settings = self._kept, self._settings
        history = kept.history
        if history.minutes and minute - history.minutes[-1] > settings.gap_min:
            history.begin()
        if history.minutes and self._is_jump(history.values_mg_dl[-1], value_mg_dl, minute - history.minutes[-1]):
            jumped_min, jumped_mg_dl = kept.jumped_min, kept.jumped_mg_dl
            kept.jumped_min, kept.jumped_mg_dl = minute, value_mg_dl
            agrees = not self._is_jump(jumped_mg_dl, value_mg_dl, minute - jumped_min)
            if minute - jumped_min > settings.gap_min or not agrees:
                return False
            history.begin()
            history.keep(jumped_mg_dl, jumped_min)
        kept.jumped_min = -math.inf
        history.keep(value_mg_dl, minute)
        return True

    def _is_jump(self, from_mg_dl: float, to_mg_dl: float, minutes: float) -> bool:
        size = abs(to_mg_dl - from_mg_dl)
        return size > max(self._settings.jump_least_mg_dl, self._settings.jump_mg_dl_per_min * minutes)

    def _is_stuck(self, value_mg_dl: float, minute: float) -> bool:
        low, high = self._settings.stuck_within_mg_dl
        return low < value_mg_dl < high and minute - self._kept.history.same_since_min >= self._settings.stuck_min

    def _is_pressed(self, lags: NDArray[np.float64], minute_of_day: float) -> bool:
        settings = self._settings
        night = minute_of_day >= settings.night_from_min or minute_of_day < settings.night_to_min
        known = self._kept.history.length_min >= STEP_MIN * 4 - _JITTER_MIN
        calm = float(np.ptp(lags[1:5])) <= settings.pressed_calm_mg_dl
        return bool(night and known and calm and lags[1] - lags[0] >= settings.pressed_fall_mg_dl)

    def _learn(self, lags: NDArray[np.float64], minute: float, *, minute_of_day: float) -> None:
        habit = self._kept.habit
        if minute - habit.learned_min < STEP_MIN - _JITTER_MIN:
            return
        known = self._kept.history.length_min >= _LEARNED_FROM_MIN - _JITTER_MIN
        steps = tuple(float(lags[step] - lags[step + 1]) for step in range(3)) if known else ()
        now, low = float(lags[0]), self._settings.low_mg_dl
        habit.learn(now, steps, minute=minute, minute_of_day=minute_of_day)
        near = bool(steps) and now + steps[0] < low + _NEAR_MG_DL
        habit.learn_low(is_low=now < low, is_near=near, minute=minute)

    def _reason(self, value_mg_dl: float, stage: LowStage, *, rate: float | None, is_known: bool) -> GlucoseReason:
        kept, settings = self._kept, self._settings
        was_high, kept.is_high = kept.is_high, value_mg_dl >= settings.high_ends_mg_dl
        if not was_high:
            kept.is_high = value_mg_dl > settings.high_mg_dl
        if stage is not LowStage.CALM:
            return _SAID[stage]
        if kept.is_high:
            return GlucoseReason.STILL_HIGH if was_high else GlucoseReason.HIGH
        if not is_known:
            return GlucoseReason.WARMING_UP
        if rate is not None and abs(rate) >= settings.fast_mg_dl_per_min:
            return GlucoseReason.FALLING_FAST if rate < 0 else GlucoseReason.RISING_FAST
        return GlucoseReason.WITHIN_LIMIT


_COUNTS = frozenset({Arrival.NEXT, Arrival.ANEW})
_SAID = {
    LowStage.AHEAD: GlucoseReason.LOW_AHEAD,
    LowStage.WARNED: GlucoseReason.WARNED,
    LowStage.LOW: GlucoseReason.LOW,
    LowStage.STILL_LOW: GlucoseReason.STILL_LOW,
    LowStage.RECOVERING: GlucoseReason.RECOVERING,
}
