"""The counter of a device with a key: what is new, what was recorded and sent again, and a device that began anew."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.counters import RESTART_BELOW, CounterReason, ReplayCounter

_COUNTERS = st.integers(0, 2**32 - 1)


def test_first_frame_is_new_and_each_higher_one() -> None:
    counter = ReplayCounter()
    assert [counter.judge(number) for number in (500, 501, 900)] == [CounterReason.NEW] * 3


def test_the_same_counter_again_is_a_repeat() -> None:
    counter = ReplayCounter(7)
    assert counter.judge(7) is CounterReason.REPEATED
    assert counter.judge(8) is CounterReason.NEW


def test_a_recorded_frame_is_refused_and_does_not_move_the_counter() -> None:
    counter = ReplayCounter(1000)
    assert counter.judge(999) is CounterReason.OLD
    assert counter.judge(RESTART_BELOW) is CounterReason.OLD
    assert counter.last == 1000


@pytest.mark.parametrize("number", [0, 1, RESTART_BELOW - 1])
def test_a_device_that_lost_its_power_is_heard_again(number: int) -> None:
    counter = ReplayCounter(123_456)
    assert counter.judge(number) is CounterReason.RESTARTED
    assert counter.judge(number) is CounterReason.REPEATED
    assert counter.judge(number + 1) is CounterReason.NEW


def test_a_plain_frame_of_a_device_with_a_key_is_refused() -> None:
    counter = ReplayCounter()
    assert counter.judge(None) is CounterReason.PLAIN
    assert not CounterReason.PLAIN.accepted
    assert counter.last is None


def test_only_new_and_restarted_frames_become_readings() -> None:
    assert {reason for reason in CounterReason if reason.accepted} == {CounterReason.NEW, CounterReason.RESTARTED}


@given(st.lists(_COUNTERS, max_size=20))
def test_no_frame_above_the_restart_line_is_accepted_twice_in_a_row_of_rising_counters(numbers: list[int]) -> None:
    counter = ReplayCounter()
    accepted = [number for number in numbers if counter.judge(number).accepted]
    for before, after in pairwise(accepted):
        assert after > before or after < RESTART_BELOW
