"""A rhythm detector over one recording, beat by beat, and what its episodes come to.

The answer is what a user of the detector sees: the episodes told, dated by it. A beat counts as called irregular where
it lies in one. Flutter, and beats before the first mark, count neither as right nor as wrong: by its intervals
flutter is regular or not as its conduction is. How much of it was called irregular is a figure of its own.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.rhythm import FIBRILLATION, FLUTTER, UNMARKED
from kanhu.vitals.models import Model
from kanhu.vitals.rhythm.detector import Episode, RhythmDetector

__all__ = ["Counted", "Stream", "counted", "listened", "numbers_of", "runs_of", "summed", "together"]

_MS_PER_H = 3_600_000
_US_PER_S = 1_000_000
_LASTING_BEATS = 128
"""About two minutes: shorter stretches are over before anything can be told."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What the detector answered to one recording."""

    called: NDArray[np.bool_]
    """By beat: inside an episode that was told."""
    told_ms: tuple[tuple[int, int], ...]
    """Of each episode told where it begins and when it was told."""
    us_per_beat: float
    state_bytes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Beats and episodes of one recording, or of many."""

    found: int = 0
    missed: int = 0
    false: int = 0
    calm: int = 0
    false_episodes: int = 0
    """Told, without a beat of fibrillation or flutter in them."""
    calm_h: float = 0.0
    """Hours marked as neither."""
    flutter: int = 0
    flutter_called: int = 0
    delays_s: tuple[float, ...] = ()
    """From where lasting fibrillation begins to when it was told."""

    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and precision."""
        return _share(2 * self.found, 2 * self.found + self.false + self.missed)

    def sensitivity(self) -> float | None:
        """Share of beats in fibrillation that were called."""
        return _share(self.found, self.found + self.missed)

    def specificity(self) -> float | None:
        """Share of other beats that were not."""
        return _share(self.calm, self.calm + self.false)

    def precision(self) -> float | None:
        """Share of called beats that are in fibrillation."""
        return _share(self.found, self.found + self.false)

    def false_per_24h(self) -> float | None:
        """False episodes in 24 hours without fibrillation."""
        return 24 * self.false_episodes / self.calm_h if self.calm_h else None


def listened(intervals_ms: NDArray[np.float64], model: Model) -> Stream:
    """Run the detector over the beats as on a Pi, and finish."""
    ends_ms = np.round(np.cumsum(intervals_ms)).astype(np.int64)
    detector = RhythmDetector(model)
    told: list[tuple[Episode, int]] = []
    last_ms, largest = 0, 0
    began = perf_counter()
    for rr_ms, at_ms in zip(intervals_ms.tolist(), ends_ms.tolist(), strict=True):
        heard = detector.update(rr_ms, at_ms)
        last_ms = at_ms
        told += [(episode, at_ms) for episode in heard.episodes]
        if heard.episodes:
            largest = max(largest, len(detector.state()))
    largest = max(largest, len(detector.state()))
    told += [(episode, last_ms) for episode in detector.finish().episodes]
    took_s = perf_counter() - began
    called = np.zeros(len(ends_ms), dtype=np.bool_)
    for episode, _ in told:
        if episode.until_ms is not None:
            called |= (ends_ms > episode.since_ms) & (ends_ms <= episode.until_ms)
    first: dict[int, int] = {}
    for episode, at_ms in told:
        first.setdefault(episode.since_ms, at_ms)
    return Stream(called, tuple(first.items()), took_s / max(len(ends_ms), 1) * _US_PER_S, largest)


def counted(
    intervals_ms: NDArray[np.float64], marks: NDArray[np.int64], called: NDArray[np.bool_], told: Stream | None = None
) -> Counted:
    """Beats called irregular against the marks; delays where it is known when they were told."""
    irregular = marks == FIBRILLATION
    flutter = marks == FLUTTER
    scored = ~flutter & (marks != UNMARKED)
    either = irregular | flutter
    false = [run for run in runs_of(called) if not either[slice(*run)].any() and scored[slice(*run)].any()]
    return Counted(
        found=int((called & irregular).sum()),
        missed=int((~called & irregular).sum()),
        false=int((called & ~irregular & scored).sum()),
        calm=int((~called & ~irregular & scored).sum()),
        false_episodes=len(false),
        calm_h=float(intervals_ms[scored & ~irregular].sum()) / _MS_PER_H,
        flutter=int(flutter.sum()),
        flutter_called=int((called & flutter).sum()),
        delays_s=() if told is None else _delays_s(intervals_ms, irregular, told),
    )


def together(counts: Sequence[Counted]) -> Counted:
    """All of them as one."""
    whole = summed([numbers_of(one) for one in counts])
    return replace(whole, delays_s=tuple(delay for one in counts for delay in one.delays_s))


def numbers_of(counts: Counted) -> NDArray[np.float64]:
    """What adds up, in the order of the record."""
    return np.asarray(astuple(replace(counts, delays_s=()))[:-1], dtype=np.float64)


def summed(numbers: Sequence[NDArray[np.float64]]) -> Counted:
    """One record of the sums."""
    if not numbers:
        return Counted()
    found, missed, false, calm, episodes, calm_h, flutter, called = np.sum(numbers, axis=0).tolist()
    return Counted(int(found), int(missed), int(false), int(calm), int(episodes), calm_h, int(flutter), int(called))


def runs_of(called: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where each run of true begins, and one past its end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], called, [False])).astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _delays_s(intervals_ms: NDArray[np.float64], irregular: NDArray[np.bool_], stream: Stream) -> tuple[float, ...]:
    ends_ms = np.cumsum(intervals_ms)
    delays = []
    for first, end in runs_of(irregular):
        if end - first < _LASTING_BEATS:
            continue
        since_ms, until_ms = float(ends_ms[first]), float(ends_ms[end - 1])
        told = [at_ms for begins_ms, at_ms in stream.told_ms if begins_ms < until_ms and at_ms > since_ms]
        if told and stream.called[first:end].any():
            delays.append((min(told) - since_ms) / 1000)
    return tuple(delays)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
