"""Novelty of one series: what it calls new, what it does not, and that storing its state changes nothing."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.vitals.errors import StateRefused
from kanhu.vitals.novelty import NoveltyReason, NoveltySettings, SeriesNovelty, Tail

_STEP_S = 600
_DAY = 144  # values


def _days(count: int, seed: int = 1) -> list[tuple[float, float]]:
    """A series with a daily rhythm and noise, a value every 10 minutes."""
    noise = np.random.default_rng(seed).normal(0, 1, count * _DAY)
    return [
        (float(index * _STEP_S), 70 + 8 * math.sin(2 * math.pi * index / _DAY) + float(noise[index]))
        for index in range(count * _DAY)
    ]


def _reasons(detector: SeriesNovelty, series: Sequence[tuple[float, float]]) -> list[NoveltyReason]:
    return [detector.update(at_s, value) for at_s, value in series]


def test_a_jump_in_a_calm_series_is_told_once() -> None:
    series = _days(6)
    at = 5 * _DAY
    series[at : at + 3] = [(time_s, value + 40) for time_s, value in series[at : at + 3]]
    reasons = _reasons(SeriesNovelty(), series)
    assert reasons[at] is NoveltyReason.JUMPED
    assert not any(reason.is_alarm for reason in reasons[at + 1 : at + 30])


def test_a_shift_that_stays_is_told() -> None:
    series = _days(8)
    at = 6 * _DAY
    series[at:] = [
        (time_s, value + 20 * min(1.0, (index + 1) / 36)) for index, (time_s, value) in enumerate(series[at:])
    ]
    assert any(reason.is_alarm for reason in _reasons(SeriesNovelty(), series)[at : at + _DAY])


@pytest.mark.parametrize("budget", [0.03, 0.3])
def test_a_series_that_does_not_change_keeps_its_budget(budget: float) -> None:
    alarms = days = 0
    for seed in range(8):
        reasons = _reasons(SeriesNovelty(NoveltySettings(alarms_per_day=budget)), _days(21, seed))
        alarms += sum(reason.is_alarm for reason in reasons)
        days += 20
    assert alarms / days <= 2 * budget


def test_a_larger_budget_tells_more() -> None:
    told = [
        sum(reason.is_alarm for reason in _reasons(SeriesNovelty(NoveltySettings(alarms_per_day=budget)), _days(21)))
        for budget in (0.001, 5.0)
    ]
    assert told[0] < told[1]


def test_a_constant_series_is_never_new() -> None:
    reasons = _reasons(SeriesNovelty(), [(index * 300.0, 36.6) for index in range(3_000)])
    assert set(reasons) == {NoveltyReason.LEARNING, NoveltyReason.AS_USUAL}


@pytest.mark.parametrize("cut", [1, 100, 200, 500])
def test_going_on_from_a_stored_state_changes_nothing(cut: int) -> None:
    series = _days(5)
    series[600] = (series[600][0], 140.0)
    whole, first = SeriesNovelty(), SeriesNovelty()
    expected = _reasons(whole, series)
    begun = _reasons(first, series[:cut])
    later = SeriesNovelty(state=first.state())
    assert begun + _reasons(later, series[cut:]) == expected
    assert later.state() == whole.state()
    assert any(reason.is_alarm for reason in expected)


_NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), max_size=60), st.booleans())
def test_absurd_values_and_times_leave_a_state_that_can_be_read(rows: list[tuple[float, float]], learned: bool) -> None:
    detector = SeriesNovelty()
    if learned:
        _reasons(detector, _days(2))
    for at_s, value in rows:
        detector.update(at_s, value)
        SeriesNovelty(state=detector.state())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_value_alarms_nobody_and_is_not_learned(value: float) -> None:
    detector = SeriesNovelty()
    _reasons(detector, _days(3))
    before = detector.state()
    assert detector.update(4 * 86_400.0, value) is NoveltyReason.NOT_A_VALUE
    assert detector.state() == before


def test_a_value_is_taken_once_and_in_order() -> None:
    detector = SeriesNovelty()
    series = _days(3)
    _reasons(detector, series)
    before = detector.state()
    assert detector.update(*series[-1]) is NoveltyReason.DUPLICATE
    assert detector.update(*series[-2]) is NoveltyReason.OUT_OF_ORDER
    assert detector.state() == before


def test_a_gap_alone_is_not_new() -> None:
    series = _days(12)
    reasons = _reasons(SeriesNovelty(), series[: 5 * _DAY] + series[9 * _DAY :])
    assert not any(reason.is_alarm for reason in reasons[5 * _DAY : 5 * _DAY + 6])


def test_the_state_is_bounded() -> None:
    detector = SeriesNovelty()
    sizes = []
    for index in range(20_000):
        detector.update(float(index), math.sin(index) * index % 7)
        if index % 500 == 0:
            sizes.append(len(detector.state()))
    assert max(sizes) < 45_000
    assert sizes[-1] < 4_000


@pytest.mark.parametrize("state", [b"\xff", b"\x90", msgspec.msgpack.encode([2]), msgspec.msgpack.encode([1, -1])])
def test_a_state_that_is_none_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        SeriesNovelty(state=state)


def test_the_tail_of_an_exponential_is_told_to_a_factor_of_three() -> None:
    scores = np.random.default_rng(3).exponential(1.0, 20_000)
    tail = Tail(threshold=3.0)
    for score in scores.tolist():
        tail.learn(score)
    assert tail.probability(7.0) == pytest.approx(math.exp(-7.0), rel=2.0)
    assert tail.probability(2.0) == 1.0
    assert tail.probability(9.0) < tail.probability(7.0)
