"""A county's ledger is put back to an older copy while a gateway runs on: afterwards everything is stored, once."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from kanhu.cloud.broker.child import BrokerChild
from kanhu.cloud.ingest.receiver import Receiver
from kanhu.cloud.ledger.database import LEDGER_FILE
from kanhu.contract import FakeClock, GatewayState, Lane, Status, SystemClock
from kanhu.gateway import Outbox
from tests.cloud.town import Town
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker

_HEARTBEAT_S = 0.3


class OldSender(Sender):
    """A gateway of before there were requests: its heartbeat names none."""

    async def _status(self, state: GatewayState) -> Status:
        return msgspec.structs.replace(await super()._status(state), requests=msgspec.UNSET)


@asynccontextmanager
async def listening(town: Town, broker: BrokerChild) -> AsyncIterator[None]:
    """One run of the county's service."""
    receiver = Receiver(lambda: broker.url, town.county.ingest, writer=town.county.writer, clock=SystemClock())
    running = asyncio.create_task(receiver.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def stored(town: Town) -> list[tuple[int, str]]:
    return sorted((line.seq, line.sha256) for line in town.lines())


@pytest.mark.parametrize("kind", [Sender, OldSender])
async def test_a_ledger_put_back_to_a_backup_fills_up_again_by_itself(tmp_path: Path, kind: type[Sender]) -> None:
    town = Town(tmp_path / "county", FakeClock())
    ledger, backup = tmp_path / "county" / LEDGER_FILE, tmp_path / "backup.db"
    broker = BrokerChild(tmp_path / "broker", SystemClock())
    await broker.start()
    gateway = kind(tmp_path / "outbox.db", broker.port, heartbeat_s=_HEARTBEAT_S, receipt_timeout_s=5.0)
    try:
        gateway.start()
        async with listening(town, broker):
            await gateway.accept([heart_rate(number) for number in range(40)])
            await gateway.settled()
        town.stop()
        shutil.copy(ledger, backup)
        town.start()
        async with listening(town, broker):
            await gateway.accept([heart_rate(number) for number in range(40, 900)])
            await gateway.accept([sos(900)], lane=Lane.ALERT)
            await gateway.settled()
            whole = stored(town)
        town.stop()
        for end in ("", "-wal", "-shm"):
            ledger.with_name(ledger.name + end).unlink(missing_ok=True)
        shutil.copy(backup, ledger)
        town.start()
        assert len(stored(town)) == 40
        async with listening(town, broker):
            await gateway.accept([heart_rate(901)])
            if kind is OldSender:
                await gateway.settled()
                assert len(stored(town)) == 41, "nobody asked: the test can fail"
                return
            await until(lambda: len(stored(town)) >= 902)
            await gateway.settled()
            assert stored(town)[:901] == whole, "the same numbers, the same bytes"
            assert len(stored(town)) == 902, "each once"
            assert await gateway.committer.call(Outbox.kept) == 902
            assert len(gateway.uplink.requests.taken) <= 3, "no start of the county asked twice"
    finally:
        await gateway.end()
        await broker.stop()
        town.stop()
