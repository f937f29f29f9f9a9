"""The personal baseline against published run lengths and against the table of the clinical reference.

The simulation calls the very functions that judge, on arrays of many people at once.
"""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from kanhu.vitals import core_pack
from kanhu.vitals.baselines.cusum import levelled, robust_centre_and_spread, shrunk_spread, standardised, summed
from kanhu.vitals.rules.records import TrendTrigger

Array = NDArray[np.float64]
NEVER = 1_000_000


class Setting(NamedTuple):
    """One row of the table."""

    slack: float
    signal: float
    clip: float
    baseline: int
    own_only: bool = False
    slow: bool = False


TEXTBOOK = Setting(slack=0.5, signal=5, clip=1e9, baseline=28, own_only=True)
KANHU = Setting(slack=1.2, signal=8.5, clip=3, baseline=60, slow=True)


@pytest.mark.parametrize(("signal_at", "published"), [(4.0, 164), (5.0, 470)])
def test_textbook_run_lengths_to_a_false_alarm(signal_at: float, published: int) -> None:
    # 4,000 people known exactly; the mean of an exponential run length then has 1.6 % of standard error.
    random = np.random.default_rng(20260301)
    people = 4000
    up, down, alive = np.zeros(people), np.zeros(people), np.arange(people)
    lengths = np.zeros(people)
    day = 0
    while alive.size:
        day += 1
        deviation = random.normal(size=alive.size)  # centre and spread are known
        up, down = summed(up, down, deviation, slack_sd=0.5)
        signalled = np.maximum(up, down) > signal_at
        lengths[alive[signalled]] = day
        alive, up, down = alive[~signalled], up[~signalled], down[~signalled]
    assert lengths.mean() == pytest.approx(published, rel=0.05)


def test_realistic_people_get_few_false_alarms() -> None:
    first = first_signal(KANHU, people=4000, days=365)
    assert 0.002 <= share(first, 100) <= 0.01
    assert 0.01 <= share(first, 365) <= 0.036


def test_artefacts_hardly_add_false_alarms() -> None:
    first = first_signal(KANHU, people=4000, days=365, artefacts=0.02)
    assert share(first, 100) <= 0.015
    assert share(first, 365) <= 0.047


@pytest.mark.parametrize(("shift_sd", "days"), [(2.0, 8), (3.0, 6)])
def test_shift_is_found_within_days(shift_sd: float, days: int) -> None:
    first = first_signal(KANHU, people=3000, days=100, shift_sd=shift_sd)
    assert np.median(first) == pytest.approx(days, abs=1)


def test_textbook_setting_would_alarm_nearly_everybody() -> None:
    # The deliberately broken variant: the same simulation has to go red.
    assert share(first_signal(TEXTBOOK, people=1000, days=100), 100) == pytest.approx(0.91, abs=0.04)


def test_simulated_setting_is_the_shipped_one() -> None:
    rule = core_pack().rule("TREND")
    assert rule is not None
    trend = rule.trigger
    assert isinstance(trend, TrendTrigger)
    assert (trend.slack_sd, trend.signal_at, trend.clip_sd, trend.baseline_readings) == KANHU[:4]
    assert (trend.shrink_readings, trend.level_weight, trend.level_clip_sd, trend.level_below) == (28, 0.02, 2, 5)
    assert (trend.least_readings, trend.signal_at_learning) == (14, 10.2)


def share(first: Array, days: int) -> float:
    return float((first <= days).mean())


def first_signal(
    setting: Setting, *, people: int, days: int, shift_sd: float = 0, artefacts: float = 0, seed: int = 20260302
) -> Array:
    """First day of a signal: AR(1) 0.3, Student t(4), people differ in spread by a quarter on the log scale."""
    random = np.random.default_rng(seed)
    spreads = np.exp(random.normal(0, 0.25, people))
    noise = random.standard_t(4, (people, setting.baseline + days)) / np.sqrt(2)
    for day in range(1, noise.shape[1]):
        noise[:, day] = 0.3 * noise[:, day - 1] + np.sqrt(1 - 0.3**2) * noise[:, day]
    readings = noise * spreads[:, np.newaxis]
    readings += 8 * spreads[:, np.newaxis] * (random.random(readings.shape) < artefacts)
    readings[:, setting.baseline :] += shift_sd * spreads[:, np.newaxis]
    centre, own = robust_centre_and_spread(readings[:, : setting.baseline])
    typical = float(np.median(own))  # what a pack gives as the population's spread
    shrink = 0.0 if setting.own_only else 28.0
    spread = shrunk_spread(own, population=typical, floor=1e-6, readings=setting.baseline, shrink_readings=shrink)
    up, down, first = np.zeros(people), np.zeros(people), np.full(people, float(NEVER))
    for day in range(days):
        reading = readings[:, setting.baseline + day]
        deviation = standardised(reading, centre, spread, clip_sd=setting.clip)
        up, down = summed(up, down, deviation, slack_sd=setting.slack)
        most = np.maximum(up, down)
        first = np.where((most > setting.signal) & (first == NEVER), day + 1.0, first)
        if setting.slow:
            centre = np.where(most < 5, levelled(centre, reading, spread, weight=0.02, clip_sd=2), centre)
    return first
