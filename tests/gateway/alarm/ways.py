"""Ways of telling that only remember what they were asked, and the bench that asks them on a fake clock."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kanhu.contract import AlarmStatus, FakeClock, Finding, Lane, Phase, Receipt, SeqRanges, Times
from kanhu.contract.actions import ActionOutcome
from kanhu.gateway import Outbox
from kanhu.gateway.alarm.acting import Acknowledgement, Message, News, Result
from kanhu.gateway.alarm.keeper import AlarmKeeper
from kanhu.gateway.committer import Committer
from tests.gateway.records import sos

WELL = Result(ActionOutcome.DONE)
FAILED = Result(ActionOutcome.FAILED, "program_missing")


class ToldWay:
    """Answers what it is told to answer."""

    def __init__(self, channel: str = "voice", role: str = "") -> None:
        self.channel = channel
        self.role = role
        self.told: list[Message] = []
        self.rested = 0
        self.answer = WELL
        self.hold: asyncio.Event | None = None

    def concerns(self, finding: Finding) -> bool:
        del finding
        return True

    async def tell(self, message: Message, finding: Finding) -> Result:
        del finding
        self.told.append(message)
        if self.hold is not None:
            await self.hold.wait()
        return self.answer

    async def rest(self) -> None:
        self.rested += 1


class Bench:
    """An outbox with a keeper, on a clock that moves only when told."""

    def __init__(self, folder: Path, *ways: ToldWay, kind: type[Outbox] = Outbox) -> None:
        self.folder = folder
        self.kind = kind
        self.ways = ways
        self.clock = FakeClock(datetime(2026, 3, 2, 22, 10, tzinfo=UTC), boot="1" * 32)
        self.announced: list[Lane] = []
        self.reports: dict[int, bool] = {}
        self.answers: list[Acknowledgement] = []
        self.start()

    def start(self) -> None:
        """Open the file and let the keeper run."""
        self.outbox = self.kind.open(self.folder / "outbox.db", clock=self.clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.keeper = AlarmKeeper(
            self.committer,
            self.ways,
            receipt_s=60,
            clock=self.clock,
            announce=self.announced.extend,
            tidings=self._tidings,
        )
        self._task = asyncio.create_task(self.keeper.run())

    async def stop(self) -> None:
        """Let go, as a process does that is told to stop."""
        self._task.cancel()
        await asyncio.wait({self._task})
        await self.committer.close()

    async def restart(self) -> None:
        """A new process on the same file."""
        await self.stop()
        self.start()
        await self.settle()

    async def raise_sos(self, number: int = 1, **changes: Any) -> int:
        """A call for help is committed now."""
        now = Times(self.clock.wall_ms(), self.clock.mono_ns(), self.clock.boot, self.clock.state())
        finding = msgspec.structs.replace(sos(number), **{"times": now, **changes})
        (seq,) = await self.committer.accept([(Lane.ALERT, finding)])
        return seq

    async def call_off(self, number: int = 1) -> int:
        """The person says: I am fine."""
        return await self.raise_sos(number, phase=Phase.END, reason="called_off")

    async def confirm(self, *seqs: int) -> None:
        """The county's receipt for these numbers."""
        receipt = Receipt(1, "home-03", self.outbox.epoch, 0, tuple((seq, seq) for seq in seqs))
        sent = SeqRanges([(1, 10_000)])
        await self.committer.call(lambda outbox: outbox.settle(receipt, sent=sent))

    async def wait(self, seconds: float) -> None:
        """Let this time pass, a second at a time, as the keeper looks; a long time in longer steps."""
        step_s = 1 if seconds <= 120 else 5
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            await self.settle()

    async def settle(self) -> None:
        """Let whatever can go on go on."""
        for _ in range(3):
            await asyncio.sleep(0)
            await self.committer.call(lambda _: None)

    async def standing(self) -> AlarmStatus:
        """What the heartbeat says now."""
        return await self.committer.call(self.keeper.standing)

    async def findings(self) -> list[Finding]:
        """What is owed to the county."""
        owed = await self.committer.call(lambda outbox: outbox.batch(Lane.ALERT))
        return [record for _, record in owed if isinstance(record, Finding)]

    async def counted(self) -> dict[str, int]:
        """Named reasons so far."""
        counters = await self.committer.call(Outbox.counters)
        return {
            name.removeprefix("alarm:"): count for (_, name), count in counters.items() if name.startswith("alarm:")
        }

    async def _tidings(self) -> News:
        found, self.reports = self.reports, {}
        answers, self.answers = self.answers, []
        return News(found, tuple(answers))


def actions_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Of the newest report."""
    return findings[-1].actions
