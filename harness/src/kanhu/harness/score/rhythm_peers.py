"""Published methods for irregular beats, written from their publications, asked about the same beats.

Each limit is the publication's own; none was fitted here. Methods of windows mark all beats of a window.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEERS"]

Intervals = NDArray[np.float64]
Called = Callable[[Intervals], NDArray[np.bool_]]

_WINDOW = 128
_LONGEST_MS = 5000


def _zhou(windows: Intervals) -> NDArray[np.bool_]:
    """Zhou et al. 2014: Shannon entropy of words of three heart-rate symbols, weighed by how many differ; 0.639."""
    symbols = np.minimum(60_000 / windows / 5, 63).astype(np.int64)
    words = symbols[:, :-2] * 4096 + symbols[:, 1:-1] * 64 + symbols[:, 2:]
    return np.asarray([_word_entropy(row) > 0.639 for row in words], dtype=np.bool_)


def _word_entropy(words: NDArray[np.int64]) -> float:
    shares = np.unique(words, return_counts=True)[1] / len(words)
    return float(-len(shares) / len(words) * (shares * np.log2(shares)).sum() / np.log2(len(words)))


def _dash(windows: Intervals) -> NDArray[np.bool_]:
    """Dash et al. 2009: root mean square of steps, turning points and Shannon entropy, all three."""
    steps = np.diff(windows, axis=1)
    spread = np.sqrt((steps**2).mean(axis=1)) / windows.mean(axis=1) > 0.1
    turning = (steps[:, 1:] * steps[:, :-1] < 0).mean(axis=1)
    ranked = np.sort(windows, axis=1)[:, 8:-8]  # the eight shortest and longest are left out
    place = (ranked - ranked[:, :1]) / np.maximum(ranked[:, -1:] - ranked[:, :1], 1e-9)
    bins = np.minimum((place * 16).astype(np.int64), 15)
    shares = np.stack([(bins == one).mean(axis=1) for one in range(16)], axis=1)
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1) / np.log(16)
    return np.asarray(spread & (turning > 0.54) & (turning < 0.77) & (entropy > 0.7))


def _lian(windows: Intervals) -> NDArray[np.bool_]:
    """Lian et al. 2011: cells of 25 ms taken in the map of an interval and its step; 65 of 128 beats."""
    steps = np.diff(windows, axis=1)
    cells = np.floor(windows[:, 1:] / 25) * 10_000 + np.floor(steps / 25)
    ranked = np.sort(cells, axis=1)
    return np.asarray(1 + (np.diff(ranked, axis=1) != 0).sum(axis=1) >= 65)


def _lake(windows: Intervals) -> NDArray[np.bool_]:
    """Lake and Moorman 2011: coefficient of sample entropy of 12 beats; -1.4."""
    return np.asarray([_sample_entropy(row) > -1.4 for row in windows], dtype=np.bool_)


def _sample_entropy(beats: Intervals) -> float:
    apart = np.abs(beats[:, None] - beats[None, :])
    pairs = np.triu(np.ones((len(beats) - 1, len(beats) - 1), dtype=np.bool_), 1)
    for within in range(30, 1000, 5):
        first = (apart[:-1, :-1] < within) & pairs
        both = first & (apart[1:, 1:] < within)
        if both.sum() >= 5:
            return float(np.log(first.sum() / both.sum()) + np.log(2 * within / beats.mean()))
    return 0.0


def _petrenas(intervals: Intervals) -> NDArray[np.bool_]:
    """Petrenas et al. 2015: share of unlike pairs among eight beats, with a guard against bigeminy; 0.725."""
    beats_s = np.clip(intervals, 1, _LONGEST_MS) / 1000
    if len(beats_s) < 16:
        return np.zeros(len(beats_s), dtype=np.bool_)
    filtered = beats_s.copy()
    filtered[1:-1] = np.median(np.stack([beats_s[:-2], beats_s[1:-1], beats_s[2:]]), axis=0)
    eight = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(7, beats_s[0]), beats_s]), 8)
    eight_filtered = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(7, filtered[0]), filtered]), 8)
    unlike = np.zeros(len(beats_s))
    for one in range(8):
        for other in range(one):
            unlike += np.abs(eight_filtered[:, one] - eight_filtered[:, other]) > 0.03
    irregular = _both_ways(unlike / 28) / _both_ways(beats_s)
    guard = _both_ways((eight_filtered.sum(axis=1) / eight.sum(axis=1) - 1) ** 2)
    return np.where(guard >= 2e-4, irregular, guard) > 0.725


def _both_ways(values: Intervals) -> Intervals:
    """Exponential average with weight 0.02, forwards and back."""
    for _ in range(2):
        level, averaged = float(values[0]), []
        for value in values.tolist():
            level += 0.02 * (value - level)
            averaged.append(level)
        values = np.asarray(averaged)[::-1]
    return values


def _windows(method: Called, beats: int = _WINDOW) -> Called:
    """One answer a window, for all its beats; beats left over at the end are not called."""

    def called(intervals: Intervals) -> NDArray[np.bool_]:
        whole = len(intervals) // beats
        answers = np.zeros(len(intervals), dtype=np.bool_)
        if whole:
            clean = np.clip(intervals[: whole * beats], 1, _LONGEST_MS).reshape(whole, beats)
            answers[: whole * beats] = np.repeat(method(clean), beats)
        return answers

    return called


PEERS: Mapping[str, Called] = {
    "petrenas_2015": _petrenas,
    "zhou_2014": _windows(_zhou),
    "lian_2011": _windows(_lian),
    "dash_2009": _windows(_dash),
    "lake_2011": _windows(_lake, 12),
}
"""By first author and year."""
