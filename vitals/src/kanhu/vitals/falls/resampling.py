"""Samples with stamps, which come in bursts or with gaps, to a steady 50 Hz."""

import itertools

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.falls.features import HZ

_STEP_MS = 1000 // HZ
MAX_GAP_MS = 1000
"""Over a longer gap nothing is drawn: what follows begins anew."""
LATE_IN_A_ROW = HZ
"""So many samples before the newest, without one after it: then it was the newest whose clock was wrong."""
MAX_G = 100.0
"""No sensor of people reads beyond it."""


class Resampler:
    """Draws lines between samples and reads them every 20 ms."""

    def __init__(self, last: tuple[float, ...] = (), late: int = 0) -> None:
        """Go on from the `last` sample (time in ms, x, y, z in g) and the `late` ones since, or begin."""
        self._last = last
        self.late = late

    @property
    def last(self) -> tuple[float, ...]:
        """The newest sample taken; empty before the first."""
        return self._last

    def update(
        self, t_ms: NDArray[np.int64], acceleration_g: NDArray[np.float64]
    ) -> list[tuple[int, NDArray[np.float64]]]:
        """Runs of steady samples: time of the first in ms, and (n, 3) g.

        A run after the first follows a gap; the first goes on from before, and may be empty.
        What is no number, beyond MAX_G, or not later than the sample before it, is left out. After LATE_IN_A_ROW late
        samples the clock has been set back: what comes next begins anew.
        """
        usable = (np.abs(acceleration_g) <= MAX_G).all(axis=1)  # false for NaN
        times, rows = t_ms[usable], acceleration_g[usable]
        if self._last:
            times = np.concatenate(([int(self._last[0])], times))
            rows = np.concatenate((np.asarray([self._last[1:]]), rows))
        if not len(times):
            return []
        taken = self._in_order(times)
        times, rows = times[taken], rows[taken]
        self._last = (float(times[-1]), *rows[-1].tolist())
        passed_ms = np.diff(times)
        ends = [0, *(np.flatnonzero((passed_ms > MAX_GAP_MS) | (passed_ms <= 0)) + 1).tolist(), len(times)]
        return [_steady(times[first:end], rows[first:end]) for first, end in itertools.pairwise(ends)]

    def _in_order(self, times: NDArray[np.int64]) -> NDArray[np.intp]:
        """Which samples count: the first, and each later than the one before it; one that is not begins anew."""
        if (times[1:] > times[:-1]).all():
            self.late = 0 if len(times) > 1 else self.late
            return np.arange(len(times))
        taken, newest = [0], int(times[0])
        for index, t_ms in enumerate(times[1:].tolist(), start=1):
            if t_ms <= newest and self.late + 1 < LATE_IN_A_ROW:
                self.late += 1
                continue
            taken.append(index)
            newest, self.late = t_ms, 0
        return np.asarray(taken)


def _steady(times: NDArray[np.int64], rows: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    """On every multiple of 20 ms after the first sample, up to the last."""
    first = (int(times[0]) // _STEP_MS + 1) * _STEP_MS
    grid = np.arange(first, int(times[-1]) + 1, _STEP_MS, dtype=np.int64)
    right = np.searchsorted(times, grid, side="left")
    if not len(grid):
        return first, np.empty((0, 3))
    share = ((grid - times[right - 1]) / (times[right] - times[right - 1]))[:, None]
    return first, rows[right - 1] + (rows[right] - rows[right - 1]) * share
