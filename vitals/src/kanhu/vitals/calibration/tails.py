"""The upper tail of a detector's score, one score after another: by rank (conformal) or by peaks over a level (Pareto).

Rank: Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world". Peaks: Pickands 1975, "Statistical
inference using extreme order statistics"; fitted by Hosking and Wallis 1987, "Parameter and quantile estimation for the
generalized Pareto distribution".
"""

import math
from enum import StrEnum

import msgspec
import numpy as np

from kanhu.vitals.errors import StateRefused
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_NEARLY_EXPONENTIAL = 1e-6  # below it the shape's own formula divides by nearly nothing


class Taken(StrEnum):
    """What became of a score."""

    COUNTED = "counted"
    NOT_FINITE = "not_finite"


class ThresholdReason(StrEnum):
    """Why there is a threshold, or none."""

    FOUND = "found"
    TOO_FEW = "too_few"
    BEYOND_KEPT = "beyond_kept"
    """The chance asked for is larger than the kept part of the tail answers."""


class Threshold(msgspec.Struct, frozen=True, array_like=True):
    """The score above which to alarm; None where `reason` is not found."""

    reason: ThresholdReason
    score: float | None = None


def chance_per_look(alarms_per_day: float, looks_per_day: float) -> float:
    """The chance of a false alarm that one look may have.

    Looks that follow one another closely resemble one another: give the highest score of a day as one look.

    Raises:
        ValueError: a number is not above zero, or the budget is more than one alarm a look.
    """
    if not (alarms_per_day > 0 and looks_per_day > 0 and alarms_per_day <= looks_per_day < math.inf):
        raise ValueError(f"{alarms_per_day} alarms in {looks_per_day} looks a day")
    return alarms_per_day / looks_per_day


class _Ranked(msgspec.Struct, frozen=True, array_like=True):
    version: int
    seen: int = 0
    highest: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (len(self.highest) <= self.seen and all(map(math.isfinite, self.highest))):
            raise ValueError("no tail")


class ConformalTail:
    """Threshold by rank among the scores seen; keeps the `keep` highest."""

    def __init__(self, keep: int, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of this tail.
        """
        self._keep = keep
        self._kept = read_state(_Ranked, state, version=STATE_VERSION) if state else _Ranked(STATE_VERSION)
        _check_kept(self._kept.highest, keep)

    def state(self) -> bytes:
        """What to store; bounded by `keep`."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, score: float) -> Taken:
        """Count one score."""
        if not math.isfinite(score):
            return Taken.NOT_FINITE
        highest = sorted((*self._kept.highest, score), reverse=True)[: self._keep]
        self._kept = _Ranked(STATE_VERSION, self._kept.seen + 1, tuple(highest))
        return Taken.COUNTED

    def threshold(self, chance: float) -> Threshold:
        """The score that a new one of the same kind exceeds with at most this chance (0 to 1)."""
        rank = math.floor((self._kept.seen + 1) * chance)
        if rank < 1 or not self._kept.highest:
            return Threshold(ThresholdReason.TOO_FEW)
        if rank > len(self._kept.highest):
            return Threshold(ThresholdReason.BEYOND_KEPT)
        return Threshold(ThresholdReason.FOUND, self._kept.highest[rank - 1])


class _Peaks(msgspec.Struct, frozen=True, array_like=True):
    version: int
    seen: int = 0
    above: int = 0
    excesses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ordered = len(self.excesses) <= self.above <= self.seen
        if not (ordered and all(math.isfinite(one) and one > 0 for one in self.excesses)):
            raise ValueError("no peaks")


class ParetoTail:
    """Threshold by a generalised Pareto fit to the last `keep` excesses over `level`, a high score of the cohort."""

    def __init__(self, level: float, keep: int, least: int, state: bytes = b"") -> None:
        """Go on from `state`, or begin; below `least` excesses (3 or more) there is no threshold.

        Raises:
            StateRefused: `state` is not one of this tail.
        """
        self._level, self._keep, self._least = level, keep, max(least, 3)
        self._kept = read_state(_Peaks, state, version=STATE_VERSION) if state else _Peaks(STATE_VERSION)
        _check_kept(self._kept.excesses, keep)

    def state(self) -> bytes:
        """What to store; bounded by `keep`."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, score: float) -> Taken:
        """Count one score."""
        excess = score - self._level
        if not (math.isfinite(score) and math.isfinite(excess)):
            return Taken.NOT_FINITE
        kept = self._kept
        more = (excess,) if excess > 0 else ()
        excesses = (*kept.excesses, *more)[-self._keep :]
        self._kept = _Peaks(STATE_VERSION, kept.seen + 1, kept.above + len(more), excesses)
        return Taken.COUNTED

    def threshold(self, chance: float) -> Threshold:
        """The score that a new one of the same kind exceeds with about this chance (0 to 1)."""
        kept = self._kept
        if len(kept.excesses) < self._least or not chance > 0:
            return Threshold(ThresholdReason.TOO_FEW)
        rarer = kept.above / kept.seen / chance
        if rarer < 1:
            return Threshold(ThresholdReason.BEYOND_KEPT)
        # Divided by the largest, so that absurd excesses do not overflow.
        largest = max(kept.excesses)
        ordered = np.sort(np.asarray(kept.excesses) / largest)
        mean = float(ordered.mean())
        weighted = float((ordered * np.arange(ordered.size - 1, -1, -1)).mean()) / (ordered.size - 1)
        spare = mean - 2 * weighted
        if spare <= 0:  # all alike: nothing to fit
            return Threshold(ThresholdReason.TOO_FEW)
        shape, scale = 2 - mean / spare, 2 * mean * weighted / spare
        grown = math.log(rarer) if abs(shape) < _NEARLY_EXPONENTIAL else (rarer**shape - 1) / shape
        score = self._level + largest * scale * grown
        return Threshold(ThresholdReason.FOUND, score) if math.isfinite(score) else Threshold(ThresholdReason.TOO_FEW)


def _check_kept(scores: tuple[float, ...], keep: int) -> None:
    if len(scores) > keep:
        raise StateRefused(f"{len(scores)} scores, {keep} are kept")
