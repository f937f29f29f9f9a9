"""The intake: accepted means committed, and a card that takes nothing is told, counted, and survived."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kanhu.contract import (
    Clock,
    FakeClock,
    Finding,
    Lane,
    Observation,
    Part,
    Receipt,
    Record,
    Subject,
    SubjectKind,
    SystemClock,
    record_digest,
)
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.edge.pipeline import SensingPipeline
from kanhu.gateway import Outbox, OutboxDamaged, OutboxFailed, OutboxFull
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, UplinkConfig
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.intake import Intake
from kanhu.gateway.journal import Journal
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.uplink import Uplink
from kanhu.vitals import Judge, Runs, core_pack
from tests.gateway.records import RESIDENT, broken_page, heart_rate, times

_NOBODY = Subject(SubjectKind.UNIDENTIFIED, "session-1")


class StubbornOutbox(Outbox):
    """A card that can be told to take nothing."""

    trouble: OutboxFull | OutboxFailed | None = None
    commits = 0

    def accept(
        self,
        records: Sequence[tuple[Lane, Record]],
        *,
        states: Mapping[str, bytes] | None = None,
        refused: Sequence[tuple[str, str]] = (),
    ) -> list[int]:
        if self.trouble is not None:
            raise self.trouble
        self.commits += 1
        return super().accept(records, states=states, refused=refused)


class Bench:
    """An intake with a real judge and outbox, and no network."""

    def __init__(self, folder: Path) -> None:
        clock: Clock = FakeClock()
        self.outbox = StubbornOutbox.open(folder / "outbox.db", clock=clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.file = folder / "accepted.ndjson"
        self.journal = Journal(self.file)
        timekeeper = Timekeeper((), clock=clock)
        self.uplink = Uplink(
            "home-03",
            self.committer,
            broker=BrokerConfig(),
            config=UplinkConfig(),
            heartbeat_s=60,
            clock=SystemClock(),
            status=lambda _: pytest.fail("nobody asks"),
            timekeeper=timekeeper,
        )
        self.intake = Intake(
            self.committer,
            journal=self.journal,
            uplink=self.uplink,
            timekeeper=timekeeper,
            clocks=DeviceClocks({}, zone=ZoneInfo("Asia/Shanghai")),
        )
        self.judge_anew()

    def judge_anew(self) -> None:
        judge = Judge(core_pack(), Runs.GATEWAY, {}, timezone(timedelta(hours=8)))
        pipeline = SensingPipeline(judge, profiles={})
        pipeline.restore(self.outbox.states())
        self.intake.judge_with(pipeline)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    async def lane(self, lane: Lane) -> list[tuple[int, Record]]:
        return await self.committer.call(lambda outbox: outbox.batch(lane))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.committer.close()
    bench.journal.__exit__()


def press(number: int, *, subject: Subject = RESIDENT) -> Observation:
    return Observation("help_button", (Part("help_button", (1,)),), subject, "button-03", times(number))


async def test_the_journal_names_what_was_committed(bench: Bench) -> None:
    await bench.intake.accept(heart_rate(1, metric="weight"))
    await bench.intake.refuse("cuff-03", "short", "3 bytes")
    ((seq, record),) = await bench.lane(Lane.LIVE)
    accepted, refused = bench.lines()
    assert accepted == {
        "kind": "reading",
        "seq": seq,
        "epoch": bench.outbox.epoch,
        "sha256": record_digest(record).hex(),
        "metric": "weight",
        "device": "strap-03",
    }
    assert refused == {"refused": "short", "device": "cuff-03"}


async def test_a_press_and_its_finding_leave_together_in_the_alert_lane(bench: Bench) -> None:
    await bench.intake.accept(press(1))
    assert [line["kind"] for line in bench.lines()] == ["reading", "finding"]
    assert len(await bench.lane(Lane.ALERT)) == 2
    assert await bench.lane(Lane.LIVE) == []


async def test_a_press_of_nobody_known_does_not_wait_either(bench: Bench) -> None:
    await bench.intake.accept(press(1, subject=_NOBODY))
    assert bench.lines()[0]["kind"] == "reading"
    assert await bench.lane(Lane.ALERT)


@pytest.mark.parametrize(
    ("trouble", "reason"), [(OutboxFull("full"), "outbox_full"), (OutboxFailed("EIO"), "outbox_failed")]
)
async def test_a_reading_the_card_does_not_take_is_refused_and_counted_later(
    bench: Bench, trouble: OutboxFull | OutboxFailed, reason: str
) -> None:
    bench.outbox.trouble = trouble
    assert not await bench.intake.accept(heart_rate(1, metric="weight"))
    assert not await bench.intake.accept(heart_rate(2, metric="weight"))
    await bench.intake.refuse("cuff-03", "short", "")
    assert bench.lines() == []
    bench.outbox.trouble = None
    assert await bench.intake.accept(heart_rate(3, metric="weight"))
    counters = await bench.committer.call(Outbox.counters)
    assert counters == {
        ("strap-03", "accepted"): 1,
        ("strap-03", f"refused:{reason}"): 2,
        ("cuff-03", "refused:short"): 1,
    }
    assert len(bench.lines()) == 4


async def test_a_day_without_a_card_is_counted_in_few_commits(bench: Bench) -> None:
    bench.outbox.trouble = OutboxFailed("EIO")
    for number in range(3000):
        await bench.intake.refuse("strap-03", "no_contact", str(number))
    bench.outbox.trouble = None
    before = bench.outbox.commits
    await bench.intake.accept(heart_rate(3, metric="weight"))
    assert bench.outbox.commits - before == 2
    counters = await bench.committer.call(Outbox.counters)
    assert counters["strap-03", "refused:no_contact"] == 3000


async def test_a_damaged_file_is_noticed_whoever_finds_it(bench: Bench) -> None:
    bench.outbox.trouble = OutboxDamaged("malformed")
    await bench.intake.refuse("strap-03", "short", "")
    assert bench.committer.damaged.is_set()
    bench.committer.damaged.clear()

    def read(_: Outbox) -> None:
        raise broken_page()

    with pytest.raises(OutboxDamaged):
        await bench.committer.call(read)
    assert bench.committer.damaged.is_set()


async def test_a_call_for_help_that_the_card_did_not_take_is_carried_and_written_once_it_does(bench: Bench) -> None:
    bench.outbox.trouble = OutboxFailed("EIO")
    await bench.intake.accept(press(1))
    assert len(bench.uplink.unwritten) == 2
    await bench.intake.accept(heart_rate(1, metric="weight"))  # no alert: refused
    assert len(bench.uplink.unwritten) == 2
    assert bench.lines() == []
    bench.outbox.trouble = None
    await bench.intake.accept(heart_rate(2, metric="weight"))
    assert len(bench.uplink.unwritten) == 0
    assert [line.get("kind") for line in bench.lines()] == ["reading", "reading", "finding", None]
    reading, finding = (record for _, record in await bench.lane(Lane.ALERT))
    assert (reading, isinstance(finding, Finding)) == (press(1), True)
    counters = await bench.committer.call(Outbox.counters)
    assert counters["strap-03", "refused:outbox_failed"] == 1
    assert ("button-03", "refused:outbox_failed") not in counters


async def test_rules_keep_no_state_that_says_more_than_file_or_county_know(bench: Bench) -> None:
    bench.outbox.trouble = OutboxFailed("EIO")
    await bench.intake.accept(press(1))
    bench.uplink.unwritten.parcels()  # a broker has had it: it stays in memory until the county answers
    bench.outbox.trouble = None
    await bench.intake.accept(press(2))
    assert bench.outbox.states() == {}
    settled = Receipt(RECEIPT_VERSION, "home-03", bench.uplink.unwritten.epoch, 2)
    bench.uplink.unwritten.settle(settled)
    await bench.intake.accept(press(3))
    await bench.intake.accept(press(4))
    assert bench.outbox.states()
    assert {line["epoch"] for line in bench.lines()} == {bench.outbox.epoch, bench.uplink.unwritten.epoch}


async def test_a_finding_that_neither_card_nor_memory_took_is_raised_again_after_the_restore(bench: Bench) -> None:
    while bench.uplink.carry([press(0)]):
        pass
    bench.outbox.trouble = OutboxFailed("EIO")
    with pytest.raises(OutboxFailed):
        await bench.intake.accept(press(1))
    bench.uplink.unwritten.take_waiting()
    bench.outbox.trouble = None
    bench.judge_anew()  # as the supervisor does
    await bench.intake.accept(press(2))
    assert [line["kind"] for line in bench.lines() if "kind" in line] == ["reading", "finding"]


async def test_an_unforeseen_error_leaves_nobody_waiting(bench: Bench) -> None:
    class Unforeseen(Exception):
        pass

    bench.outbox.trouble = Unforeseen()  # type: ignore[assignment]  # what nobody planned for
    with pytest.raises(Unforeseen):
        await bench.committer.accept([(Lane.LIVE, heart_rate(1))])
    bench.outbox.trouble = None
    assert await bench.committer.accept([(Lane.LIVE, heart_rate(1))]) == [1]
