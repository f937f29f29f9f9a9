"""Readings of a gateway without a clock: stored at once, shown where they belong once the time of its boots is told."""

from pathlib import Path

import msgspec
import pytest

from kanhu.cloud.ingest.door import Message
from kanhu.contract import (
    Boot,
    ClockState,
    FakeClock,
    GatewayState,
    Mark,
    Observation,
    Part,
    Priority,
    Running,
    Status,
    Subject,
    SubjectKind,
    Times,
    encode_status,
    metric,
)
from kanhu.contract.status import STATUS_VERSION
from tests.cloud.town import EPOCH, Town, envelope, finding

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
OLD, NEW = "a" * 32, "b" * 32


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path, FakeClock())
    town.connected()
    return town


def weighed(boot: str, mono_ms: int) -> Observation:
    """On a board that believes it is 1970."""
    times = Times(mono_ms, mono_ms * 1_000_000, boot, ClockState.UNSET)
    return Observation(
        "weight",
        (Part("weight", (metric("weight").steps_per_unit * 60,)),),
        Subject(SubjectKind.RESIDENT, "r-0001"),
        "scale-1",
        times,
    )


def said(*boots: Boot, mono_ms: int) -> Message:
    """A heartbeat of a board without a clock."""
    status = Status(
        STATUS_VERSION,
        "home-01",
        EPOCH,
        GatewayState.ONLINE,
        boot=NEW,
        sent_ms=mono_ms,
        running=Running(mono_ms * 1_000_000, boots),
    )
    return Message("kanhu/v1/up/home-01/status", encode_status(status), retained=False)


def mark(town: Town, *, mono_ms: int) -> Mark:
    """The county was heard just now."""
    now_ms = town.clock.wall_ms()
    return Mark(mono_ms * 1_000_000, now_ms - 1000, now_ms + 1000)


def minutes_of(town: Town) -> list[int]:
    """Where the readings stand in the chart."""
    return [row[2] for row in town.table("minute") if row[0] == "r-0001" and row[1] == "weight"]


def test_a_receipt_names_the_heartbeat_that_it_answers(town: Town) -> None:
    (receipt,) = town.deliver(said(Boot(NEW), mono_ms=5000))
    assert receipt.heard_ns == 5_000_000_000
    assert receipt.county_ms == town.clock.wall_ms()


def test_two_messages_in_one_batch_lose_neither_the_heartbeat_nor_the_number(town: Town) -> None:
    (receipt,) = town.deliver(said(Boot(NEW), mono_ms=5000), envelope((1, weighed(NEW, 4000))))
    assert (receipt.heard_ns, receipt.contiguous) == (5_000_000_000, 1)


def test_readings_of_before_are_shown_when_they_were_once_it_is_told(town: Town) -> None:
    """Three hours without a clock and a power cut between; then the county is heard, and the next heartbeat tells."""
    now_ms = town.clock.wall_ms()
    town.deliver(said(Boot(OLD, 2 * _HOUR_MS * 1_000_000), Boot(NEW), mono_ms=_HOUR_MS))
    town.send((1, weighed(OLD, 30 * _MINUTE_MS)), (2, weighed(NEW, 10 * _MINUTE_MS)))
    assert minutes_of(town) == []
    assert len(town.lines()) == 2, "stored they are"
    told = (
        Boot(OLD, 2 * _HOUR_MS * 1_000_000, Mark(0, now_ms - 3 * _HOUR_MS - 2000, now_ms - 3 * _HOUR_MS)),
        Boot(NEW, _HOUR_MS * 1_000_000, mark(town, mono_ms=_HOUR_MS)),
    )
    town.deliver(said(*told, mono_ms=_HOUR_MS))
    expected_ms = (now_ms - 2 * _HOUR_MS - 30 * _MINUTE_MS, now_ms - 50 * _MINUTE_MS)
    assert minutes_of(town) == [pytest.approx(ms // _MINUTE_MS, abs=1) for ms in expected_ms]
    assert town.table("untimed") == []


def test_a_boot_that_nobody_marked_is_shown_by_its_latest_possible_time(town: Town) -> None:
    now_ms = town.clock.wall_ms()
    town.deliver(said(Boot(OLD), Boot(NEW, 0, mark(town, mono_ms=_HOUR_MS)), mono_ms=_HOUR_MS))
    town.send((1, weighed(OLD, 30 * _MINUTE_MS)))
    assert minutes_of(town) == [pytest.approx((now_ms - _HOUR_MS) // _MINUTE_MS, abs=1)], "before the new boot began"
    assert town.table("daily") == [], "a day that is not known is not guessed"


def test_who_never_tells_the_time_is_shown_by_when_it_was_received(town: Town) -> None:
    received_ms = town.clock.wall_ms()
    town.deliver(said(Boot(NEW), mono_ms=5000))
    town.send((1, weighed(NEW, 4000)))
    town.clock.advance(100)
    town.deliver(said(Boot(NEW), mono_ms=105_000))
    assert minutes_of(town) == []
    town.clock.advance(100)
    town.deliver(said(Boot(NEW), mono_ms=205_000))
    assert minutes_of(town) == [received_ms // _MINUTE_MS]
    town.deliver(said(Boot(NEW), mono_ms=206_000))
    assert len(minutes_of(town)) == 1
    assert town.table("untimed") == []


def test_a_gateway_that_says_nothing_of_its_boots_is_taken_as_before(town: Town) -> None:
    town.beat("home-01")
    town.send((1, weighed("c" * 32, 4000)))
    assert minutes_of(town) == [town.clock.wall_ms() // _MINUTE_MS]


def test_a_restart_of_the_county_forgets_no_reading_without_a_time(town: Town) -> None:
    town.deliver(said(Boot(NEW), mono_ms=_HOUR_MS))
    town.send((1, weighed(NEW, 10 * _MINUTE_MS)))
    town.stop()
    town.start()
    town.connected()
    town.deliver(said(Boot(NEW, 0, mark(town, mono_ms=_HOUR_MS)), mono_ms=_HOUR_MS))
    assert len(minutes_of(town)) == 1


def test_an_alert_of_a_boot_without_a_clock_is_late_only_where_it_certainly_is(town: Town) -> None:
    """A press three hours ago, before the power cut: its latest possible time is the beginning of the new boot."""
    town.deliver(said(Boot(OLD), Boot(NEW, 0, mark(town, mono_ms=2 * _HOUR_MS)), mono_ms=2 * _HOUR_MS))
    pressed = finding(1000, clock=ClockState.UNSET)
    press = msgspec.structs.replace(pressed, times=msgspec.structs.replace(pressed.times, boot=OLD))
    town.send((1, press))
    (row,) = town.board()
    assert row.priority is not Priority.HIGH
