"""How irregular a window of beats is: Shannon entropy of words of three heart-rate symbols.

After Zhou et al. 2014 ("Automatic online detection of atrial fibrillation based on symbolic dynamics and Shannon
entropy"). A regular pulse repeats a few words whatever its rate; a pulse without order hardly repeats any. Extra beats
make new words too, so the same is asked of the series after a median of three, which takes single extra beats out: an
order that returns without them is an order. Alternating beats (bigeminy) are two words, and score low by themselves.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

_MS_PER_MINUTE = 60_000.0
_SYMBOLS = 64  # heart rates from 0 to 315 a minute in steps of 5 a minute; a word is three symbols


class Irregularity(StrEnum):
    """What one window shows."""

    REGULAR = "regular"
    EXTRA_BEATS = "extra_beats"
    IRREGULAR = "irregular"


class RhythmLimits(msgspec.Struct, frozen=True):
    """Limits of a rule pack."""

    symbol_bpm: float
    entropy_above: float
    filtered_entropy_above: float


def irregularity(intervals_ms: Sequence[float], limits: RhythmLimits) -> Irregularity:
    """What a window of successive intervals shows; they have to follow one another without a hole."""
    entropy, filtered = rhythm_of(intervals_ms, symbol_bpm=limits.symbol_bpm)
    if entropy <= limits.entropy_above:
        return Irregularity.REGULAR
    if filtered <= limits.filtered_entropy_above:
        return Irregularity.EXTRA_BEATS
    return Irregularity.IRREGULAR


def rhythm_of(intervals_ms: Sequence[float], *, symbol_bpm: float) -> tuple[float, float]:
    """Entropy from 0 to 1 of the window as it is, and without its single extra beats."""
    intervals = np.asarray(intervals_ms, dtype=np.float64)
    if intervals.size < 4 or not np.all(np.isfinite(intervals)) or np.any(intervals <= 0):
        return 0.0, 0.0
    smooth = intervals.copy()
    smooth[1:-1] = np.median(np.stack((intervals[:-2], intervals[1:-1], intervals[2:])), axis=0)
    return _word_entropy(intervals, symbol_bpm), _word_entropy(smooth, symbol_bpm)


def _word_entropy(intervals: NDArray[np.float64], symbol_bpm: float) -> float:
    symbols = np.minimum((_MS_PER_MINUTE / intervals / symbol_bpm).astype(np.int64), _SYMBOLS - 1)
    words = (symbols[:-2] * _SYMBOLS + symbols[1:-1]) * _SYMBOLS + symbols[2:]
    counts = np.unique(words, return_counts=True)[1]
    shares = counts / words.size
    bits = float(-(shares * np.log2(shares)).sum())
    # The share of different words weighs the entropy, so that a few words in equal numbers stay low.
    return counts.size / words.size * bits / float(np.log2(words.size))
