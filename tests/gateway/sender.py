"""The sending half of a gateway: outbox and uplink, without devices."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from kanhu.contract import GatewayState, Lane, Observation, Record, Running, Status, SystemClock
from kanhu.gateway import Outbox
from kanhu.gateway._figures import Owed
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, UplinkConfig
from kanhu.gateway.heartbeat import heartbeat
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.uplink import Uplink

QUICK = UplinkConfig(routine_s=0.05, routine_count=100, receipt_timeout_s=1.0, reconnect_max_s=0.2)


class Sender:
    """One gateway's outbox with its uplink."""

    def __init__(
        self, file: Path, port: int, *, kind: type[Uplink] = Uplink, heartbeat_s: float = 60.0, **changes: float
    ) -> None:
        self.clock = SystemClock()
        self.outbox = Outbox.open(file, clock=self.clock, max_bytes=1 << 26)
        self.epoch = self.outbox.epoch
        self.committer = Committer(self.outbox)
        self.timekeeper = Timekeeper((), clock=self.clock)
        self.uplink = kind(
            "home-03",
            self.committer,
            broker=BrokerConfig(port=port, keepalive_s=5),
            config=msgspec.structs.replace(QUICK, **changes),
            heartbeat_s=heartbeat_s,
            clock=self.clock,
            status=self._status,
            timekeeper=self.timekeeper,
        )
        self.heartbeat_s = heartbeat_s
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def start(self) -> None:
        """Connect and send."""
        self._task = asyncio.create_task(self.uplink.run(), name="uplink")

    async def accept(self, records: Sequence[Record], *, lane: Lane = Lane.LIVE) -> list[int]:
        """Commit and announce, as the intake does."""
        seqs = await self.committer.accept([(lane, record) for record in records])
        about = next((record.subject.id for record in records if isinstance(record, Observation)), "")
        self.uplink.announce([lane], subject=about)
        return seqs

    async def owed(self) -> Owed:
        """What is not settled."""
        return await self.committer.call(Outbox.owed)

    async def settled(self, *, within_s: float = 20.0) -> None:
        """Wait until nothing is owed."""
        deadline = time.monotonic() + within_s
        while (await self.owed()).total:
            assert time.monotonic() < deadline, f"still owed: {await self.owed()}, ends {self.uplink.ends}"
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Flush and say goodbye."""
        self.uplink.stop()
        if self._task is not None:
            await asyncio.wait_for(self._task, 15)

    async def end(self) -> None:
        """Drop everything, as a power cut would, but close the file."""
        if self._ended:
            return
        self._ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self.committer.close()

    async def _status(self, state: GatewayState) -> Status:
        status = await self.committer.call(
            partial(
                heartbeat,
                gateway="home-03",
                state=state,
                heartbeat_s=self.heartbeat_s,
                clock=self.clock,
                running=Running(self.timekeeper.asking(), self.timekeeper.boots()),
            )
        )
        return msgspec.structs.replace(status, requests=self.uplink.requests.taken)


async def until(condition: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to hold"
        await asyncio.sleep(0.02)
