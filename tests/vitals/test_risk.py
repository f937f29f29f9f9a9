"""A limit from a budget of alerts: kept on people who were not counted, whatever their days are like."""

import numpy as np
import pytest

from kanhu.vitals.calibration import ConformalTail, ThresholdReason, alerts_by_limit, limit_within

LIMITS = np.linspace(0, 12, 200)
BUDGET, QUIET = 0.01, 14


def _people(count: int, seed: int) -> list[np.ndarray]:
    """Scores of a year each: days hang together, and people differ."""
    random = np.random.default_rng(seed)
    people = []
    for wildness in np.exp(random.normal(0, 0.3, count)):
        days = np.zeros(365)
        for day in range(1, 365):
            days[day] = 0.9 * days[day - 1] + random.standard_t(4) * wildness
        people.append(np.abs(days))
    return people


def _rates(people: list[np.ndarray]) -> np.ndarray:
    return np.asarray([alerts_by_limit(days, LIMITS, quiet_days=QUIET) / len(days) for days in people])


def test_the_budget_is_met_on_other_people_and_not_where_days_are_taken_for_strangers() -> None:
    known, others = _people(150, 1), _people(400, 2)
    limit = limit_within(_rates(known), LIMITS, budget_per_day=BUDGET, most_per_day=1 / QUIET).score
    assert limit is not None
    rate = _rates(others)[:, limit == LIMITS].mean()
    assert 1 / 1.5 <= rate / BUDGET <= 1.5

    by_days = ConformalTail(keep=2000)
    for score in np.concatenate(known).tolist():
        by_days.update(score)
    taken = by_days.threshold(BUDGET).score
    assert taken is not None
    far = np.asarray([alerts_by_limit(days, np.asarray([taken]), quiet_days=QUIET)[0] / len(days) for days in others])
    assert far.mean() / BUDGET < 1 / 1.5


def test_an_alert_is_counted_once_in_its_quiet_days() -> None:
    scores = np.asarray([0.0, 5.0, 5.0, np.nan, 5.0, 0.0, 9.0])
    assert alerts_by_limit(scores, np.asarray([1.0, 6.0, 9.0]), quiet_days=3).tolist() == [2, 1, 0]
    assert alerts_by_limit(scores, np.asarray([1.0]), quiet_days=0).tolist() == [4]


@pytest.mark.parametrize("people", [0, 5])
def test_few_people_cannot_vouch_for_a_small_budget(people: int) -> None:
    rates = np.zeros((people, len(LIMITS)))
    assert limit_within(rates, LIMITS, budget_per_day=BUDGET, most_per_day=1 / QUIET).reason is ThresholdReason.TOO_FEW
    enough = np.zeros((7, len(LIMITS)))
    assert limit_within(enough, LIMITS, budget_per_day=BUDGET, most_per_day=1 / QUIET).score == LIMITS[0]


def test_a_budget_that_no_limit_keeps_gives_none() -> None:
    always = np.full((500, len(LIMITS)), 1 / QUIET)
    assert limit_within(always, LIMITS, budget_per_day=BUDGET, most_per_day=1 / QUIET).score is None
