"""Time is passed in: the fake clock moves only when told, the real one says how far it can be trusted."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Clock, ClockState, FakeClock, SystemClock
from kanhu.contract.clock import EARLIEST_PLAUSIBLE


async def settle() -> None:
    """Let every woken task run to its next wait."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_sleepers_wake_in_the_order_of_their_time_then_of_their_arrival() -> None:
    clock, woken = FakeClock(), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 3.0), ("first", 1.0), ("second", 1.0), ("never yet", 60.0)):
            group.create_task(sleeper(name, seconds))
        await settle()
        clock.advance(0.999)
        await settle()
        assert woken == []
        clock.advance(2.5)
        await settle()
        assert woken == ["first", "second", "late"]
        clock.advance(60)
    assert woken[-1] == "never yet"


async def test_a_cancelled_sleeper_does_not_wake_and_harms_nobody() -> None:
    clock = FakeClock()
    gone, stays = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(1))
    await settle()
    gone.cancel()
    await settle()
    clock.advance(1)
    await stays
    assert gone.cancelled()


async def test_no_sleep_yields_once_and_returns() -> None:
    await asyncio.wait_for(FakeClock().sleep(0), timeout=1)
    await asyncio.wait_for(SystemClock().sleep(-1), timeout=1)


def test_wall_and_monotonic_time_move_together_unless_the_wall_clock_steps() -> None:
    clock = FakeClock()
    start, start_ms = clock.now(), clock.wall_ms()
    clock.advance(1.5)
    assert (clock.now() - start, clock.wall_ms() - start_ms, clock.mono_ns()) == (
        timedelta(seconds=1.5),
        1500,
        1_500_000_000,
    )
    clock.step_wall(-3600)
    assert clock.now() - start == timedelta(seconds=1.5 - 3600)
    assert clock.mono_ns() == 1_500_000_000


def test_a_reboot_begins_monotonic_time_again_under_another_id() -> None:
    clock = FakeClock(boot="a" * 32)
    clock.advance(7)
    clock.set_state(ClockState.RESTORED)
    clock.reboot("b" * 32)
    assert (clock.boot, clock.mono_ns(), clock.state()) == ("b" * 32, 0, ClockState.RESTORED)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001  # made aware below
def test_wall_milliseconds_are_those_of_the_wall_time(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    clock = FakeClock(aware)
    assert timedelta(0) <= aware - datetime.fromtimestamp(0, UTC) - timedelta(milliseconds=clock.wall_ms())
    assert datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=clock.wall_ms() + 1) > aware


def test_the_real_clock_is_aware_rises_and_names_its_boot() -> None:
    clock: Clock = SystemClock()
    before = clock.mono_ns()
    assert clock.mono_ns() >= before > 0
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.wall_ms() - clock.now().timestamp() * 1000) < 5000
    assert SystemClock().boot == clock.boot
    assert len(bytes.fromhex(clock.boot)) == 16


@pytest.mark.parametrize(
    ("synchronised", "now", "expected"),
    [
        (True, EARLIEST_PLAUSIBLE - timedelta(seconds=1), ClockState.UNSET),
        (True, EARLIEST_PLAUSIBLE, ClockState.SYNCED),
        (False, EARLIEST_PLAUSIBLE, ClockState.RESTORED),
    ],
)
def test_the_real_clock_is_trusted_only_where_the_kernel_says_so(
    monkeypatch: pytest.MonkeyPatch, synchronised: bool, now: datetime, expected: ClockState
) -> None:
    monkeypatch.setattr("kanhu.contract.clock._kernel_is_synchronised", lambda: synchronised)
    monkeypatch.setattr(SystemClock, "now", lambda _self: now)
    assert SystemClock().state() is expected


def test_without_a_kernel_boot_id_a_process_is_its_own_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("kanhu.contract.clock._BOOT_ID_FILE", tmp_path / "none")
    one, other = SystemClock().boot, SystemClock().boot
    assert one != other
    assert len(bytes.fromhex(one)) == 16
