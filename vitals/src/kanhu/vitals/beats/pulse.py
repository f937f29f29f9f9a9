"""Pulse waves in a snippet of light through a finger or wrist.

After Elgendi et al. 2013, "Systolic peak detection in acceleration photoplethysmograms": two moving averages of the
squared, band-passed signal; where the short one is above the long one for long enough, a wave is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["pulse_beats"]

_SLOWEST_HZ, _FASTEST_HZ = 20.0, 500.0
_BAND_S = (0.06, 0.75)  # two boxes whose difference is about 0.5 to 8 Hz, as in the publication
_PEAK_S, _BEAT_S, _OFFSET = 0.111, 0.667, 0.02  # the publication's own
_MOST_ABSURD = 1e9  # units of the signal, as in detector.py
_SHORTEST_S = 2.0  # project choice: less holds no two waves of a slow heart


def pulse_beats(samples: ArrayLike, rate_hz: float) -> tuple[int, ...]:
    """Samples at which waves are highest; none of a snippet that is shorter than 2 s, still, or has holes.

    Raises:
        ValueError: the rate is not from 20 to 500 Hz.
    """
    if not _SLOWEST_HZ <= rate_hz <= _FASTEST_HZ:
        raise ValueError(f"a rate of {rate_hz} Hz; from {_SLOWEST_HZ} to {_FASTEST_HZ} Hz can be read")
    signal = np.atleast_1d(np.asarray(samples, dtype=np.float64)).ravel()
    if len(signal) < _SHORTEST_S * rate_hz or not np.all(np.abs(signal) <= _MOST_ABSURD) or np.ptp(signal) == 0:
        return ()
    signal = (signal - signal.min()) / np.ptp(signal)
    passed = _mean(signal, _BAND_S[0], rate_hz) - _mean(signal, _BAND_S[1], rate_hz)
    squared = np.square(np.maximum(passed, 0))
    above = _mean(squared, _PEAK_S, rate_hz) > _mean(squared, _BEAT_S, rate_hz) + _OFFSET * squared.mean()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], above.view(np.int8), [0]))))
    return tuple(
        int(first + np.argmax(passed[first:end]))
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if end - first >= _PEAK_S * rate_hz
    )


def _mean(signal: NDArray[np.float64], over_s: float, rate_hz: float) -> NDArray[np.float64]:
    """A moving average in the middle; at both ends the last value goes on."""
    half = max(round(over_s * rate_hz / 2), 1)
    box = np.full(2 * half + 1, 1 / (2 * half + 1))
    return np.convolve(np.pad(signal, half, mode="edge"), box, "valid")
