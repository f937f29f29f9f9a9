"""Published threshold falls, written from their papers, and a plain forest on windows: asked about the same recordings.

Each limit is the publication's own, in g and seconds at 50 Hz; none was fitted here. The forest is fitted on others.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.falls import is_fall, plain_forest, samples_of
from kanhu.cloud.training.recordings import Recording
from kanhu.harness.score.intervals import folds
from kanhu.vitals.falls import HZ, Resampler

__all__ = ["PUBLISHED", "forest_scores", "steady"]

_Samples = NDArray[np.float64]
_PARTS = 5
_STEP = HZ  # a window of two seconds starts every second


def steady(recording: Recording) -> _Samples:
    """(n, 3) g at 50 Hz, gaps left out."""
    runs = [run for _, run in Resampler().update(*samples_of(recording))]
    return np.concatenate([*runs, np.empty((0, 3))])


def _kangas_impact(samples: _Samples) -> bool:
    """Kangas et al. 2008, "Comparison of low-complexity fall detection algorithms": impact above 2 g, then lying.

    Lying: the vertical axis, as at the start, reads below 0.5 g on average from 2 s to 2.4 s after the impact.
    """
    size = np.sqrt((samples**2).sum(axis=1))
    down = samples[:HZ].mean(axis=0)
    down = down / max(float(np.sqrt(down @ down)), 1e-9)
    after = [samples[at + 2 * HZ : at + 2 * HZ + 20] for at in np.flatnonzero(size > 2)]
    return any(len(part) == 20 and float((part @ down).mean()) < 0.5 for part in after)


def _bourke_upper(samples: _Samples) -> bool:
    """Bourke et al. 2007, "Evaluation of a threshold-based tri-axial accelerometer": a peak above 3.52 g (trunk)."""
    return bool((np.sqrt((samples**2).sum(axis=1)) > 3.52).any())


def _free_fall_impact(samples: _Samples) -> bool:
    """Kangas et al. 2008, the start of a fall below 0.6 g and within a second an impact above 2 g, then lying."""
    size = np.sqrt((samples**2).sum(axis=1))
    low = np.flatnonzero(size < 0.6)
    return any((size[at : at + HZ] > 2).any() for at in low) and _kangas_impact(samples)


PUBLISHED: Mapping[str, Callable[[_Samples], bool]] = {
    "bourke_2007_peak": _bourke_upper,
    "kangas_2008_impact_posture": _kangas_impact,
    "kangas_2008_start_impact_posture": _free_fall_impact,
}


def forest_scores(recordings: Sequence[Recording], seed: int) -> NDArray[np.float64]:
    """The largest chance of any window of 2 s in each recording, by a scikit-learn forest fitted on other people."""
    tables = [_windows(steady(one)) for one in recordings]
    scores = np.zeros(len(recordings))
    for part in folds([one.subject for one in recordings], _PARTS, seed=seed):
        rows, falls = [], []
        for one, (table, peaks) in zip(recordings, tables, strict=True):
            if one.subject in part or not len(table):
                continue
            chosen = table[[int(peaks.argmax())]] if is_fall(one) else table
            rows.append(chosen)
            falls += [is_fall(one)] * len(chosen)
        chances_of = plain_forest(np.concatenate(rows), np.asarray(falls), seed)
        for index, (one, (table, _)) in enumerate(zip(recordings, tables, strict=True)):
            if one.subject in part and len(table):
                scores[index] = chances_of(table).max()
    return scores


def _windows(samples: _Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = np.sqrt((samples**2).sum(axis=1, keepdims=True))
    both = np.concatenate((samples, size), axis=1)
    starts = range(0, len(both) - 2 * HZ + 1, _STEP)
    parts = [both[start : start + 2 * HZ] for start in starts]
    rows = [
        np.concatenate((p.mean(0), p.std(0), p.min(0), p.max(0), np.abs(np.diff(p, axis=0)).mean(0))) for p in parts
    ]
    return np.asarray(rows), np.asarray([part[:, 3].max() for part in parts])
