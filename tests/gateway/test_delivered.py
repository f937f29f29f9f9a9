"""What the county has confirmed stays for a day, is owed no more, and is the first to go."""

import sqlite3
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Gap, Lane, Receipt, SeqRanges
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox, OutboxFull
from kanhu.gateway._delivered import Delivered
from tests.gateway.records import heart_rate, sos

_DAY_S = 24 * 3600.0
_HOUR_S = 3600.0
_MIB = 1 << 20


def open_at(file: Path, clock: FakeClock, *, max_bytes: int = 8 * _MIB) -> Outbox:
    return Outbox.open(file, clock=clock, max_bytes=max_bytes)


def deliver(outbox: Outbox, numbers: range) -> None:
    """Accept readings and settle all that is owed, as a county would."""
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in numbers])
    everything = SeqRanges([(1, outbox.last_seq)])
    outbox.settle(Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, outbox.last_seq), sent=everything)


def test_what_is_delivered_stays_for_a_day_and_is_owed_no_more(tmp_path: Path) -> None:
    clock = FakeClock()
    outbox = open_at(tmp_path / "outbox.db", clock)
    outbox.accept([(Lane.ALERT, sos(1))])
    deliver(outbox, range(9))
    assert (outbox.owed().total, outbox.kept()) == (0, 10)
    assert outbox.batch(Lane.LIVE) == outbox.batch(Lane.ALERT) == []
    clock.advance(_DAY_S - 1)
    assert outbox.expire_delivered(after_s=_DAY_S) == 0
    clock.advance(_HOUR_S + 1)
    assert outbox.expire_delivered(after_s=_DAY_S) == 10
    assert outbox.kept() == 0
    outbox.close()


def test_old_ones_go_once_an_hour_and_new_ones_stay(tmp_path: Path) -> None:
    clock = FakeClock()
    outbox = open_at(tmp_path / "outbox.db", clock)
    gone = []
    for number in range(26 * 6):
        deliver(outbox, range(number, number + 1))
        gone.append(outbox.expire_delivered(after_s=_DAY_S))
        clock.advance(600)
    assert [count for count in gone if count] == [7]
    assert outbox.kept() == 26 * 6 - 7
    outbox.close()


@pytest.mark.parametrize("years", [-56, -10, 10])
def test_no_wall_clock_empties_it_or_keeps_it(tmp_path: Path, years: int) -> None:
    clock = FakeClock()
    outbox = open_at(tmp_path / "outbox.db", clock)
    deliver(outbox, range(5))
    clock.step_wall(years * 365.25 * _DAY_S)
    clock.advance(_HOUR_S)
    assert outbox.expire_delivered(after_s=_DAY_S) == 0
    clock.advance(_DAY_S)
    assert outbox.expire_delivered(after_s=_DAY_S) == 5
    outbox.close()


def test_running_time_goes_on_after_restarts_and_power_cuts_and_never_runs_ahead(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file, FakeClock())
    deliver(outbox, range(5))
    outbox.close()
    for boot in range(1, 25):  # each boot runs an hour and a half, and is off for as long as it likes
        clock = FakeClock(boot=f"{boot:032d}")
        outbox = open_at(file, clock)
        for _ in range(9):
            clock.advance(600)
            assert outbox.expire_delivered(after_s=_DAY_S) == 0, f"in boot {boot}"
        outbox.close()
    clock = FakeClock(boot="f" * 32)
    outbox = open_at(file, clock)
    clock.advance(2 * _HOUR_S)  # with what was counted before: full hours of 24 boots, and two
    assert outbox.expire_delivered(after_s=_DAY_S) == 5
    outbox.close()


def test_it_gives_way_to_readings_first_and_without_a_gap(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db", FakeClock(), max_bytes=600 * 1024)
    for start in range(0, 10_000, 250):
        deliver(outbox, range(start, start + 250))
    delivered = outbox.kept()
    assert 1000 < delivered < 10_000, "as many as there is room for"
    dropped = outbox.counters()["", "delivered_dropped"]
    assert dropped + delivered == 10_000
    space = outbox.space()
    assert space.used <= space.routine_limit
    assert space.needed < space.used / 2, "what is delivered does not count as needed"
    for start in range(10_000, 12_000, 250):
        outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(start, start + 250)])
    assert outbox.owed().routine == 2000
    assert ("", "dropped") not in outbox.counters()
    assert outbox.kept() < delivered
    for start in range(12_000, 20_000, 250):
        outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(start, start + 250)])
    assert outbox.kept() == 0
    named = {seq for _, gap in outbox.batch(Lane.ALERT) if isinstance(gap, Gap) for seq in dict(gap.ranges)}
    assert named
    assert min(named) > 10_000, "no gap names what the county has"
    outbox.close()


def test_it_gives_way_to_alerts_as_well(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db", FakeClock(), max_bytes=64 * 4096)
    for start in range(0, 2000, 100):
        deliver(outbox, range(start, start + 100))
    before = outbox.kept()
    for start in range(0, 400, 20):
        outbox.accept([(Lane.ALERT, sos(number)) for number in range(start, start + 20)])
    assert outbox.owed().alerts == 400
    assert outbox.kept() < before
    outbox.close()


def test_a_disk_without_room_for_the_copy_still_settles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OutboxFull("others took the room")

    outbox = open_at(tmp_path / "outbox.db", FakeClock())
    monkeypatch.setattr(Delivered, "take", no_room)
    deliver(outbox, range(5))
    assert (outbox.owed().total, outbox.kept()) == (0, 0)
    outbox.close()


def test_an_outbox_of_before_gets_the_table_and_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file, FakeClock())
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(5)])
    outbox.close()
    before = sqlite3.connect(file)
    before.execute("DROP TABLE delivered")
    before.close()
    looked_at = Outbox.look(file, clock=FakeClock(), max_bytes=_MIB)
    assert (looked_at.kept(), looked_at.space().kept) == (0, 0)
    looked_at.close()
    outbox = open_at(file, FakeClock())
    assert outbox.owed().routine == 5
    deliver(outbox, range(5, 6))
    assert outbox.kept() == 6
    outbox.close()


def test_an_outbox_of_before_without_a_free_page_opens_and_settles(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file, FakeClock())
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(2000)])
    outbox.close()
    before = sqlite3.connect(file)
    before.execute("DROP TABLE delivered")
    before.execute("VACUUM")
    before.close()
    outbox = open_at(file, FakeClock(), max_bytes=64 * 4096)  # less than it has
    everything = SeqRanges([(1, outbox.last_seq)])
    outbox.settle(Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, outbox.last_seq), sent=everything)
    assert (outbox.owed().total, outbox.kept()) == (0, 0)
    outbox.close()
    outbox = open_at(file, FakeClock())
    deliver(outbox, range(5))
    assert outbox.kept() == 5
    outbox.close()
