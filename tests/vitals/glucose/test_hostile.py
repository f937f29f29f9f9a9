"""Whatever comes, and wherever it is interrupted: no exception, no alarm from it alone, the same answers."""

import math
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.vitals.errors import ModelRefused, StateRefused
from kanhu.vitals.glucose import GlucoseDetector, GlucoseReason
from kanhu.vitals.models import Model, Numbers, model_named
from tests.vitals.glucose.days import BEGIN, STEP_MIN, detector, falling, meals, told

VALUES = [*meals(1), *falling(110, 60, 6), *meals(0.5, seed=2)]
ABSURD = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -5.0, 1e300, 9000.0]), st.floats(allow_nan=True)
).filter(lambda value: not 10.8 <= value <= 600)


@pytest.mark.parametrize("every", [1, 7, 73])
def test_going_on_from_the_state_changes_nothing(every: int) -> None:
    whole = told(VALUES)
    parts, state = [], b""
    for start in range(0, len(VALUES), every):
        asked = detector(state)
        begin = BEGIN + timedelta(minutes=STEP_MIN * start)
        parts += told(VALUES[start : start + every], to=asked, begin=begin)
        state = asked.state()
    assert parts == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALUES) - 1), ABSURD), max_size=20))
def test_absurd_values_between_change_no_answer(absurd: list[tuple[int, float]]) -> None:
    asked, answers = detector(), []
    for index, value in enumerate(VALUES):
        at = BEGIN + timedelta(minutes=STEP_MIN * index)
        for _, noise in (one for one in absurd if one[0] == index):
            reason = asked.update(noise, at - timedelta(minutes=1)).reason
            assert reason in {GlucoseReason.NO_VALUE, GlucoseReason.OUT_OF_RANGE}
        answers.append(asked.update(value, at))
    assert answers == told(VALUES)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(allow_nan=True), st.integers(-10_000, 10_000), st.sampled_from([0, 1])), max_size=60)
)
def test_any_values_at_any_times_leave_a_state_that_is_read(values: list[tuple[float, int, int]]) -> None:
    asked = detector()
    for value, minute, exact in values:
        asked.update(value if exact else abs(value) % 400, BEGIN + timedelta(minutes=minute))
    assert detector(asked.state()).state() == asked.state()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5000, 5000), min_size=1, max_size=6))
def test_values_of_before_and_again_raise_nothing(minutes_back: list[float]) -> None:
    asked = detector()
    told(meals(1), to=asked)
    last = BEGIN + timedelta(minutes=STEP_MIN * (len(meals(1)) - 1))
    for back in minutes_back:
        assert asked.update(50, last - timedelta(minutes=abs(back))).reason in {"out_of_order", "duplicate"}


def test_a_time_without_zone_is_not_believed() -> None:
    assert detector().update(50, datetime(2026, 3, 1)).reason is GlucoseReason.CLOCK_UNSET  # noqa: DTZ001  # meant


def test_the_state_stays_small_at_a_value_a_minute_for_a_week() -> None:
    asked = detector()
    told([100 + 20 * math.sin(index / 50) for index in range(10_000)], to=asked, step_min=1)
    assert len(asked.state()) < 12_000
    told(
        [100 + 20 * math.sin(index / 50) for index in range(3_000)],
        to=asked,
        begin=BEGIN + timedelta(days=9),
        step_min=0.01,
    )
    assert len(asked.state()) < 12_000


@pytest.mark.parametrize("state", [b"x", b"\x91\xa1a", msgspec.msgpack.encode([2])])
def test_a_state_that_cannot_be_read_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        detector(state)


def test_a_state_with_numbers_that_are_none_is_refused() -> None:
    asked = detector()
    told(meals(1), to=asked)
    kept = msgspec.msgpack.decode(asked.state())
    kept[1] = math.nan
    with pytest.raises(StateRefused):
        detector(msgspec.msgpack.encode(kept))


def test_a_model_of_other_features_is_refused() -> None:
    shipped: Model = model_named("glucose")
    numbers = {**shipped.numbers, "line_weight": Numbers((1,), (0.0,))}
    with pytest.raises(ModelRefused):
        GlucoseDetector(msgspec.structs.replace(shipped, numbers=numbers))
