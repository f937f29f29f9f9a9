"""A limit from a budget of alerts, held by people: what one person's days say of one another is never counted twice.

Angelopoulos, Bates, Fisch, Lei and Schuster 2022, "Conformal risk control": where a new person is like those counted,
the alerts expected of them stay within the budget, whatever the shape of the scores and however days hang together.
"""

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.calibration.tails import Threshold, ThresholdReason

__all__ = ["alerts_by_limit", "limit_within"]


def alerts_by_limit(
    scores: NDArray[np.float64], limits: NDArray[np.float64], *, quiet_days: float
) -> NDArray[np.int64]:
    """How many alerts one person would have had at each limit.

    Args:
        scores: shape (n,), one a day, in order; NaN where a day has none.
        limits: shape (m,).
        quiet_days: after an alert none follows for so long, 0 or more.

    Returns:
        Shape (m,): days whose score is above the limit, less those that followed an alert too soon.
    """
    alerts = np.zeros(len(limits), dtype=np.int64)
    last = np.full(len(limits), -np.inf)
    for day, score in enumerate(scores.tolist()):
        told = (score > limits) & (day - last >= quiet_days)
        alerts += told
        last[told] = day
    return alerts


def limit_within(
    rates: NDArray[np.float64], limits: NDArray[np.float64], *, budget_per_day: float, most_per_day: float
) -> Threshold:
    """The lowest limit at which the alerts expected of one more person stay within the budget.

    Args:
        rates: shape (people, m), alerts a day of each person at each limit.
        limits: shape (m,), ascending.
        budget_per_day: alerts that a person-day may bring.
        most_per_day: more than this nobody can have: one alert in the quiet days of a rule.

    Returns:
        `too_few` where so few people cannot vouch for so small a budget, or no limit is high enough.
    """
    people = len(rates)
    if not people:
        return Threshold(ThresholdReason.TOO_FEW)
    # As a limit rises a person may have more alerts, where a quiet time ended sooner: the worst above it counts.
    mean = np.maximum.accumulate(rates.mean(axis=0)[::-1])[::-1]
    held = np.flatnonzero((people * mean + most_per_day) / (people + 1) <= budget_per_day)
    if not len(held):
        return Threshold(ThresholdReason.TOO_FEW)
    return Threshold(ThresholdReason.FOUND, float(limits[held[0]]))
