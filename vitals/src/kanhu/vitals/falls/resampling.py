"""Samples with stamps, which come in bursts or with gaps, to a steady 50 Hz."""

import itertools

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.falls.features import HZ

_STEP_MS = 1000 // HZ
MAX_GAP_MS = 1000
"""Over a longer gap nothing is drawn: what follows begins anew."""
MAX_G = 100.0
"""No sensor of people reads beyond it."""


class Resampler:
    """Draws lines between samples and reads them every 20 ms."""

    def __init__(self, last: tuple[float, ...] = ()) -> None:
        """Go on from the `last` sample (time in ms, x, y, z in g), or begin."""
        self._last = last

    @property
    def last(self) -> tuple[float, ...]:
        """The newest sample taken; empty before the first."""
        return self._last

    def update(
        self, t_ms: NDArray[np.int64], acceleration_g: NDArray[np.float64]
    ) -> list[tuple[int, NDArray[np.float64]]]:
        """Runs of steady samples: time of the first in ms, and (n, 3) g. A run after the first follows a gap.

        What is no number, beyond MAX_G, or not later than the sample before it, is left out.
        """
        usable = (np.abs(acceleration_g) <= MAX_G).all(axis=1)  # false for NaN
        times, rows = t_ms[usable], acceleration_g[usable]
        if self._last:
            times = np.concatenate(([int(self._last[0])], times))
            rows = np.concatenate((np.asarray([self._last[1:]]), rows))
        if not len(times):
            return []
        newest = np.maximum.accumulate(times)
        rising = np.concatenate(([True], times[1:] > newest[:-1]))
        times, rows = times[rising], rows[rising]
        self._last = (float(times[-1]), *rows[-1].tolist())
        ends = [0, *(np.flatnonzero(np.diff(times) > MAX_GAP_MS) + 1).tolist(), len(times)]
        runs = []
        for number, (first, end) in enumerate(itertools.pairwise(ends)):
            run = _steady(times[first:end], rows[first:end])
            if len(run[1]) or number:
                runs.append(run)
        return runs


def _steady(times: NDArray[np.int64], rows: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    """On every multiple of 20 ms after the first sample, up to the last."""
    first = (int(times[0]) // _STEP_MS + 1) * _STEP_MS
    grid = np.arange(first, int(times[-1]) + 1, _STEP_MS, dtype=np.int64)
    right = np.searchsorted(times, grid, side="left")
    if not len(grid):
        return first, np.empty((0, 3))
    share = ((grid - times[right - 1]) / (times[right] - times[right - 1]))[:, None]
    return first, rows[right - 1] + (rows[right] - rows[right - 1]) * share
