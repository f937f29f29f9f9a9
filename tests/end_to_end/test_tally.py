"""Readings by resident on both sides of a link that loses: received, owed and lost are accepted, always and exactly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.cloud.config import CloudConfig
from kanhu.cloud.desk.model import Arrived
from kanhu.cloud.doctor import examine
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ledger import tally as tally_module
from kanhu.cloud.ledger.tally import (
    LATE_EVENT_MS,
    LATE_MS,
    MOST_OUTBOXES,
    ResidentTally,
    Total,
    as_table,
    is_late,
    tallies,
    total,
)
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import (
    ClockState,
    Envelope,
    FakeClock,
    GatewayState,
    Lane,
    Observation,
    Part,
    Receipt,
    Record,
    SeqRanges,
    Status,
    Subject,
    SubjectKind,
    Times,
    encode_envelope,
    encode_status,
)
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.contract.status import STATUS_VERSION
from kanhu.gateway import Outbox
from kanhu.gateway.heartbeat import tallied
from tests.cloud.town import COUNTY, Town, heartbeat
from tests.gateway.records import times

GATEWAY = "home-01"
WHOSE = ("r-0001", "r-0002", "")


def reading(number: int, whose: str) -> Observation:
    subject = Subject(SubjectKind.RESIDENT, whose) if whose else Subject(SubjectKind.UNIDENTIFIED, f"s-{number}")
    return Observation("heart_rate", (Part("heart_rate", (60,)),), subject, "strap-03", times(number))


class Link:
    """An outbox and a county, and what of each other they get to hear."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(folder, FakeClock())
        self.file = folder / "outbox.db"
        self.outbox = Outbox.open(self.file, clock=FakeClock(), max_bytes=1 << 22)
        self.accepted: Counter[str] = Counter()
        self.number = 0

    def close(self) -> None:
        self.outbox.close()
        self.town.stop()

    def count_from_now(self) -> None:
        """Go on with a file that an earlier version made."""
        self.outbox._database.executescript(
            "ALTER TABLE outbox DROP COLUMN whose; DELETE FROM counter WHERE device LIKE char(31) || '%';"
        )
        self.outbox.close()
        self.outbox = Outbox.open(self.file, clock=FakeClock(), max_bytes=1 << 22)

    def accept(self, whose: str) -> None:
        self.number += 1
        self.outbox.accept([(Lane.LIVE, reading(self.number, whose))])
        self.accepted[whose] += 1

    def rows(self) -> list[tuple[int, Record]]:
        return [row for lane in (Lane.ALERT, Lane.LIVE) for row in self.outbox.batch(lane)]

    def send(self, rows: Sequence[tuple[int, Record]]) -> Receipt | None:
        """The county stores these; its answer may or may not arrive."""
        if not rows:
            return None
        body = encode_envelope(Envelope(GATEWAY, self.outbox.epoch, tuple(sorted(rows, key=lambda row: row[0]))))
        return self.town.deliver(Message(f"kanhu/v1/up/{GATEWAY}/live", body, retained=False))[0]

    def settle(self, receipt: Receipt | None) -> None:
        if receipt is not None:
            self.outbox.settle(receipt, sent=SeqRanges([(1, max(1, self.outbox.last_seq))]))

    def told(self) -> bytes:
        status = Status(
            STATUS_VERSION,
            GATEWAY,
            self.outbox.epoch,
            GatewayState.ONLINE,
            sent_ms=self.town.clock.wall_ms(),
            tally=tallied(self.outbox),
        )
        return encode_status(status)

    def tell(self, wire: bytes | None = None) -> dict[str, ResidentTally]:
        self.town.deliver(Message(f"kanhu/v1/up/{GATEWAY}/status", wire or self.told(), retained=False))
        return self.found()

    def found(self) -> dict[str, ResidentTally]:
        with self.town.county.ledger.read() as connection:
            return {one.resident: one for one in tallies(connection) if one.told_ms is not None}


def adds_up(found: dict[str, ResidentTally], accepted: Counter[str]) -> None:
    assert {whose: one.accepted for whose, one in found.items()} == dict(accepted)
    for one in found.values():
        assert one.there + one.owed + one.lost == one.accepted
        assert one.missing == 0
        assert min(one.there, one.owed, one.lost) >= 0


STEPS = st.tuples(st.sampled_from(["accept", "accept", "send", "lose_answer", "aside", "late_tell"]), st.integers(0, 2))


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_received_owed_and_lost_are_accepted_whatever_the_link_loses(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        link = Link(Path(folder))
        for step, at in steps:
            match step:
                case "accept":
                    link.accept(WHOSE[at])
                case "send":
                    link.settle(link.send(link.rows()[at:]))
                case "lose_answer":
                    link.send(link.rows()[at:])
                case "aside":  # though the county may have it already: then it came after all
                    readings = [seq for seq, record in link.rows() if isinstance(record, Observation)]
                    link.outbox.quarantine(readings[at : at + 1], reason="not_storable")
                case _:  # what was told is overtaken by readings
                    wire, accepted = link.told(), link.accepted.copy()
                    link.accept(WHOSE[at])
                    gaps_and_new = link.rows()
                    link.send(gaps_and_new)
                    adds_up(link.tell(wire), accepted)
            link.settle(link.send([row for row in link.rows() if not isinstance(row[1], Observation)]))
            adds_up(link.tell(), link.accepted)
        link.close()


def test_a_county_that_lost_what_it_had_confirmed_is_found_out(tmp_path: Path) -> None:
    link = Link(tmp_path)
    for _ in range(3):
        link.accept("r-0001")
    everything = SeqRanges([(1, 3)])
    link.send(link.rows()[:1])
    link.outbox.settle(
        Receipt(RECEIPT_VERSION, GATEWAY, link.outbox.epoch, 3), sent=everything
    )  # a receipt ahead of the ledger
    one = link.tell()["r-0001"]
    assert (one.accepted, one.there, one.owed, one.lost, one.missing) == (3, 1, 0, 0, 2)
    (said,) = [each for each in examine(CloudConfig(data=tmp_path), clock=FakeClock()) if each.about == "readings"]
    assert "do not add up" in said.text
    assert list(as_table([one]))[1].split()[3:] == ["1", "1", "3", "1", "0", "0", "2"]
    link.close()


def test_more_than_was_accepted_is_found_out_too(tmp_path: Path) -> None:
    link = Link(tmp_path)
    link.accept("r-0001")
    link.send([(1, reading(1, "r-0001")), (2, reading(2, "r-0001"))])
    link.accept("r-0001")
    link.outbox._database.execute("UPDATE counter SET count = 1 WHERE name = 'taken'")  # an old image
    one = link.tell()["r-0001"]
    assert (one.there, one.owed, one.missing) == (2, 0, -1)
    link.close()


def test_an_outbox_that_counts_from_its_upgrade_on_is_compared_from_there(tmp_path: Path) -> None:
    link = Link(tmp_path)
    for _ in range(4):
        link.accept("r-0001")
    link.settle(link.send(link.rows()[:2]))
    link.count_from_now()
    adds_up(link.tell(), Counter())
    link.accept("r-0001")
    link.settle(link.send(link.rows()[:1]))  # of before: the county receives it, and nobody counts it
    adds_up(link.tell(), Counter({"r-0001": 1}))
    link.settle(link.send(link.rows()))
    one = link.tell()["r-0001"]
    assert (one.received, one.counted, one.accepted, one.there, one.missing) == (5, 1, 1, 1, 0)
    link.accept("r-0001")
    link.outbox.settle(Receipt(RECEIPT_VERSION, GATEWAY, link.outbox.epoch, 6), sent=SeqRanges([(1, 6)]))
    assert link.tell()["r-0001"].missing == 1, "what is lost afterwards is found out"
    link.close()


def _execute(transaction: Transaction, *, statement: str) -> None:
    transaction.connection.exec_driver_sql(statement)


@pytest.mark.parametrize(("most_read", "compared"), [(3, True), (2, False)])
def test_a_county_that_began_to_count_later_counts_again_or_compares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_read: int, *, compared: bool
) -> None:
    monkeypatch.setattr(tally_module, "MOST_READ", most_read)
    link = Link(tmp_path)
    for _ in range(3):
        link.accept("r-0001")
    link.settle(link.send(link.rows()))
    for statement in ("DELETE FROM tally", "DELETE FROM tally_outbox"):  # as an earlier version left it
        link.town.county.writer.run(partial(_execute, statement=statement))
    for _ in range(2):
        link.accept("r-0001")
        link.settle(link.send(link.rows()))
        if compared:
            monkeypatch.setattr(tally_module, "MOST_READ", 5)
        found = link.tell()
        assert (set(found) == {"r-0001"}) is compared
        assert all(one.missing == 0 for one in found.values())
    assert link.town.counter("tally.not_compared") == (0 if compared else 2)
    (said,) = [each for each in examine(CloudConfig(data=tmp_path), clock=FakeClock()) if each.about == "readings"]
    assert "do not add up" not in said.text
    link.close()


def test_a_gateway_that_makes_outbox_after_outbox_fills_no_disk(tmp_path: Path) -> None:
    town = Town(tmp_path, FakeClock())
    epochs = [f"{number:032x}" for number in range(1, MOST_OUTBOXES + 5)]
    for epoch in epochs:
        town.send((1, reading(1, "r-0001")), epoch=epochs[0])  # the one in use
        town.send((2, reading(2, "r-0001")), epoch=epoch)
        town.clock.advance(3_601)
        town.send((epochs.index(epoch) + 3, reading(3, "r-0001")), epoch=epochs[0])
    with town.county.ledger.read() as connection:
        kept = {one.epoch for one in tallies(connection)}
    assert kept == {epochs[0], *epochs[-MOST_OUTBOXES + 1 :]}
    assert town.counter("tally.forgotten") == 4
    town.stop()


def test_what_one_outbox_lacks_no_other_makes_up_for_and_a_dead_card_owes_nothing(tmp_path: Path) -> None:
    link = Link(tmp_path)
    for _ in range(4):
        link.accept("r-0001")
    link.settle(link.send(link.rows()[:1]))
    link.outbox.settle(Receipt(RECEIPT_VERSION, GATEWAY, link.outbox.epoch, 2), sent=SeqRanges([(1, 2)]))
    assert (link.tell()["r-0001"].owed, link.found()["r-0001"].missing) == (2, 1)
    with link.town.county.ledger.read() as connection:
        old = tallies(connection)
        assert total(connection, old) == Total(received=1, late=1, owed=2, lost=0, missing=1, not_known=0)
    link.town.deliver(heartbeat(GATEWAY, link.town.clock.wall_ms(), epoch="e" * 32))
    with link.town.county.ledger.read() as connection:
        more = [*old, replace(old[0], epoch="e" * 32, owed=3, missing=-1)]
        assert total(connection, more) == Total(received=2, late=2, owed=3, lost=0, missing=2, not_known=2)
    page = link.town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    assert page.arrived == Arrived(received=1, late=1, owed=0, lost=0, missing=1, not_known=2)
    (said,) = [each for each in examine(CloudConfig(data=tmp_path), clock=FakeClock()) if each.about == "readings"]
    assert "0 owed, 0 lost, 2 on cards not in use any more" in said.text
    link.close()


def test_a_tally_of_long_ago_is_not_compared(tmp_path: Path) -> None:
    link = Link(tmp_path)
    wire = link.told()
    link.send([(9_000, reading(1, "r-0001"))])
    assert link.tell(wire) == {}
    assert link.town.counter("tally.not_compared") == 1
    link.close()


@pytest.mark.parametrize(
    ("metric", "clock", "latest_ms", "after_ms", "late"),
    [
        ("heart_rate", ClockState.SYNCED, None, LATE_MS + 1_000, False),
        ("heart_rate", ClockState.SYNCED, None, LATE_MS + 1_001, True),
        ("heart_rate", ClockState.SYNCED, 500, LATE_MS + 500, False),
        ("heart_rate", ClockState.UNSET, 500, LATE_MS + 501, True),
        ("heart_rate", ClockState.UNSET, None, 10 * LATE_MS, False),
        ("help_button", ClockState.SYNCED, 0, LATE_EVENT_MS, False),
        ("help_button", ClockState.SYNCED, 0, LATE_EVENT_MS + 1, True),
    ],
)
def test_a_reading_is_late_where_it_certainly_took_longer_than_its_kind_is_promised(
    metric: str, clock: ClockState, latest_ms: int | None, after_ms: int, *, late: bool
) -> None:
    at_ms = 1_790_000_000_000
    known = {} if latest_ms is None else {"earliest_ms": at_ms, "latest_ms": at_ms + latest_ms}
    when = Times(at_ms, 1, "b" * 32, clock, **known)
    observation = Observation(metric, (Part(metric, (1,)),), Subject(SubjectKind.RESIDENT, "r-0001"), "d", when)
    assert is_late(observation, received_ms=at_ms + after_ms) is late


def test_the_residents_page_sums_up_all_outboxes(tmp_path: Path) -> None:
    link = Link(tmp_path)
    desk = link.town.county.services.desk
    before = desk.resident(COUNTY, "r-0001", days=1)
    assert before is not None
    assert before.arrived is None
    for _ in range(3):
        link.accept("r-0001")
    link.settle(link.send(link.rows()[:1]))
    link.tell()
    link.town.send((7, reading(7, "r-0001")), epoch="e" * 32)
    page = desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    assert page.arrived == Arrived(received=2, late=2, owed=2, lost=0, missing=0)  # stamped long before they came
    link.close()
