"""Novelty of one series without labels: a jump from the last values, or a shift from what this hour usually is."""

import math
from enum import StrEnum

import msgspec

from kanhu.vitals.novelty.tail import Tail
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_HOURS = 24
_S_PER_HOUR, _S_PER_DAY = 3_600, 86_400
_LARGEST = 1e30  # a value beyond it, or a time, is no measurement, and its square would be no number
_CLIP = 6.0  # spreads: what one value may add to a level or a spread


class NoveltyReason(StrEnum):
    """What one value is."""

    LEARNING = "learning"
    AS_USUAL = "as_usual"
    JUMPED = "jumped"
    """Far from the values just before it."""
    SHIFTED = "shifted"
    """The last hours are far from what these hours usually are."""
    ALREADY_RAISED = "already_raised"
    NOT_A_VALUE = "not_a_value"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"

    @property
    def is_alarm(self) -> bool:
        """Whether somebody is told."""
        return self in (NoveltyReason.JUMPED, NoveltyReason.SHIFTED)


class NoveltySettings(msgspec.Struct, frozen=True):
    """The budget is what one chooses; the rest are project choices that hold for every series."""

    alarms_per_day: float = 0.1
    """How many values in a day may be called new by chance, in a series that does not change."""
    learning_s: float = 86_400.0
    """A whole day, so that every hour was seen once."""
    learning_values: int = 150
    """Fewer leave no tail to fit."""
    quiet_s: float = 21_600.0
    """After an alarm the same episode is not told again for so long."""
    near_values: float = 5.0
    """How many values "just before" are."""
    short_s: float = 10_800.0
    """How long a shift has to last until it counts fully."""
    spread_s: float = 172_800.0
    """How fast the spread follows."""
    day_weight: float = 0.3
    """What one day changes of what its hours usually are."""
    peak_share: float = 0.02
    """Of the scores while learning, those that make the tail."""


class _Series(msgspec.Struct, array_like=True):
    version: int
    count: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    step_s: float = 0.0
    near: float = 0.0
    short: float = 0.0
    jump_spread: float = 0.0
    shift_spread: float = 0.0
    hours: list[float] = []
    scores: list[tuple[float, float]] = []
    """While learning; then none."""
    tails: list[Tail] = []
    raised_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no series can be."""
        numbers = (
            self.first_s, self.last_s, self.step_s, self.near, self.short, self.jump_spread, self.shift_spread,
            *self.hours, self.raised_s or 0.0, *(score for pair in self.scores for score in pair),
        )  # fmt: skip  # one list
        if not all(map(math.isfinite, numbers)) or min(self.count, self.step_s) < 0:
            raise ValueError("not a series")
        if min(self.jump_spread, self.shift_spread) < 0 or len(self.hours) not in (0, _HOURS):
            raise ValueError("not a series")
        if len(self.tails) not in (0, 2) or len(self.scores) > _MOST_SCORES or (self.count > 0) != bool(self.hours):
            raise ValueError("not a series")


_MOST_SCORES = 2_048
"""Kept while learning; a series that brings more in a day has learned by then."""


class SeriesNovelty:
    """One series, one value at a time."""

    def __init__(self, settings: NoveltySettings | None = None, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of this detector.
        """
        self._settings = settings or NoveltySettings()
        self._kept = read_state(_Series, state, version=STATE_VERSION) if state else _Series(STATE_VERSION)
        self.expected_per_day = math.inf
        """How many such values a day would bring by chance: the smaller, the newer. Of the last update."""

    def state(self) -> bytes:
        """What to store; bounded by the scores of the time of learning."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, at_s: float, value: float) -> NoveltyReason:
        """Take one value, `at_s` seconds after any fixed midnight; values are taken once, and in order."""
        kept, self.expected_per_day = self._kept, math.inf
        if not (abs(value) < _LARGEST and abs(at_s) < _LARGEST):
            return NoveltyReason.NOT_A_VALUE
        if not kept.count:
            kept.count, kept.first_s, kept.last_s, kept.near, kept.short = 1, at_s, at_s, value, value
            kept.hours = [value] * _HOURS
            return NoveltyReason.LEARNING
        if at_s <= kept.last_s:
            return NoveltyReason.DUPLICATE if at_s == kept.last_s else NoveltyReason.OUT_OF_ORDER
        jump, shift = self._scored(at_s, value)
        if not kept.tails:
            kept.scores.append((jump, shift))
            self._end_learning(at_s)
            return NoveltyReason.LEARNING
        per_day = _S_PER_DAY / max(kept.step_s, 1.0)
        jumped, shifted = (
            tail.probability(score) * per_day for tail, score in zip(kept.tails, (jump, shift), strict=True)
        )
        self.expected_per_day = 2 * min(jumped, shifted)
        for tail, score in zip(kept.tails, (jump, shift), strict=True):
            tail.learn(score)
        if self.expected_per_day > self._settings.alarms_per_day:
            return NoveltyReason.AS_USUAL
        if kept.raised_s is not None and at_s - kept.raised_s < self._settings.quiet_s:
            return NoveltyReason.ALREADY_RAISED
        kept.raised_s = at_s
        return NoveltyReason.JUMPED if jumped <= shifted else NoveltyReason.SHIFTED

    def _scored(self, at_s: float, value: float) -> tuple[float, float]:
        """Both scores of this value against what was before it; then levels and spreads follow."""
        kept, settings = self._kept, self._settings
        passed_s = at_s - kept.last_s
        kept.count += 1
        weight = 1 / min(kept.count, 100)
        kept.step_s += weight * (min(passed_s, _S_PER_DAY) - kept.step_s)
        passed_s = min(passed_s, 4 * kept.step_s)  # a gap is no evidence
        kept.last_s = at_s
        hour = int(at_s // _S_PER_HOUR) % _HOURS
        slow = max(1 / kept.count, 1 - math.exp(-passed_s / settings.spread_s))
        # the floor keeps a constant series from calling the last digit of a float new
        floor = 1e-6 * max(abs(value), abs(kept.near), abs(kept.hours[hour]), 1e-12)
        jump_by = value - kept.near
        jump_unit = max(kept.jump_spread, floor)
        jump = abs(jump_by) / jump_unit
        kept.jump_spread += slow * (
            min(abs(jump_by), _CLIP * jump_unit if kept.count > 30 else math.inf) - kept.jump_spread
        )
        kept.near += jump_by / settings.near_values
        kept.short += (1 - math.exp(-passed_s / settings.short_s)) * (value - kept.short)
        shift_by = kept.short - kept.hours[hour]
        shift_unit = max(kept.shift_spread, floor)
        shift = abs(shift_by) / shift_unit
        kept.shift_spread += slow * (
            min(abs(shift_by), _CLIP * shift_unit if kept.count > 30 else math.inf) - kept.shift_spread
        )
        first_day = at_s - kept.first_s < _S_PER_DAY
        usual = settings.day_weight * passed_s / _S_PER_HOUR * (3.0 if first_day else 1.0)
        kept.hours[hour] += min(usual, 1.0) * (value - kept.hours[hour])
        return min(jump, _LARGEST), min(shift, _LARGEST)

    def _end_learning(self, at_s: float) -> None:
        kept, settings = self._kept, self._settings
        enough = len(kept.scores) >= settings.learning_values and at_s - kept.first_s >= settings.learning_s
        if not enough and len(kept.scores) < _MOST_SCORES:
            return
        start = len(kept.scores) // 4  # levels were not yet known
        for column in range(2):
            scores = [pair[column] for pair in kept.scores[start:]]
            threshold = sorted(scores)[int((1 - settings.peak_share) * (len(scores) - 1))]
            tail = Tail(threshold)
            for score in scores:
                tail.learn(score)
            kept.tails.append(tail)
        kept.scores = []
