"""What the outbox promises about one file."""

import sqlite3
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Gap, GapReason, Lane, Receipt, SeqRanges
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox, OutboxBusy, OutboxDamaged, OutboxError, OutboxRefused, _schema
from kanhu.gateway._lock import is_held
from kanhu.gateway.disk import allowed_bytes, damaged_files, open_outbox
from tests.gateway.records import heart_rate, sos

MIB = 1024 * 1024


def open_at(file: Path, *, max_bytes: int = 8 * MIB) -> Outbox:
    return Outbox.open(file, clock=FakeClock(), max_bytes=max_bytes)


def receipt(outbox: Outbox, *, contiguous: int = 0, ranges: tuple[tuple[int, int], ...] = ()) -> Receipt:
    return Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, contiguous, ranges)


def everything(outbox: Outbox) -> SeqRanges:
    return SeqRanges([(1, max(1, outbox.last_seq))])


def test_accepted_records_come_back_equal_and_in_order(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    records = [heart_rate(number) for number in range(5)]
    seqs = outbox.accept([(Lane.LIVE, record) for record in records])
    assert outbox.batch(Lane.LIVE) == list(zip(seqs, records, strict=True))
    outbox.close()


def test_pragmas_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox.check()
    outbox.close()


@pytest.mark.parametrize(
    "broken", [("synchronous", "NORMAL"), ("synchronous", "OFF"), ("journal_mode", "DELETE"), ("page_size", "1024")]
)
def test_a_weaker_pragma_refuses_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[str, str]
) -> None:
    settings = tuple(broken if name == broken[0] else (name, value) for name, value in _schema.SETTINGS)
    monkeypatch.setattr(_schema, "SETTINGS", settings)
    with pytest.raises(OutboxRefused, match=broken[0]):
        open_at(tmp_path / "outbox.db")


def test_a_file_somebody_took_out_of_wal_refuses_to_start(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    open_at(file).close()
    changed = sqlite3.connect(file)
    changed.execute("PRAGMA journal_mode = DELETE")
    changed.close()
    with pytest.raises(OutboxRefused, match="journal_mode"):
        open_at(file)


def test_another_programs_file_and_a_newer_schema_refuse_to_start(tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("CREATE TABLE theirs (a)")
    foreign.close()
    with pytest.raises(OutboxRefused, match="another program"):
        open_at(tmp_path / "foreign.db")
    open_at(tmp_path / "newer.db").close()
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute(f"PRAGMA user_version = {_schema.SCHEMA_VERSION + 1}")
    newer.close()
    with pytest.raises(OutboxRefused, match="schema"):
        open_at(tmp_path / "newer.db")


def test_a_file_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    cut_short = sqlite3.connect(file)
    cut_short.execute("PRAGMA journal_mode = WAL")
    cut_short.close()
    outbox = open_at(file)
    assert outbox.accept([(Lane.LIVE, heart_rate(1))]) == [1]
    outbox.close()


def test_only_one_process_opens_an_outbox(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    assert is_held(file)
    with pytest.raises(OutboxBusy):
        open_at(file)
    outbox.close()
    assert not is_held(file)
    open_at(file).close()


def test_epochs_differ_between_files_and_survive_reopening(tmp_path: Path) -> None:
    first, second = open_at(tmp_path / "one.db"), open_at(tmp_path / "two.db")
    epoch = first.epoch
    assert epoch != second.epoch
    first.close()
    second.close()
    again = open_at(tmp_path / "one.db")
    assert again.epoch == epoch
    again.close()


def test_numbers_are_never_given_out_twice(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    given: list[int] = []
    for round_number in range(4):
        outbox = open_at(file)
        given += outbox.accept([(Lane.LIVE, heart_rate(round_number * 3 + number)) for number in range(3)])
        outbox.settle(receipt(outbox, contiguous=given[-1]), sent=everything(outbox))
        assert outbox.owed().total == 0
        outbox.close()
    assert given == list(range(1, 13))


def test_states_and_counters_are_committed_with_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox.accept([(Lane.LIVE, heart_rate(1))], states={"r-0003": b"one"}, refused=[("cuff-03", "short")])
    outbox.accept([(Lane.ALERT, heart_rate(2)), (Lane.ALERT, sos(2))], states={"r-0003": b"two"})
    outbox.close()
    again = open_at(file)
    assert again.states() == {"r-0003": b"two"}
    assert again.counters() == {("strap-03", "accepted"): 2, ("cuff-03", "refused:short"): 1, ("", "findings"): 1}
    again.close()


def test_a_failed_call_stores_nothing_of_it(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    with pytest.raises(OutboxError):
        outbox.accept([(Lane.LIVE, heart_rate(1))], states={"r-0003": b"new", None: b""})  # type: ignore[dict-item]  # a subject no table takes
    assert outbox.owed().total == 0
    assert outbox.states() == {}
    assert outbox.counters() == {}
    assert outbox.batch(Lane.LIVE) == []
    outbox.close()


def test_a_receipt_settles_only_what_this_process_has_sent(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    seqs = outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(10)])
    sent = SeqRanges([(1, 4)])
    assert outbox.settle(receipt(outbox, contiguous=10), sent=sent) == 4
    assert [seq for seq, _ in outbox.batch(Lane.LIVE)] == seqs[4:]
    outbox.close()


def test_a_receipt_of_another_epoch_settles_nothing(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    outbox.accept([(Lane.LIVE, heart_rate(1))])
    foreign = Receipt(RECEIPT_VERSION, "home-03", "f" * 32, 1)
    assert outbox.settle(foreign, sent=everything(outbox)) == 0
    assert outbox.owed().total == 1
    outbox.close()


def test_a_copied_card_loses_nothing_to_receipts_for_the_numbers_of_its_twin(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(10)])
    beyond = receipt(outbox, contiguous=15)  # the twin went on to 15
    assert outbox.settle(beyond, sent=everything(outbox)) == 0
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(10, 30)])
    assert outbox.settle(beyond, sent=everything(outbox)) == 0, "numbers up to 15 may be the twin's"
    assert outbox.settle(receipt(outbox, contiguous=17, ranges=((20, 21),)), sent=everything(outbox)) == 4
    assert outbox.settle(receipt(outbox, ranges=((3, 2**63 - 1),)), sent=everything(outbox)) == 0
    assert outbox.owed().total == 26
    outbox.close()


def test_receipts_with_holes_leave_the_holes_owed(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(2000)])
    settled = outbox.settle(
        receipt(outbox, contiguous=600, ranges=((700, 1500), (1999, 2000))), sent=everything(outbox)
    )
    assert settled == 600 + 801 + 2
    owed = [seq for seq, _ in outbox.batch(Lane.LIVE)] + [seq for seq, _ in outbox.batch(Lane.LIVE, after=1800)]
    assert owed[0] == 601
    assert outbox.owed().total == 2000 - settled
    assert not set(owed) & {*range(1, 601), *range(700, 1501), 1999, 2000}
    outbox.close()


def test_quarantine_keeps_the_bytes_and_owes_a_gap(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(3)])
    outbox.quarantine([2], reason="not_storable")
    (seq, gap), *rest = outbox.batch(Lane.ALERT)
    assert not rest
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.metric, gap.ranges) == (GapReason.REFUSED_BY_COUNTY, "heart_rate", ((2, 2),))
    outbox.quarantine([seq], reason="malformed")
    assert outbox.batch(Lane.ALERT) == [], "a refused gap would make gaps for ever"
    assert outbox.counters()["", "quarantined"] == 2
    assert [number for number, _ in outbox.batch(Lane.LIVE)] == [1, 3]
    outbox.close()
    kept = sqlite3.connect(file)
    assert kept.execute("SELECT seq, reason FROM quarantine").fetchall() == [(2, "not_storable"), (seq, "malformed")]
    kept.close()


def test_a_damaged_row_does_not_hold_up_the_others(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(3)])
    outbox.close()
    card = sqlite3.connect(file)
    card.execute("UPDATE outbox SET record = x'00ff' WHERE seq = 2")
    card.commit()
    card.close()
    outbox = open_at(file)
    assert [seq for seq, _ in outbox.batch(Lane.LIVE)] == [1, 3]
    ((_, gap),) = outbox.batch(Lane.ALERT)
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.ranges) == (GapReason.DAMAGED, ((2, 2),))
    outbox.close()


def test_a_damaged_file_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(OutboxDamaged):
        open_at(file)
    outbox, aside = open_outbox(file, clock=FakeClock(), max_mib=4)
    assert aside is not None
    assert damaged_files(tmp_path) == [aside]
    assert aside.read_bytes().startswith(b"this is no database")
    assert outbox.accept([(Lane.LIVE, heart_rate(1))]) == [1]
    outbox.close()


def test_a_file_with_broken_pages_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(2000)])
    epoch = outbox.epoch
    outbox.close()
    with file.open("r+b") as card:
        card.seek(10 * 4096)
        card.write(b"\xa5" * (20 * 4096))
    outbox, aside = open_outbox(file, clock=FakeClock(), max_mib=4)
    assert aside is not None
    assert outbox.epoch != epoch, "new numbers cannot collide with the old ones"
    outbox.close()


def test_a_look_makes_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    assert not is_held(file)
    file.touch()  # a gateway that is just making it
    with pytest.raises(OutboxRefused, match="still being made"):
        Outbox.look(file, clock=FakeClock(), max_bytes=MIB)
    assert file.stat().st_size == 0
    owner = open_at(file)
    owner.accept([(Lane.LIVE, heart_rate(1))])
    owner.close()
    before = _files(tmp_path)
    visitor = Outbox.look(file, clock=FakeClock(), max_bytes=MIB)
    assert visitor.owed().total == 1
    assert visitor.space().limit == MIB // 4096
    visitor.close()
    assert {name: data for name, data in _files(tmp_path).items() if name in before} == before
    open_at(file).close()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_look_from_outside_reads_and_cannot_write(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    owner = open_at(file)
    owner.accept([(Lane.LIVE, heart_rate(1))])
    visitor = Outbox.look(file, clock=FakeClock(), max_bytes=MIB)
    assert visitor.owed().total == 1
    with pytest.raises(OutboxError):
        visitor.accept([(Lane.LIVE, heart_rate(2))])
    visitor.close()
    owner.close()


def test_a_quarter_of_the_partition_stays_free(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    assert allowed_bytes(file, max_mib=1) <= MIB
    assert allowed_bytes(file, max_mib=1 << 16) > 0
