"""People whose daily summaries are drawn, not measured: autocorrelated, heavy-tailed, each with a spread of their own.

Every number is stated in the clinical reference or named here as this project's choice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Days", "readings_of"]

_CORRELATION = 0.3  # of one day with the next
_DEGREES_OF_FREEDOM = 4  # Student's t, scaled to a standard deviation of 1
_SPREAD_OF_SPREADS = 0.25  # on the log scale; project choice, the reference only says that people differ
_ARTEFACT_SD = 8.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Days:
    """How long people are watched: `calm` days to learn from, then `watched` days shifted by `shift_sd`."""

    calm: int
    watched: int
    shift_sd: float = 0.0
    artefacts: float = 0.0
    """Share of days with an artefact of 8 standard deviations."""


def readings_of(people: int, days: Days, random: np.random.Generator) -> Array:
    """Summaries, one row a person and one column a day, in standard deviations of the middle person."""
    spreads = np.exp(random.normal(0, _SPREAD_OF_SPREADS, people))[:, np.newaxis]
    scale = np.sqrt(_DEGREES_OF_FREEDOM / (_DEGREES_OF_FREEDOM - 2))
    noise = random.standard_t(_DEGREES_OF_FREEDOM, (people, days.calm + days.watched)) / scale
    for day in range(1, noise.shape[1]):
        noise[:, day] = _CORRELATION * noise[:, day - 1] + np.sqrt(1 - _CORRELATION**2) * noise[:, day]
    readings: Array = noise * spreads
    readings += _ARTEFACT_SD * spreads * (random.random(readings.shape) < days.artefacts)
    readings[:, days.calm :] += days.shift_sd * spreads
    return readings
