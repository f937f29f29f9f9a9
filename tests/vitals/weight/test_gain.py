"""More than 2 kg in 3 days on the same scale in the morning is said once; coats, evenings and other scales are not."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.vitals.errors import StateRefused
from kanhu.vitals.weight import GainDetector, WeightReason

BEGIN = datetime(2026, 3, 1, 7, tzinfo=timezone(timedelta(hours=8)))


def _told(
    weights: list[float], to: GainDetector | None = None, *, from_day: int = 0, scale: str = "bathroom"
) -> list[WeightReason]:
    """One weighing a morning."""
    asked = GainDetector() if to is None else to
    return [
        asked.update(weight, BEGIN + timedelta(days=day), scale=scale).reason
        for day, weight in enumerate(weights, start=from_day)
    ]


def test_a_gain_within_three_days_is_said_once() -> None:
    assert _told([70, 70.8, 71.6, 72.4, 72.5]) == ["learning", "as_usual", "as_usual", "gained", "as_usual"]
    assert _told([70, 71.5, 72.1, 72.2]) == ["learning", "as_usual", "gained", "already_said"]


def test_exactly_two_kilograms_are_not_more_than_two() -> None:
    assert "gained" not in _told([70, 71, 72])


def test_the_same_gain_over_a_week_is_not_said() -> None:
    assert "gained" not in _told([70 + 0.6 * day for day in range(8)])


def test_a_gain_that_goes_on_is_said_again_after_two_more_kilograms() -> None:
    assert _told([70, 71.2, 72.4, 73.6, 74.8, 76]).count(WeightReason.GAINED) == 2


def test_a_gain_that_went_and_came_again_is_said_again() -> None:
    assert _told([70, 71.5, 72.5, 70.5, 70, 71.5, 72.5]).count(WeightReason.GAINED) == 2


def test_a_coat_is_weighed_again_without_it() -> None:
    asked = GainDetector()
    _told([70, 70.1], asked)
    at = BEGIN + timedelta(days=2)
    assert asked.update(74, at, scale="bathroom").reason is WeightReason.JUMP
    assert asked.update(70.2, at + timedelta(minutes=2), scale="bathroom").reason is WeightReason.AS_USUAL


def test_a_second_weighing_like_the_first_is_believed() -> None:
    asked = GainDetector()
    _told([70, 70.1], asked)
    at = BEGIN + timedelta(days=2)
    assert asked.update(73.9, at, scale="bathroom").reason is WeightReason.JUMP
    assert asked.update(73.8, at + timedelta(minutes=2), scale="bathroom").reason is WeightReason.GAINED


def test_two_scales_are_not_compared() -> None:
    asked = GainDetector()
    _told([70, 70], asked)
    assert _told([73], asked, from_day=2, scale="clinic") == ["learning"]
    assert _told([70.2], asked, from_day=3) == ["as_usual"]


def test_the_evening_is_heavier_and_does_not_count() -> None:
    asked = GainDetector()
    _told([70, 70], asked)
    evening = asked.update(72.5, BEGIN + timedelta(days=1, hours=12), scale="bathroom")
    assert evening.reason is WeightReason.NOT_MORNING


def test_going_on_from_the_state_changes_nothing() -> None:
    weights = [70, 71.5, 72.5, 72.4, 70.5, 70, 71.5, 72.5]
    parts, state = [], b""
    for day, weight in enumerate(weights):
        asked = GainDetector(state=state)
        parts += _told([weight], asked, from_day=day)
        state = asked.state()
    assert parts == _told(weights)


def test_the_state_is_bounded_over_years_and_scales() -> None:
    asked = GainDetector()
    for day in range(800):
        asked.update(70 + day % 2, BEGIN + timedelta(days=day), scale=f"scale {day % 9}" * 40)
    assert len(asked.state()) < 1500


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True) | st.floats(60, 80), st.integers(-999, 999)), max_size=60))
def test_any_values_at_any_times_leave_a_state_that_is_read(values: list[tuple[float, int]]) -> None:
    asked = GainDetector()
    for value, hour in values:
        reason = asked.update(value, BEGIN + timedelta(hours=hour), scale="bathroom").reason
        assert reason is not WeightReason.GAINED or 20 <= value <= 250
    assert GainDetector(state=asked.state()).state() == asked.state()


def test_a_time_without_zone_is_not_believed() -> None:
    assert GainDetector().update(70, BEGIN.replace(tzinfo=None), scale="bathroom").reason is WeightReason.CLOCK_UNSET


@pytest.mark.parametrize("state", [b"x", b"\x91\x02", b"\x91\xa1a"])
def test_a_state_that_cannot_be_read_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        GainDetector(state=state)
