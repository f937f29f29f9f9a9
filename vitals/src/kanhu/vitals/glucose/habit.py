"""What is usual for one person: level and spread, what the hours of the day bring, and how often near a low is low."""

import math
from typing import Annotated

import msgspec

__all__ = ["Habit"]

_BINS = 48  # half hours of a day
_BIN_MIN = 30.0
_WEEK = 672.0  # steps of 15 min: how far back level and spread remember
_DAY = 96.0
_DAY_WEIGHT = 0.8  # of what an hour brought, each day that has passed since
_POPULATION_MEAN_MG_DL = 145.0  # of the people of shanghai_cgm, with the weight of a day
_POPULATION_SD_MG_DL = 48.0
_FIRST_WOBBLE_MG_DL = 6.0
_SLOW = 0.02  # two thirds of a day
_LONGEST_LOW_MIN = 720.0
_NEAR_DECAY = 0.97
_NEAR_PRIOR = (2.0, 6.0)  # a quarter of what is near a low is followed by one

_Bins = Annotated[list[float], msgspec.Meta(min_length=_BINS, max_length=_BINS)]


def _empty() -> list[float]:
    return [0.0] * _BINS


class Habit(msgspec.Struct, array_like=True):
    """Learned every 15 minutes, whatever the pace of the sensor."""

    learned_min: float = -math.inf
    weight: float = 0.0
    sum_mg_dl: float = 0.0
    squares: float = 0.0
    level_mg_dl: _Bins = msgspec.field(default_factory=_empty)
    level_weight: _Bins = msgspec.field(default_factory=_empty)
    change_mg_dl: _Bins = msgspec.field(default_factory=_empty)
    change_weight: _Bins = msgspec.field(default_factory=_empty)
    wobble_mg_dl: float = _FIRST_WOBBLE_MG_DL
    slow_mg_dl: float = _POPULATION_MEAN_MG_DL
    last_low_min: float = -math.inf
    low_share: float = 0.0
    near: float = 0.0
    near_then_low: float = 0.0
    was_near_at_min: float = -math.inf

    def __post_init__(self) -> None:
        """Refuse what no habit can be: stored state is read back into this."""
        bins = (*self.level_mg_dl, *self.level_weight, *self.change_mg_dl, *self.change_weight)
        rest = (self.weight, self.sum_mg_dl, self.squares, self.wobble_mg_dl, self.slow_mg_dl, self.low_share)
        counts = (self.near, self.near_then_low)
        if not all(map(math.isfinite, (*bins, *rest, *counts))):
            raise ValueError("not a habit")
        if any(map(math.isnan, (self.learned_min, self.last_low_min, self.was_near_at_min))):
            raise ValueError("a habit of no time")
        if min(self.weight, self.squares, *self.level_weight, *self.change_weight, *counts) < 0:
            raise ValueError("a habit of negative weight")

    def mean_mg_dl(self) -> float:
        """The level, drawn to that of the population as long as little is known."""
        return (self.sum_mg_dl + _POPULATION_MEAN_MG_DL * _DAY) / (self.weight + _DAY)

    def sd_mg_dl(self) -> float:
        """The spread about the level."""
        return math.sqrt((self.squares + _POPULATION_SD_MG_DL**2 * _DAY) / (self.weight + _DAY))

    def usual_level_mg_dl(self, minute_of_day: float) -> float:
        """What this half hour of the day was like before."""
        one = int(minute_of_day // _BIN_MIN) % _BINS
        return (self.level_mg_dl[one] + 2 * self.mean_mg_dl()) / (self.level_weight[one] + 2)

    def usual_change_mg_dl(self, minute_of_day: float) -> float:
        """What the 30 min after this half hour brought before."""
        one = int(minute_of_day // _BIN_MIN) % _BINS
        return self.change_mg_dl[one] / (self.change_weight[one] + 2)

    def since_low_min(self, minute: float) -> float:
        """Since the last low value; at most twelve hours."""
        return min(minute - self.last_low_min, _LONGEST_LOW_MIN)

    def near_is_low(self) -> float:
        """How often a value near the limit was followed by a low one, 0 to 1."""
        then, not_then = _NEAR_PRIOR
        return (self.near_then_low + then) / (self.near + then + not_then)

    def days(self) -> float:
        """How much of it is learned, in days; at most five."""
        return min(self.weight / _DAY, 5.0)

    def forget_times(self) -> None:
        """The clock was wrong: what was learned stays, when it was is not known."""
        self.learned_min = self.last_low_min = self.was_near_at_min = -math.inf

    def learn(
        self, value_mg_dl: float, changes_mg_dl: tuple[float, ...], *, minute: float, minute_of_day: float
    ) -> None:
        """Take one value every 15 min; `changes_mg_dl` the last three steps, newest first, none after a silence."""
        mean = self.mean_mg_dl()
        fade = 1 - 1 / _WEEK
        self.weight = self.weight * fade + 1
        self.sum_mg_dl = self.sum_mg_dl * fade + value_mg_dl
        self.squares = self.squares * fade + (value_mg_dl - mean) ** 2
        self.slow_mg_dl += _SLOW * (value_mg_dl - self.slow_mg_dl)
        one = int(minute_of_day // _BIN_MIN) % _BINS
        self.level_mg_dl[one] = self.level_mg_dl[one] * _DAY_WEIGHT + value_mg_dl
        self.level_weight[one] = self.level_weight[one] * _DAY_WEIGHT + 1
        if changes_mg_dl:
            before = int((minute_of_day - _BIN_MIN) // _BIN_MIN) % _BINS
            self.change_mg_dl[before] = self.change_mg_dl[before] * _DAY_WEIGHT + sum(changes_mg_dl[:2])
            self.change_weight[before] = self.change_weight[before] * _DAY_WEIGHT + 1
            self.wobble_mg_dl += _SLOW * (abs(changes_mg_dl[0] - changes_mg_dl[1]) - self.wobble_mg_dl)
        self.learned_min = minute

    def learn_low(self, *, is_low: bool, is_near: bool, minute: float) -> None:
        """Take whether this value is low, and whether it and its slope are near a low."""
        if math.isfinite(self.was_near_at_min):
            if minute - self.was_near_at_min <= _BIN_MIN:
                self.near = self.near * _NEAR_DECAY + 1
                self.near_then_low = self.near_then_low * _NEAR_DECAY + is_low
            self.was_near_at_min = -math.inf
        if is_near and not is_low:
            self.was_near_at_min = minute
        self.low_share += (is_low - self.low_share) / _WEEK
