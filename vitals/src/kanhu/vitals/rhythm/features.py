"""What a window of beat intervals looks like, in numbers that do not depend on the heart's rate.

Fibrillation has no order: neither the next interval nor the one after it can be told. A steady pulse varies little;
extra beats come early, are often made up for by a pause, and leave order behind once they are taken out; a pulse in
twos or threes repeats itself at the second or third beat. The numbers ask each of these questions. Without numpy, which
would be a quarter of a gateway's memory for some hundred beats a minute.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log2, sqrt
from operator import itemgetter

__all__ = ["FEATURES", "LEAST_BEATS", "window_features"]

LEAST_BEATS = 12
"""Below this a window says nothing; Lake and Moorman 2011 ("Accurate estimation of entropy in very short physiological
time series") found twelve beats to be the fewest that do."""

FEATURES = (
    "step_10", "step_25", "step_50", "step_75", "step_90", "step_rms",
    "spread_50", "below_10", "above_90", "near_median", "densest_half", "densest_quarter", "turning_points",
    "second_beat", "third_beat", "fourth_beat", "early", "made_up_for", "told_by_last_50", "told_by_last_75",
    "step_follows", "step_follows_2", "filtered_step_50", "filtered_step_75", "filtered_step_90", "filtered_step_rms",
    "off_local_50", "off_local_75", "local_step_rms", "word_entropy", "filtered_word_entropy",
)  # fmt: skip  # by kind
"""By name what `window_features` gives, in this order."""

_MS_PER_MINUTE = 60_000.0
_LOW, _HIGH = 0.2, 3.0  # intervals as shares of the window's median; beyond is a missed or a doubled beat
_STEP = 0.5  # a step counts for no more, so that one missed beat does not decide a root mean square
_NEAR = 0.05  # of the median
_EARLY = 0.87  # of the median: an early beat
_MADE_UP = 0.12  # an early beat and its pause are two usual intervals, give or take this much
_SYMBOL_BPM, _SYMBOLS = 5.0, 64  # Zhou et al. 2014: heart rates in steps of 5 a minute, three of them a word


def window_features(intervals_ms: Sequence[float]) -> list[float]:
    """The numbers of one window of at least LEAST_BEATS positive intervals, without a hole between them."""
    size = len(intervals_ms)
    median_ms = sorted(intervals_ms)[size // 2]
    beats = [min(max(interval_ms / median_ms, _LOW), _HIGH) for interval_ms in intervals_ms]
    ranked = sorted(beats)
    steps = [later - before for before, later in pairwise(beats)]
    sizes = sorted(map(abs, steps))
    filtered = [_middle(*three) for three in zip(beats, beats[1:], beats[2:], strict=False)]
    filtered_steps = sorted(abs(later - before) for before, later in pairwise(filtered))
    local = [sorted(beats[at - 2 : at + 3])[2] for at in range(2, size - 2)]
    off_local = sorted(abs(beat - usual) for beat, usual in zip(beats[2:], local, strict=False))
    told = _told_by_last(beats)
    energy = sum(step * step for step in steps) + 1e-9
    early = [(first, second) for first, second in pairwise(beats) if first < _EARLY]
    made_up = sum(abs(first + second - 2) < _MADE_UP for first, second in early)
    return [
        *(_at(sizes, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9)),
        _root_mean_square(sizes),
        _at(ranked, 0.75) - _at(ranked, 0.25),
        1 - _at(ranked, 0.1),
        _at(ranked, 0.9) - 1,
        sum(abs(beat - 1) < _NEAR for beat in beats) / size,
        _densest(ranked, size // 2),
        _densest(ranked, size // 4),
        sum(first * second < 0 for first, second in pairwise(steps)) / (size - 2),
        *(_apart(beats, lag) for lag in (2, 3, 4)),
        len(early) / (size - 1),
        made_up / (size - 1),
        _at(told, 0.5),
        _at(told, 0.75),
        sum(first * second for first, second in pairwise(steps)) / energy,
        sum(first * second for first, second in zip(steps, steps[2:], strict=False)) / energy,
        *(_at(filtered_steps, share) for share in (0.5, 0.75, 0.9)),
        _root_mean_square(filtered_steps),
        _at(off_local, 0.5),
        _at(off_local, 0.75),
        _root_mean_square([abs(later - before) for before, later in pairwise(local)]),
        _word_entropy(intervals_ms),
        _word_entropy(
            [_middle(*three) for three in zip(intervals_ms, intervals_ms[1:], intervals_ms[2:], strict=False)]
        ),
    ]


def _at(ranked: Sequence[float], share: float) -> float:
    """The value at this share of the way up."""
    return ranked[int(share * (len(ranked) - 1) + 0.5)]


def _middle(first: float, second: float, third: float) -> float:
    return max(min(first, second), min(max(first, second), third))


def _root_mean_square(sizes: Sequence[float]) -> float:
    return sqrt(sum(min(size, _STEP) ** 2 for size in sizes) / len(sizes))


def _densest(ranked: Sequence[float], count: int) -> float:
    """How narrow the narrowest place is that holds one more than `count` intervals; small where some length recurs."""
    return min(high - low for low, high in zip(ranked, ranked[count:], strict=False))


def _apart(beats: Sequence[float], lag: int) -> float:
    differences = sorted(abs(later - before) for before, later in zip(beats, beats[lag:], strict=False))
    return differences[len(differences) // 2]


def _told_by_last(beats: Sequence[float]) -> list[float]:
    """How far apart the intervals are that follow two intervals of almost the same length."""
    after = [later for _, later in sorted(pairwise(beats), key=itemgetter(0))]
    return sorted(abs(later - before) for before, later in pairwise(after))


def _word_entropy(intervals_ms: Sequence[float]) -> float:
    """Zhou et al. 2014, "Automatic online detection of atrial fibrillation based on symbolic dynamics and entropy"."""
    symbols = [int(min(_MS_PER_MINUTE / interval_ms / _SYMBOL_BPM, _SYMBOLS - 1)) for interval_ms in intervals_ms]
    words = Counter(zip(symbols, symbols[1:], symbols[2:], strict=False))
    size = len(symbols) - 2
    bits = -sum(count * log2(count / size) for count in words.values()) / size
    # The share of different words weighs the entropy, so that a few words in equal numbers stay low.
    return len(words) / size * bits / log2(size)
