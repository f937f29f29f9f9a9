"""The cheap half: which moments of a steady stream deserve a look, and the seconds around each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.falls.features import BEFORE, Site, after, trigger_g

__all__ = ["Candidate", "Candidates"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One impact whose seconds after it have passed."""

    judged: int
    """Index, within the samples given, of the one that completed the window."""
    window_g: NDArray[np.float64]


class Candidates:
    """Keeps the newest seconds; the largest impact stands for those that follow it within the wait."""

    def __init__(
        self, site: Site, ring_g: NDArray[np.float64] | None = None, waiting: int = -1, peak_g: float = 0
    ) -> None:
        """Go on from the newest samples and the impact `waiting` samples ago (-1: none), or begin."""
        self._after, self._trigger_g = after(site), trigger_g(site)
        self.ring_g = np.empty((0, 3)) if ring_g is None else ring_g
        self.waiting, self.peak_g = waiting, peak_g

    def update(self, samples_g: NDArray[np.float64]) -> tuple[list[int], list[Candidate]]:
        """Indices of new suspected impacts, and what is ripe to be judged, of (n, 3) steady samples in g."""
        if not len(samples_g):
            return [], []
        length = BEFORE + 1 + self._after
        if not len(self.ring_g):  # before the first sample the person is taken to have been as in it
            self.ring_g = np.repeat(samples_g[:1], length, axis=0)
        joined, kept = np.concatenate((self.ring_g, samples_g)), len(self.ring_g)
        size = np.sqrt((samples_g * samples_g).sum(axis=1))
        suspected, ripe, begun = [], [], -self.waiting - 1 if self.waiting >= 0 else None
        for index in [*np.flatnonzero(size >= self._trigger_g).tolist(), len(size)]:
            if begun is not None and begun + self._after < index:
                judged = begun + self._after
                ripe.append(Candidate(judged, joined[kept + judged + 1 - length : kept + judged + 1]))
                begun = None
            if index < len(size) and (begun is None or size[index] > self.peak_g):
                if begun is None:
                    suspected.append(index)
                begun, self.peak_g = index, float(size[index])
        self.waiting = -1 if begun is None else len(size) - 1 - begun
        self.ring_g = joined[-length:].copy()
        return suspected, ripe
