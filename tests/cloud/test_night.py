"""Night hours in the county's own time: medium waits for the morning, except where somebody lives alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Priority
from tests.cloud.town import Town, finding, only


def _town(folder: Path, hour_utc: int) -> tuple[Town, FakeClock]:
    clock = FakeClock(datetime(2026, 3, 2, hour_utc, 30, tzinfo=UTC))
    town = Town(folder / "county", clock)
    town.connected()
    return town, clock


@pytest.mark.parametrize("hour_utc", [12, 15, 16, 23])  # 20:30 to 07:30 in the county
def test_medium_at_night_is_held_until_eight_and_then_told(tmp_path: Path, hour_utc: int) -> None:
    town, clock = _town(tmp_path, hour_utc)
    town.send((1, finding(clock.wall_ms(), priority=Priority.MEDIUM, number=2)))
    row = only(town.board())
    assert row.held_until is not None
    assert (row.held_until.hour, row.held_until.minute) == (0, 0), "08:00 in the county is midnight UTC"
    state = town.state(row.id)
    assert state is not None
    assert state.activation.value == "paused"
    clock.advance((row.held_until - clock.now()).total_seconds() + 1)
    town.tick()
    state = town.state(row.id)
    assert state is not None
    assert (state.activation.value, state.held_until_ms) == ("on", None)
    assert only(town.board()).held_until is None
    town.stop()


@pytest.mark.parametrize(
    ("number", "priority", "hour_utc"),
    [(1, Priority.MEDIUM, 16), (2, Priority.HIGH, 16), (2, Priority.MEDIUM, 0), (2, Priority.MEDIUM, 11)],
    ids=["lives alone", "high", "08:30", "19:30"],
)
def test_what_cannot_wait_is_told_at_once(tmp_path: Path, number: int, priority: Priority, hour_utc: int) -> None:
    town, clock = _town(tmp_path, hour_utc)
    town.send((1, finding(clock.wall_ms(), priority=priority, number=number)))
    assert only(town.board()).held_until is None
    town.stop()


def test_a_rise_to_high_ends_the_hold(tmp_path: Path) -> None:
    town, clock = _town(tmp_path, 16)
    town.send((1, finding(clock.wall_ms(), priority=Priority.MEDIUM, number=2)))
    clock.advance(60)
    town.send((2, finding(clock.wall_ms(), priority=Priority.HIGH, number=2)))
    row = only(town.board())
    assert (row.priority, row.held_until) == (Priority.HIGH, None)
    town.stop()


def test_a_restart_at_night_keeps_the_morning(tmp_path: Path) -> None:
    town, clock = _town(tmp_path, 20)
    town.send((1, finding(clock.wall_ms(), priority=Priority.MEDIUM, number=2)))
    town.stop()
    clock.advance(12 * 3600)
    town.start()
    town.tick()
    assert only(town.board()).held_until is None
    town.stop()
