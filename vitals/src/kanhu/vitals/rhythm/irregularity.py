"""How irregular a window of beats is: Shannon entropy of words of three heart-rate symbols.

After Zhou et al. 2014 ("Automatic online detection of atrial fibrillation based on symbolic dynamics and Shannon
entropy"). A regular pulse repeats a few words whatever its rate; a pulse without order hardly repeats any. Extra beats
make new words too, so the same is asked of the series after a median of three, which takes single extra beats out: an
order that returns without them is an order. Alternating beats (bigeminy) are two words, and score low by themselves.

Without numpy, which would be a quarter of a gateway's memory for some hundred beats a minute.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from math import fsum, isfinite, log2

import msgspec

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
    intervals = [float(interval_ms) for interval_ms in intervals_ms]
    if len(intervals) < 4 or not all(isfinite(interval) and interval > 0 for interval in intervals):
        return 0.0, 0.0
    threes = zip(intervals, intervals[1:], intervals[2:], strict=False)
    smooth = [intervals[0], *(sorted(three)[1] for three in threes), intervals[-1]]
    return _word_entropy(intervals, symbol_bpm), _word_entropy(smooth, symbol_bpm)


def _word_entropy(intervals: Sequence[float], symbol_bpm: float) -> float:
    symbols = [int(min(_MS_PER_MINUTE / interval / symbol_bpm, _SYMBOLS - 1)) for interval in intervals]
    words = Counter(zip(symbols, symbols[1:], symbols[2:], strict=False))
    size = words.total()
    bits = fsum(-count / size * log2(count / size) for count in words.values())
    # The share of different words weighs the entropy, so that a few words in equal numbers stay low.
    return len(words) / size * bits / log2(size)
