"""Numbers of the seconds around one impact."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["BEFORE", "FEATURES", "HZ", "Site", "after", "features_of", "trigger_g"]

HZ = 50
BEFORE = 2 * HZ
"""Samples before the impact."""


class Site(StrEnum):
    """Where the sensor is worn; each has a model of its own."""

    WAIST = "waist"
    WRIST = "wrist"


_AFTER_S = {Site.WAIST: 4.0, Site.WRIST: 1.5}  # recordings of the wrist are cut soon after the fall
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
)
"""Names, in the order of `features_of`; g, seconds and radians."""


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
    return np.asarray(numbers, dtype=np.float64)


def _turn(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    both = float(np.sqrt((one @ one) * (other @ other)))
    return float(np.arccos(np.clip((one @ other) / both, -1, 1))) if both > 0 else 0.0
