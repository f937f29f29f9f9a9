"""One short recording of beats, as a stick for the thumbs gives it: whether its rhythm is irregular.

A strip has no time before and after it that could be weighed, and its beats were found in a noisy signal, with beats
missed and doubled: so it has a weighted sum of its own, on the same features and on what tells a bad signal, and trees
on the same; the mean of both decides. Once a strip, not once a beat: numpy walks the trees.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite, log

import msgspec
import numpy as np

from kanhu.vitals.models import Model, Trees
from kanhu.vitals.rhythm.features import FEATURES, LEAST_BEATS, window_features
from kanhu.vitals.rhythm.scoring import WeightedSum

__all__ = ["STRIP_FEATURES", "RhythmStrip", "Strip", "StripHeard", "strip_features"]

_BEATS = 128
"""The last ones count: a strip is a minute."""
_SHORTEST_MS, _LONGEST_MS = 200, 3000  # outside, a beat was doubled or missed
_DOUBLED_MS, _MISSED_MS = 300, 1600  # 200 and 37.5 beats a minute: seldom a heart at rest, often a bad signal

STRIP_FEATURES = (*FEATURES, "log_beats", "doubled", "missed", "log_longest")


class Strip(StrEnum):
    """What a strip shows."""

    REGULAR = "regular"
    IRREGULAR = "irregular"
    TOO_SHORT = "too_short"


class StripHeard(msgspec.Struct, frozen=True):
    """The answer."""

    reason: Strip
    log_odds: float | None = None
    """Of an irregular rhythm; None where it is too short."""


def strip_features(intervals_ms: Sequence[float]) -> list[float] | None:
    """STRIP_FEATURES; None where too few beats are left once absurd ones are taken out."""
    heard = [interval_ms for interval_ms in intervals_ms if isfinite(interval_ms) and interval_ms > 0]
    beats = [interval_ms for interval_ms in heard if _SHORTEST_MS <= interval_ms <= _LONGEST_MS][-_BEATS:]
    if len(beats) < LEAST_BEATS:
        return None
    return [
        *window_features(beats),
        log(len(beats)),
        sum(interval_ms < _DOUBLED_MS for interval_ms in heard) / len(heard),
        sum(interval_ms > _MISSED_MS for interval_ms in heard) / len(heard),
        log(max(heard) / sorted(heard)[len(heard) // 2]),
    ]


class RhythmStrip:
    """Judges strips; remembers nothing."""

    def __init__(self, model: Model) -> None:
        """Take the numbers of strips.

        Raises:
            ModelRefused: the model is not one of rhythms.
        """
        self._sum = WeightedSum(model, "strip_", features=len(STRIP_FEATURES))
        self._trees = Trees(model, "strip_trees_", inputs="float64")
        self._trees_base = model.number("strip_trees_base")
        self._above = model.number("strip_above")

    def judge(self, intervals_ms: Sequence[float]) -> StripHeard:
        """All intervals of one strip, in their order."""
        features = strip_features(intervals_ms)
        if features is None:
            return StripHeard(Strip.TOO_SHORT)
        boosted = self._trees_base + float(self._trees.values(np.asarray(features)).sum())
        log_odds = (self._sum.log_odds(features) + boosted) / 2
        return StripHeard(Strip.IRREGULAR if log_odds > self._above else Strip.REGULAR, log_odds)
