"""Readings by resident: what was accepted is confirmed, lost or owed, whatever happens to it, exactly."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock, Lane, Observation, Part, Receipt, Record, SeqRanges, Subject, SubjectKind
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox
from kanhu.gateway import _tally as tally_module
from kanhu.gateway.heartbeat import tallied
from tests.gateway.records import sos, times

WHOSE = ("r-0001", "r-0002", "r-0003", "")


def reading(number: int, whose: str) -> Observation:
    subject = Subject(SubjectKind.RESIDENT, whose) if whose else Subject(SubjectKind.UNIDENTIFIED, f"s-{number}")
    return Observation("heart_rate", (Part("heart_rate", (60,)),), subject, "strap-03", times(number))


def confirm(outbox: Outbox, *seqs: int) -> None:
    sent = SeqRanges((seq, seq) for seq in seqs)
    outbox.settle(Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, 0, tuple(sent)), sent=sent)


def held(outbox: Outbox) -> Counter[str]:
    """What is owed, counted record by record."""
    found: Counter[str] = Counter()
    for lane in (Lane.ALERT, Lane.LIVE):
        for _, record in outbox.batch(lane):
            if isinstance(record, Observation):
                found[record.subject.id if record.subject.kind is SubjectKind.RESIDENT else ""] += 1
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["accept", "confirm", "give back", "aside", "again"]), st.integers(0, 3)), max_size=25
    )
)
@example([("accept", 0), ("accept", 1), ("confirm", 0), ("confirm", 0), ("give back", 1), ("aside", 1), ("again", 0)])
def test_accepted_is_confirmed_lost_or_owed(steps: list[tuple[str, int]]) -> None:
    accepted: Counter[str] = Counter()
    clock = FakeClock()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "outbox.db"
        outbox = Outbox.open(file, clock=clock, max_bytes=1 << 22)
        for number, (step, at) in enumerate(steps, 1):
            owed = [seq for lane in (Lane.ALERT, Lane.LIVE) for seq, _ in outbox.batch(lane)]
            match step:
                case "accept":
                    records: list[tuple[Lane, Record]] = [
                        (Lane.LIVE, reading(number, WHOSE[at])),
                        (Lane.ALERT, sos(number)),
                    ]
                    outbox.accept(records)
                    accepted[WHOSE[at]] += 1
                case "confirm":
                    confirm(outbox, *owed[at::2])
                case "give back":
                    outbox.owe_again(ranges=[(1 + at, 2**63 - 1)], after=0, upto=outbox.delivered_upto())
                case "aside":
                    outbox.quarantine(owed[at : at + 1], reason="not_storable")
                case _:
                    outbox.close()
                    outbox = Outbox.open(file, clock=clock, max_bytes=1 << 22)
            tallies = outbox.tallies()
            assert {whose: one.accepted for whose, one in tallies.items()} == dict(accepted)
            assert Counter({whose: one.owed for whose, one in tallies.items() if one.owed}) == held(outbox)
        outbox.close()


def test_what_gives_way_in_a_full_file_is_lost_by_name_and_as_many_as_the_gaps_say(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=64 * 4096)
    for number in range(1, 3000, 20):
        outbox.accept([(Lane.LIVE, reading(at, WHOSE[at % 4])) for at in range(number, number + 20)])
    tallies = outbox.tallies()
    assert sum(one.lost for one in tallies.values()) == outbox.counters()["", "dropped"] > 0
    assert sum(one.owed for one in tallies.values()) == outbox.owed().routine
    outbox.close()


def test_a_damaged_row_is_lost_to_whom_it_was_accepted_for(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
    outbox.accept([(Lane.LIVE, reading(1, "r-0001"))])
    outbox._database.execute("UPDATE outbox SET record = x'00'")  # what a bad card does
    assert outbox.batch(Lane.LIVE) == []
    assert (outbox.tallies()["r-0001"].lost, outbox.tallies()["r-0001"].owed) == (1, 0)
    outbox.close()


def test_residents_beyond_the_bound_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "MOST_RESIDENTS", 2)
    outbox = Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
    for number in range(1, 7):
        outbox.accept([(Lane.LIVE, reading(number, f"r-{number % 3}"))])
    assert {whose: one.accepted for whose, one in outbox.tallies().items()} == {"": 2, "r-1": 2, "r-2": 2}
    assert outbox.counters() == {("strap-03", "accepted"): 6}
    outbox.close()


def test_a_file_of_before_is_counted_from_now_on(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)
    outbox.accept([(Lane.LIVE, reading(1, "r-0001"))])
    outbox._database.executescript(  # as an earlier version left it
        "ALTER TABLE outbox DROP COLUMN whose; DELETE FROM counter WHERE device LIKE char(31) || '%';"
    )
    outbox.close()
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)
    (seq,) = outbox.accept([(Lane.LIVE, reading(2, "r-0001"))])
    confirm(outbox, 1, seq)
    assert outbox.tallies()["r-0001"] == tally_module.ReadingTally(1, 1, 0)
    assert tallied(outbox).since == 1
    outbox.close()
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)
    assert tallied(outbox).since == 1, "opened once more, it is still the same number"
    outbox.close()


def test_what_is_owed_again_and_set_aside_is_lost_as_its_gap_says(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
    seqs = outbox.accept([(Lane.LIVE, reading(number, "r-0001")) for number in range(10)])
    confirm(outbox, *seqs)
    outbox.owe_again(ranges=[(1, 10)], after=0, upto=outbox.delivered_upto())
    assert outbox.tallies()["r-0001"] == tally_module.ReadingTally(10, 0, 0)
    outbox.quarantine(seqs[:3], reason="not_storable")
    confirm(outbox, *seqs[3:])
    assert outbox.tallies()["r-0001"] == tally_module.ReadingTally(10, 7, 3)
    outbox.close()


def test_a_table_of_delivered_records_of_before_is_counted_from_now_on(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)
    (first,) = outbox.accept([(Lane.LIVE, reading(1, "r-0001"))])
    confirm(outbox, first)
    outbox._database.execute("ALTER TABLE delivered DROP COLUMN whose")  # as an earlier version left it
    outbox.close()
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)
    (second,) = outbox.accept([(Lane.LIVE, reading(2, "r-0001"))])
    confirm(outbox, second)
    outbox.owe_again(ranges=[(second, second)], after=0, upto=outbox.delivered_upto())
    assert (outbox.tallies()["r-0001"].owed, outbox.owed().routine) == (1, 1)
    outbox.close()
