"""The arithmetic of a personal baseline: robust centre and spread, cumulative sums, slow level.

Every function takes single numbers or arrays of many people alike, so the very code that judges is the code that is
simulated in its tests.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# Median absolute deviation to standard deviation, for a normal distribution.
_MAD_TO_SD = 1.4826

Number = TypeVar("Number", float, NDArray[np.float64])


def robust_centre_and_spread(readings: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and scaled median absolute deviation along the last axis."""
    centre = np.median(readings, axis=-1)
    spread = _MAD_TO_SD * np.median(np.abs(readings - centre[..., np.newaxis]), axis=-1)
    return centre, spread


def shrunk_spread(own: Number, *, population: float, floor: float, readings: int, shrink_readings: float) -> Number:
    """A person's own spread, drawn towards the population's on the log scale while readings are few."""
    weight = readings / (readings + shrink_readings)
    logs = weight * np.log(np.maximum(own, floor)) + (1.0 - weight) * np.log(population)
    result: Number = np.exp(logs)
    return result


def standardised(reading: Number, centre: Number, spread: Number, *, clip_sd: float) -> Number:
    """How many spreads away, no more than `clip_sd` either way, so that one artefact cannot signal."""
    result: Number = np.clip((reading - centre) / spread, -clip_sd, clip_sd)
    return result


def summed(up: Number, down: Number, deviation: Number, *, slack_sd: float) -> tuple[Number, Number]:
    """Both sums one reading on: upwards and downwards, less the slack, never below zero."""
    more: Number = np.maximum(0.0, up + deviation - slack_sd)
    less: Number = np.maximum(0.0, down - deviation - slack_sd)
    return more, less


def levelled(centre: Number, reading: Number, spread: Number, *, weight: float, clip_sd: float) -> Number:
    """The centre drawn slowly towards a reading, for a level that drifts with the seasons."""
    result: Number = centre + weight * np.clip(reading - centre, -clip_sd * spread, clip_sd * spread)
    return result
