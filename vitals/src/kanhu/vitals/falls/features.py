"""Numbers of the seconds around one impact."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["BEFORE", "FEATURES", "HZ", "Site", "after", "features_of", "trigger_g"]

HZ = 50
BEFORE = 2 * HZ
"""Samples before the impact."""
_G = 9.81  # m/s2


class Site(StrEnum):
    """Where the sensor is worn; each has a model of its own."""

    WAIST = "waist"
    WRIST = "wrist"


_AFTER_S = {Site.WAIST: 2.5, Site.WRIST: 1.5}  # the best by people left out; docs/detection/falls.md has the others
_TRIGGER_G = {Site.WAIST: 1.6, Site.WRIST: 1.6}  # project choice: below every impact of the sets but a few


def after(site: Site) -> int:
    """Samples after the impact that its judgement waits for."""
    return int(_AFTER_S[site] * HZ)


def trigger_g(site: Site) -> float:
    """Size of acceleration that makes a candidate, in g."""
    return _TRIGGER_G[site]


_PARTS = ("before", "early", "impact", "late", "end")
_OF_PART = ("mean", "spread", "least", "most", "jerk", "axis_spread")
FEATURES = (
    *(f"{part}_{number}" for part in _PARTS for number in _OF_PART),
    "turn_before_end",
    "turn_before_impact",
    "turn_start_end",
    "turn_impact_end",
    "peaks",
    "over_2_g",
    "below_half_g",
    "least_before_peak",
    "speed_lost",
    "rise",
    "end_x",
    "end_y",
    "end_z",
    "before_x",
    "before_y",
    "before_z",
    *(f"size_{share}" for share in (5, 25, 75, 95)),
    *(f"after_size_{share}" for share in (10, 50, 90)),
    "speed_least",
    "speed_at_impact",
    *(f"power_{band}" for band in ("1_to_2_hz", "3_to_5_hz", "6_to_11_hz", "12_to_24_hz")),
    *(f"unrest_{third}" for third in ("first", "second", "third")),
    "unrest_least",
    "unrest_before",
    *(f"end_abs_{axis}" for axis in "xyz"),
    *(f"before_abs_{axis}" for axis in "xyz"),
    *(f"impact_least_{axis}" for axis in "xyz"),
    *(f"impact_most_{axis}" for axis in "xyz"),
    "impact_strongest_at",
    *(f"over_1.3_g_{part}" for part in ("after", "near", "before")),
    "end_off_1_g",
    "turn_cosine",
)
"""Names, in the order of `features_of`; g, seconds, m/s and radians; power in shares."""


def features_of(window_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features of (BEFORE + 1 + after, 3) samples whose impact is at BEFORE."""
    size = np.sqrt((window_g * window_g).sum(axis=1))
    at, end = BEFORE, len(size)
    middle = at + (end - at) // 2
    parts = (
        slice(0, at - 50),
        slice(at - 50, at - 10),
        slice(at - 10, at + 25),
        slice(at + 25, middle + 1),
        slice(middle, end),
    )
    numbers: list[float] = []
    for part in parts:
        sizes, axes = size[part], window_g[part]
        jerk = np.abs(np.diff(axes, axis=0)).sum(axis=1)
        numbers += [sizes.mean(), sizes.std(), sizes.min(), sizes.max(), jerk.mean(), axes.std(axis=0).max()]
    start, before = window_g[:25].mean(axis=0), window_g[: at - 25].mean(axis=0)
    impact, last = window_g[at - 10 : at + 25].mean(axis=0), window_g[-40:].mean(axis=0)
    turns = (_turn(before, last), _turn(before, impact), _turn(start, last), _turn(impact, last))
    inner = size[1:-1]
    peaks = ((inner > size[:-2]) & (inner >= size[2:]) & (inner > 1.5)).sum()
    near = size[at - 50 : at + 1]
    numbers += [
        *turns,
        float(peaks),
        float((size > 2).sum()) / HZ,
        float((size < 0.5).sum()) / HZ,
        float(near.min()),
        float(np.clip(1 - near, 0, None).sum()) / HZ,
        float(len(near) - 1 - near.argmin()) / HZ,
        *last.tolist(),
        *before.tolist(),
    ]
    return np.asarray([*numbers, *_shape(window_g, size, before, last)], dtype=np.float64)


def _shape(
    window_g: NDArray[np.float64], size: NDArray[np.float64], before: NDArray[np.float64], last: NDArray[np.float64]
) -> list[float]:
    """How the sizes are spread over strength, pitch and time, and how still it became."""
    at = BEFORE
    speed = np.cumsum(size[at - 40 : at + 1] - 1) / HZ * _G
    near = size[at - 50 : at + 50]
    power = np.abs(np.fft.rfft(near - near.mean()))[1:25] ** 2
    bands = np.add.reduceat(power, (0, 2, 5, 11)) / (power.sum() + 1e-9)
    unrest = np.abs(np.diff(window_g, axis=0)).sum(axis=1)
    third = (len(unrest) - at - 25) // 3
    thirds = [float(np.median(unrest[at + 25 + one * third : at + 25 + (one + 1) * third])) for one in range(3)]
    stillest = np.convolve(unrest[at:], np.full(25, 1 / 25), "valid").min()
    impact = window_g[at - 25 : at + 25]
    strong = size > 1.3
    both = float(np.sqrt((before @ before) * (last @ last)))
    return [
        *np.quantile(size, (0.05, 0.25, 0.75, 0.95)).tolist(),
        *np.quantile(size[at:], (0.1, 0.5, 0.9)).tolist(),
        float(speed.min()),
        float(speed[-1]),
        *bands.tolist(),
        *thirds,
        float(stillest),
        float(np.median(unrest[:50])),
        *np.abs(last).tolist(),
        *np.abs(before).tolist(),
        *impact.min(axis=0).tolist(),
        *impact.max(axis=0).tolist(),
        float(np.abs(impact).max(axis=0).argmax()),
        *(float(strong[part].sum()) for part in (slice(at, at + 50), slice(at - 50, at), slice(at - 50))),
        float(np.abs(size[-50:] - 1).mean()),
        float(before @ last) / both if both > 0 else 0.0,
    ]


def _turn(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    both = float(np.sqrt((one @ one) * (other @ other)))
    return float(np.arccos(np.clip((one @ other) / both, -1, 1))) if both > 0 else 0.0
