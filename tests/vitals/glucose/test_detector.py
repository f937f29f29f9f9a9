"""A low is said, and warned of before; nothing is said twice; what a sensor cannot mean is not believed."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest

from kanhu.vitals.glucose import GlucoseReason
from tests.vitals.glucose.days import BEGIN, detector, falling, meals, told

STEADY = [120.0, 121.8, 120.0, 118.2] * 6


def test_a_fall_is_warned_of_before_it_is_low() -> None:
    values = STEADY + falling(118, 60, 8)
    answers = told(values)
    reasons = [answer.reason for answer in answers]
    warned, low = reasons.index(GlucoseReason.LOW_AHEAD), reasons.index(GlucoseReason.LOW)
    assert warned < low
    assert values[warned] >= 70
    forecast = answers[warned].forecast_mg_dl
    assert forecast is not None
    assert forecast < values[warned]


def test_days_of_meals_raise_nothing() -> None:
    said = Counter(answer.reason for answer in told(meals(5)))
    assert not {GlucoseReason.LOW, GlucoseReason.LOW_AHEAD, GlucoseReason.HIGH, GlucoseReason.STUCK} & set(said)
    assert said[GlucoseReason.WITHIN_LIMIT] > 400


def test_a_low_is_said_once_until_it_has_been_over_for_half_an_hour() -> None:
    answers = told([*STEADY, *falling(118, 66, 12), 66, 64, 72, 66, 74, 80, 90, 100, 90, 80, 69])
    lows = [answer.reason for answer in answers].count(GlucoseReason.LOW)
    assert lows == 2
    assert GlucoseReason.RECOVERING in {answer.reason for answer in answers}


def test_a_warning_is_not_given_again_within_the_hour() -> None:
    reasons = [answer.reason for answer in told([*STEADY, *falling(118, 76, 8), 73, 73, 73, 73])]
    warned = [index for index, reason in enumerate(reasons) if reason is GlucoseReason.LOW_AHEAD]
    assert warned
    assert GlucoseReason.WARNED in reasons
    assert all(later - earlier >= 4 for earlier, later in itertools.pairwise(warned))


def test_a_first_value_that_is_low_is_said_at_once() -> None:
    assert told([60])[0].reason is GlucoseReason.LOW


def test_a_high_is_said_once_and_ends_below_where_it_began() -> None:
    reasons = [answer.reason for answer in told([200, 230, 255, 245, 255, 236, 230, 252])]
    assert reasons[2:] == ["high", "still_high", "still_high", "still_high", "within_limit", "high"]


def test_fast_changes_are_named() -> None:
    reasons = [answer.reason for answer in told([*STEADY, 160, 195, 225, 190])]
    assert reasons[-4:] == ["rising_fast"] * 3 + ["falling_fast"]


def test_a_sensor_that_stands_still_is_stuck_and_forecasts_nothing() -> None:
    answers = told([*STEADY, *[126.0] * 20])
    assert answers[-1].reason is GlucoseReason.STUCK
    assert answers[-1].forecast_mg_dl is None


def test_a_sensor_that_stands_still_at_a_low_is_still_low() -> None:
    assert told([*STEADY, *[60.0] * 20])[-1].reason is GlucoseReason.STILL_LOW


def test_a_sensor_at_its_own_end_is_not_stuck() -> None:
    assert told([*STEADY, *falling(118, 39.6, 15), *[39.6] * 40])[-1].reason is GlucoseReason.STILL_LOW


def test_a_jump_is_believed_when_the_next_value_is_like_it() -> None:
    one_off = [answer.reason for answer in told([*STEADY, 300, 120, 121.8])]
    assert one_off[-3:] == ["jump", "within_limit", "within_limit"]
    real = [answer.reason for answer in told([*STEADY, 262, 264])]
    assert real[-2:] == ["jump", "high"]


def test_a_jump_to_a_low_waits_for_one_more_value_and_no_longer() -> None:
    reasons = [answer.reason for answer in told([200.0, 201.8, 200.0, 198.2, 60, 58])]
    assert reasons[-2:] == ["jump", "low"]


def test_a_steep_fall_from_calm_at_night_asks_whether_somebody_lies_on_the_sensor() -> None:
    night = [96.0, 97.8, 96.0, 97.8, 96.0, 97.8]
    assert told([*night, 62])[-1].reason is GlucoseReason.LOW_PRESSED
    assert told([*night, 62, 60])[-1].reason is GlucoseReason.STILL_LOW
    assert told([*night, 62], begin=BEGIN + timedelta(hours=12))[-1].reason is GlucoseReason.LOW


def test_a_silence_begins_the_forecast_anew() -> None:
    asked = detector()
    told(STEADY, to=asked)
    later = told([130, 131, 132], to=asked, begin=BEGIN + timedelta(days=1))
    assert [answer.reason for answer in later] == ["warming_up", "warming_up", "within_limit"]
    assert later[0].forecast_mg_dl is None
    assert later[0].rate_mg_dl_per_min is None


def test_one_missing_value_is_bridged() -> None:
    asked = detector()
    told(STEADY, to=asked)
    after = asked.update(121.8, BEGIN + timedelta(minutes=15 * (len(STEADY) + 1)))
    assert after.forecast_mg_dl == pytest.approx(121, abs=12)


def test_a_sensor_of_five_minutes_forecasts_as_one_of_fifteen() -> None:
    slow = meals(2)
    fast = [slow[index // 3] + (slow[min(index // 3 + 1, len(slow) - 1)] - slow[index // 3]) * (index % 3) / 3
            for index in range(3 * len(slow) - 2)]  # fmt: skip  # the value between two values
    ours, theirs = told(fast, step_min=5)[-1].forecast_mg_dl, told(slow)[-1].forecast_mg_dl
    assert ours == pytest.approx(theirs, abs=3)


def test_a_clock_that_was_ahead_for_one_value_silences_nobody() -> None:
    asked = detector()
    asked.update(120, BEGIN + timedelta(days=400))
    reasons = [answer.reason for answer in told([120, 121, 122, 121, 120, 119, 118, 117, 116, 60], to=asked)]
    assert reasons[:7] == ["out_of_order"] * 7
    assert reasons[-1] in {"low", "jump"}


def test_what_the_forecast_knows_is_the_local_hour() -> None:
    values = meals(1)
    here = told(values)[-1]
    elsewhere = told(values, begin=BEGIN + timedelta(hours=9))[-1]
    assert here.forecast_mg_dl != elsewhere.forecast_mg_dl
