"""How good one window of an electrocardiogram is."""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.beats.settings import BeatSettings


class SignalQuality(StrEnum):
    """What may be done with a window: beats are counted only where it is usable."""

    USABLE = "usable"
    NOISY = "noisy"
    FLAT = "flat"
    CLIPPED = "clipped"
    LOST = "lost"


class Window(msgspec.Struct, frozen=True, array_like=True):
    """Samples `first` to `end` (not included) of the stream, and what they are worth."""

    first: int
    end: int
    quality: SignalQuality


def quality_of(
    samples: NDArray[np.float64], envelope: NDArray[np.float64], *, rate_hz: float, settings: BeatSettings
) -> SignalQuality:
    """Judge one window; `samples` may hold NaN where nothing came, `envelope` is the detector's of the same window."""
    known = samples[np.isfinite(samples)]
    if len(known) < 2 or 1 - len(known) / len(samples) > settings.lost_share:
        return SignalQuality.LOST
    if np.mean(np.diff(known) == 0) > settings.flat_share:
        return SignalQuality.FLAT
    if _clipped(known, round(settings.clipped_run_s * rate_hz)) > settings.clipped_share:
        return SignalQuality.CLIPPED
    high = float(np.percentile(envelope, 95))
    if high <= 0:
        return SignalQuality.FLAT
    noisy = float(np.median(envelope)) > settings.noisy_ratio * high
    return SignalQuality.NOISY if noisy else SignalQuality.USABLE


def _clipped(known: NDArray[np.float64], run: int) -> float:
    """Share of the samples that stand at the highest or lowest value for at least `run` samples on end."""
    at_end = (known == known.max()) | (known == known.min())
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at_end.view(np.int8), [0]))))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= max(run, 3)].sum()) / len(known)
