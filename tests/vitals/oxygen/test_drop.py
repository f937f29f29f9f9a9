"""Spot readings: two sessions in a row, 4 points below the person's own; a cold or moving hand says nothing."""

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import Motion
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.oxygen import DropDetector, OxygenReason

BEGIN = datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8)))
USUAL = [96.0, 95, 96, 97, 96, 95, 96, 96]


def _told(sessions: list[float], to: DropDetector, *, from_day: int = 0) -> list[OxygenReason]:
    """One session a day, of three readings; the answer of its last."""
    reasons = []
    for day, level in enumerate(sessions, start=from_day):
        answers = [
            to.update(level + wobble, BEGIN + timedelta(days=day, minutes=minute), perfusion_percent=2.0)
            for minute, wobble in enumerate((0, 1, -1))
        ]
        reasons.append(answers[-1].reason)
    return reasons


def test_two_low_sessions_are_said_once_and_the_return_too() -> None:
    reasons = _told([*USUAL, 92, 91.5, 91, 93, 96, 96], DropDetector())
    assert reasons[:7] == ["learning"] * 7
    assert reasons[7:] == ["as_usual", "confirming", "dropped", "already_said", "already_said", "back", "as_usual"]


def test_one_low_session_is_a_cold_hand() -> None:
    assert "dropped" not in _told([*USUAL, 91, 96, 91, 96, 91, 96], DropDetector())


def test_a_slow_fall_does_not_become_the_baseline() -> None:
    assert "dropped" in _told([*USUAL, *[96 - day / 2 for day in range(14)]], DropDetector())


def test_somebody_whose_usual_is_low_is_held_against_that() -> None:
    low = [value - 7 for value in USUAL]
    assert set(_told([*low, 89, 88, 87], DropDetector())) == {"learning", "as_usual"}


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ({"motion": Motion.MOVING}, "moving"),
        ({"perfusion_percent": 0.1}, "low_perfusion"),
    ],
)
def test_a_moving_or_cold_hand_does_not_count(reading: dict[str, Motion | float], reason: str) -> None:
    asked = DropDetector()
    _told(USUAL, asked)
    before = asked.state()
    for minute in range(20):
        at = BEGIN + timedelta(days=20, minutes=minute)
        assert asked.update(80, at, **reading).reason == reason  # type: ignore[arg-type]  # either of two
    assert asked.state() == before


def test_readings_of_one_session_do_not_make_two() -> None:
    asked = DropDetector()
    _told(USUAL, asked)
    said = [asked.update(88, BEGIN + timedelta(days=20, seconds=30 * index)).reason for index in range(20)]
    assert said.count(OxygenReason.CONFIRMING) == 1
    assert OxygenReason.DROPPED not in said


def test_going_on_from_the_state_changes_nothing() -> None:
    sessions = [*USUAL, 92, 91, 91, 96]
    whole, parts, state = _told(sessions, DropDetector()), [], b""
    for day, level in enumerate(sessions):
        asked = DropDetector(state=state)
        parts += _told([level], asked, from_day=day)
        state = asked.state()
    assert parts == whole
    assert len(state) < 600


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True), st.integers(-9999, 9999)), max_size=60))
def test_any_values_at_any_times_leave_a_state_that_is_read(values: list[tuple[float, int]]) -> None:
    asked = DropDetector()
    for value, minute in values:
        asked.update(value, BEGIN + timedelta(minutes=minute), perfusion_percent=value)
    assert DropDetector(state=asked.state()).state() == asked.state()


@given(st.floats(allow_nan=True).filter(lambda value: not 50 <= value <= 100))
def test_absurd_values_do_not_count(value: float) -> None:
    reason = "out_of_range" if math.isfinite(value) else "no_value"
    assert DropDetector().update(value, BEGIN).reason == reason


@pytest.mark.parametrize("state", [b"x", b"\x91\x02", b"\x91\xa1a"])
def test_a_state_that_cannot_be_read_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        DropDetector(state=state)
