"""From samples to impacts ripe to be judged, over gaps and clocks set back: one source for detector and training."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.falls.candidates import Candidate, Candidates
from kanhu.vitals.falls.features import HZ, Site, after
from kanhu.vitals.falls.resampling import Resampler

__all__ = ["STEP_MS", "Heard", "Impacts"]

STEP_MS = 1000 // HZ


@dataclass(frozen=True, slots=True)
class Heard:
    """Steady samples up to at most the end of one full second, and what they completed."""

    first_ms: int
    end_ms: int
    suspected: list[int]
    """Indices within them."""
    ripe: list[Candidate]


class Impacts:
    """Steady samples, cut where a second ends, so that blocks of any length are followed at the same moments."""

    def __init__(self, site: Site, resampler: Resampler | None = None, candidates: Candidates | None = None) -> None:
        """Go on from where both stand, or begin."""
        self._site = site
        self.resampler = resampler or Resampler()
        self.candidates = candidates or Candidates(site)

    def update(self, t_ms: NDArray[np.int64], acceleration_g: NDArray[np.float64]) -> Iterator[Heard]:
        """Of (n,) times in ms and (n, 3) accelerations in g with gravity; to be walked to its end."""
        follows_ms = 0
        for number, (first_ms, samples) in enumerate(self.resampler.update(t_ms, acceleration_g)):
            if number:
                yield from self._end_of_run(follows_ms)
            yield from self._take(first_ms, samples)
            follows_ms = first_ms + len(samples) * STEP_MS

    def _end_of_run(self, follows_ms: int) -> Iterator[Heard]:
        """An impact that a gap cut off is judged as if the person had stayed as last seen: asked about, not lost."""
        found = self.candidates
        if found.waiting >= 0:
            unseen = after(self._site) - found.waiting
            yield from self._take(follows_ms, np.repeat(found.ring_g[-1:], unseen, axis=0))
        self.candidates = Candidates(self._site)

    def _take(self, first_ms: int, samples: NDArray[np.float64]) -> Iterator[Heard]:
        head = HZ - (first_ms // STEP_MS) % HZ
        cuts = [0, *range(head, len(samples), HZ), len(samples)]
        for begin, end in itertools.pairwise(cuts):
            if end > begin:
                suspected, ripe = self.candidates.update(samples[begin:end])
                yield Heard(first_ms + begin * STEP_MS, first_ms + (end - 1) * STEP_MS, suspected, ripe)
