"""Dips of a night: each counted once, by depth; artefacts, silences and a lower level are none."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import Motion
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.oxygen import DipAnswer, DipDetector, OxygenReason

BEGIN = datetime(2026, 3, 1, 23, tzinfo=timezone(timedelta(hours=8)))


def _night(dips: int, depth: float, *, every_s: int = 90, lasts_s: int = 30) -> list[float]:
    """Whole numbers a second apart about 96, with dips that fall and rise over a third of their time each."""
    values = np.full(120 + dips * every_s, 96.0)
    third = lasts_s // 3
    shape = np.concatenate((np.linspace(0, 1, third), np.ones(third), np.linspace(1, 0, third)))
    for dip in range(dips):
        at = 120 + dip * every_s
        values[at : at + 3 * third] -= depth * shape
    return [float(value) for value in np.round(values)]


def _told(
    values: list[float], to: DipDetector | None = None, *, begin_s: float = 0, motion: Motion | None = None
) -> list[DipAnswer]:
    asked = DipDetector() if to is None else to
    return [
        asked.update(value, BEGIN + timedelta(seconds=begin_s + second), motion=motion)
        for second, value in enumerate(values)
    ]


@pytest.mark.parametrize(("depth", "shallow", "deep"), [(2, 0, 0), (3, 20, 0), (5, 0, 20)])
def test_each_dip_is_counted_once_by_its_depth(depth: float, shallow: int, deep: int) -> None:
    reasons = [answer.reason for answer in _told(_night(20, depth))]
    assert reasons.count(OxygenReason.SHALLOW_DIP) == shallow
    assert reasons.count(OxygenReason.DEEP_DIP) == deep


def test_the_index_is_dips_an_hour_of_good_values() -> None:
    last = _told(_night(60, 6))[-1]
    assert last.deep_per_hour == last.shallow_per_hour == pytest.approx(60 / (120 + 60 * 90) * 3600, rel=0.01)


def test_a_dip_too_short_for_breathing_is_none() -> None:
    values = [96.0] * 120 + [94, 92, 91, 92, 94, 96] + [96.0] * 60
    assert not {"shallow_dip", "deep_dip"} & {answer.reason for answer in _told(values)}


def test_a_level_that_stays_low_is_no_dip_and_becomes_the_level() -> None:
    answers = _told([*[96.0] * 120, 94, 93, *[92.0] * 600])
    assert OxygenReason.NOT_A_DIP in {answer.reason for answer in answers}
    assert answers[-1].level_percent == 92
    assert not {"shallow_dip", "deep_dip"} & {answer.reason for answer in answers}


def test_a_probe_that_moved_is_a_jump() -> None:
    answers = _told([*[96.0] * 120, 70, *[96.0] * 60])
    assert {answer.reason for answer in answers[120:122]} == {OxygenReason.JUMP}
    assert answers[-1].reason is OxygenReason.AS_USUAL


def test_a_dip_in_motion_is_not_seen() -> None:
    assert {answer.reason for answer in _told(_night(5, 6), motion=Motion.MOVING)} == {OxygenReason.MOVING}


def test_a_dip_that_falls_silent_is_not_counted() -> None:
    asked = DipDetector()
    _told([*[96.0] * 120, 94, 92, *[91.0] * 15], asked)
    after = _told([96.0] * 60, asked, begin_s=400)
    assert {answer.reason for answer in after} == {OxygenReason.LEARNING, OxygenReason.AS_USUAL}


@pytest.mark.parametrize("every", [1, 73])
def test_going_on_from_the_state_changes_nothing(every: int) -> None:
    values = _night(4, 5)
    parts, state = [], b""
    for start in range(0, len(values), every):
        asked = DipDetector(state=state)
        parts += _told(values[start : start + every], asked, begin_s=start)
        state = asked.state()
    assert parts == _told(values)
    assert len(state) < 10_000


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True) | st.floats(80, 100), st.integers(-300, 300)), max_size=80))
def test_any_values_at_any_times_leave_a_state_that_is_read(values: list[tuple[float, int]]) -> None:
    asked = DipDetector()
    for value, second in values:
        asked.update(value, BEGIN + timedelta(seconds=second), perfusion_percent=abs(value))
    assert DipDetector(state=asked.state()).state() == asked.state()


def test_the_state_is_bounded_at_a_hundred_values_a_second() -> None:
    asked = DipDetector()
    for index in range(2000):
        asked.update(96, BEGIN + timedelta(seconds=index / 100))
    assert len(asked.state()) < 10_000


@pytest.mark.parametrize("state", [b"x", b"\x91\x02", b"\x91\xa1a"])
def test_a_state_that_cannot_be_read_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        DipDetector(state=state)
