"""What happens when the outbox is full: alerts stay, readings thin by rule, every hole is named exactly."""

from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Finding, Gap, Lane, Observation, Receipt, Record, SeqRanges
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox, OutboxFull
from kanhu.gateway._schema import LOG_PAGES, PAGE_BYTES
from tests.gateway.records import heart_rate, sos

SMALL = 600 * 1024
KINDS = ("heart_rate", "heart_rate", "heart_rate", "steps")


def open_at(file: Path, *, max_bytes: int = SMALL) -> Outbox:
    return Outbox.open(file, clock=FakeClock(), max_bytes=max_bytes)


def fill(outbox: Outbox, numbers: range) -> Counter[str]:
    accepted: Counter[str] = Counter()
    for start in range(numbers.start, numbers.stop, 250):
        kinds = {number: KINDS[number % len(KINDS)] for number in range(start, min(start + 250, numbers.stop))}
        outbox.accept([(Lane.LIVE, heart_rate(number, metric=kind, device=kind)) for number, kind in kinds.items()])
        accepted.update(kinds.values())
    return accepted


def fill_with_alerts(outbox: Outbox) -> list[int]:
    accepted: list[int] = []
    with suppress(OutboxFull):
        for number in range(10_000):
            outbox.accept([(Lane.ALERT, sos(number))])
            accepted.append(number)
    return accepted


def drain(outbox: Outbox) -> list[tuple[int, Record]]:
    """Everything owed, settled as a county would."""
    delivered: list[tuple[int, Record]] = []
    while batch := outbox.batch(Lane.ALERT) or outbox.batch(Lane.LIVE):
        sent = SeqRanges((seq, seq) for seq, _ in batch)
        outbox.settle(Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, 0, tuple(sent)), sent=sent)
        delivered += batch
    return delivered


def test_four_cycles_of_full_and_drained_lose_nothing_unnamed(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    next_number = 0
    for cycle in range(4):
        accepted: Counter[str] = Counter()
        alerts = []
        for _ in range(4):
            accepted += fill(outbox, range(next_number, next_number + 4000))
            next_number += 4000
            alerts.append(sos(next_number))
            outbox.accept([(Lane.ALERT, alerts[-1])])
        if cycle % 2:  # a restart in between changes nothing
            outbox.close()
            outbox = open_at(file)
        delivered = drain(outbox)
        readings = [(seq, record) for seq, record in delivered if isinstance(record, Observation)]
        gaps = [record for _, record in delivered if isinstance(record, Gap)]
        assert [record for _, record in delivered if isinstance(record, Finding)] == alerts
        missing = Counter[str]()
        for gap in gaps:
            missing[gap.metric] += gap.count()
        arrived = Counter(record.metric for _, record in readings)
        assert missing.total() > 0
        assert arrived + missing == accepted
        named = {seq for gap in gaps for first, last in gap.ranges for seq in range(first, last + 1)}
        assert len(named) == missing.total(), "no hole is named twice"
        assert not named & {seq for seq, _ in delivered}
        assert outbox.owed().total == 0
    outbox.close()


def test_the_oldest_and_most_frequent_give_way_first_and_evenly(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    fill(outbox, range(8000))
    delivered = [(seq, record) for seq, record in drain(outbox) if isinstance(record, Observation)]
    numbers = sorted(record.times.mono_ns // 1_000_000_000 for _, record in delivered)
    half = len(numbers) // 2
    assert numbers[0] == 0, "the first reading after a silence is kept"
    assert numbers[half] > 4000, "the newer half is denser"
    assert numbers[-1] == 7999
    heart_rates = [record for _, record in delivered if record.metric == "heart_rate"]
    assert len(heart_rates) < 6000
    kept = [record.times.mono_ns // 1_000_000_000 for record in heart_rates if record.times.mono_ns < 1000 * 10**9]
    assert kept
    assert max(after - before for before, after in pairwise(kept)) < 200, "thinned, not cut off"
    outbox.close()


def test_the_log_needs_little_room_beside_a_full_file(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file, max_bytes=4 << 20)
    fill(outbox, range(40_000))
    drain(outbox)
    assert ("", "dropped") in outbox.counters()
    # The pages of the largest transaction come on top of those that wait to be written back.
    assert file.with_name("outbox.db-wal").stat().st_size < 2 * LOG_PAGES * PAGE_BYTES
    outbox.close()


def test_readings_never_use_the_pages_of_alerts(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db", max_bytes=64 * 4096)
    fill(outbox, range(6000))
    space = outbox.space()
    assert space.used <= space.routine_limit
    for number in range(100):
        outbox.accept([(Lane.ALERT, sos(number))])
    assert outbox.owed().alerts >= 100
    outbox.close()


def test_a_file_full_of_alerts_refuses_and_still_drains(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db", max_bytes=64 * 4096)
    accepted = fill_with_alerts(outbox)
    with pytest.raises(OutboxFull):
        outbox.accept([(Lane.LIVE, heart_rate(1))])
    delivered = drain(outbox)
    assert [record.alert_id for _, record in delivered if isinstance(record, Finding)] == [
        f"alert-{number}" for number in accepted
    ]
    outbox.accept([(Lane.LIVE, heart_rate(1))])
    outbox.close()


def test_a_gap_that_was_handed_out_never_changes(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    fill(outbox, range(6000))
    before = dict(outbox.batch(Lane.ALERT))
    assert before
    fill(outbox, range(6000, 14_000))
    after = dict(outbox.batch(Lane.ALERT))
    assert {seq: after[seq] for seq in before} == before
    assert len(after) > len(before)
    outbox.close()


def test_what_was_set_aside_goes_before_any_reading_owed(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    fill(outbox, range(2000))
    outbox.quarantine(range(1, 1501), reason="not_storable")
    drain(outbox)
    number = 2000
    while outbox.space().used + 8 < outbox.space().routine_limit:
        fill(outbox, range(number, number + 100))
        number += 100
    fill(outbox, range(number, number + 500))
    assert ("", "dropped") not in outbox.counters()
    outbox.close()
