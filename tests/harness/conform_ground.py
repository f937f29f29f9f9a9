"""A broker and reference counties for the tests of conformance, honest and deliberately broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.segments import ledger_lines
from kanhu.contract import (
    Down,
    Envelope,
    MessageRefused,
    Receipt,
    SystemClock,
    decode_envelope,
    down_topic,
    encode_receipt,
)
from kanhu.harness.conform.bench import Bench, LedgerRow
from kanhu.harness.conform.clauses import ENROLLED
from kanhu.harness.conform.county import Committed, ReferenceCounty
from kanhu.harness.conform.kanhu_county import start_broker
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import Processes, environment

LATE_S = 0.3


class SaysSoFirst(ReferenceCounty):
    """Sends the receipt and commits a moment later."""

    async def settle(self, client: aiomqtt.Client, envelope: Envelope) -> None:
        seqs = [seq for seq, _ in envelope.records]
        early = Receipt(1, envelope.gateway, envelope.epoch, 0, ((seqs[0], seqs[-1]),))
        await client.publish(down_topic(envelope.gateway, Down.RECEIPT), encode_receipt(early), qos=0)
        await asyncio.sleep(LATE_S)
        await super().settle(client, envelope)


class PromisesEverything(ReferenceCounty):
    """Says of whatever it was sent that all is stored."""

    def receipt(self, gateway: str, epoch: str, **_: object) -> Receipt:
        return Receipt(1, gateway, epoch, 1_000_000)


class ForgetsConflicts(ReferenceCounty):
    """Keeps what came first, and never tells that something else came under the same name."""

    def commit(self, envelope: Envelope) -> None:
        known = self.committed.records.get((envelope.gateway, envelope.epoch), {})
        fresh = tuple(entry for entry in envelope.records if entry[0] not in known)
        if fresh:
            super().commit(Envelope(envelope.gateway, envelope.epoch, fresh))


@dataclass(slots=True)
class Switch:
    """Kills and starts one kind of county on what it has committed; also its ledger."""

    port: int
    kind: type[ReferenceCounty]
    committed: Committed = field(default_factory=Committed)
    running: asyncio.Task[None] | None = None

    async def rows(self) -> list[LedgerRow]:
        return self.committed.rows()

    async def kill(self) -> None:
        if self.running is not None:
            self.running.cancel()
            with suppress(asyncio.CancelledError):
                await self.running

    async def start(self) -> None:
        enrolled = frozenset(ENROLLED)
        county = self.kind(self.port, enrolled=enrolled, committed=self.committed, clock=SystemClock())
        self.running = asyncio.create_task(county.run(), name="county under test")
        await county.listening.wait()


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """The ledger of a county of this repository, read without starting its command each time."""

    path: Path

    async def rows(self) -> list[LedgerRow]:
        ledger = Ledger(self.path)
        try:
            with ledger.read() as connection:
                return [LedgerRow(line.gateway, line.epoch, line.seq, line.sha256) for line in ledger_lines(connection)]
        finally:
            ledger.close()


@asynccontextmanager
async def county_bench(folder: Path, kind: type[ReferenceCounty]) -> AsyncIterator[Bench]:
    """A broker and one county of this kind, ready to be asked."""
    processes = Processes(folder, environment())
    port = free_port()
    switch = Switch(port, kind)
    try:
        await start_broker(processes, folder=folder / "broker", port=port, name="broker")
        await switch.start()
        yield Bench(f"mqtt://127.0.0.1:{port}", SystemClock(), patience_s=3, crashes=1, ledger=switch, power=switch)
    finally:
        await switch.kill()
        await processes.stop_all()


def reason_of(wire: bytes) -> str:
    """Why this software refuses an envelope."""
    try:
        decode_envelope(wire)
    except MessageRefused as error:
        return error.reason.value
    return "none"
