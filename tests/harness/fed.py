"""One fed gateway as a real process, a broker, and a county inside the test: what promises survive is seen at once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kanhu.contract import Gap, Observation, SystemClock
from kanhu.harness.ledger import Books
from kanhu.harness.prove.feeding import Feeding
from tests.gateway.broker import Broker
from tests.gateway.county import County

NAME = "home-03"
_RESIDENTS = "".join(f'[[resident]]\nid = "r-{NAME}-{number}"\n' for number in (1, 2, 3))


class Fed:
    """The gateway, what it is fed, and what it has promised."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.books = Books()
        self.broker = broker
        self.feeding = Feeding(NAME, folder, books=self.books, clock=SystemClock(), seed=1)
        self.process: asyncio.subprocess.Process | None = None
        self._folder = folder

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(
        self, data: Path, *, max_mib: int, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        config = self._folder / "gateway.toml"
        config.write_text(
            f'gateway = "{NAME}"\ndata = "{data}"\ntimezone = "Asia/Shanghai"\nheartbeat_s = 1\n'
            f"[broker]\nport = {self.broker.port}\n[outbox]\nmax_mib = {max_mib}\n"
            f"[uplink]\nroutine_s = 0.2\nreceipt_timeout_s = 2\nreconnect_max_s = 0.5\n"
            f'[journal]\npath = "{self.feeding.pipe}"\n{_RESIDENTS}',
            encoding="utf-8",
        )
        with (self._folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *prefix, sys.executable, "-P", "-m", "kanhu.harness.prove.fed_gateway",
                "--config", str(config), "--feed", str(self.feeding.socket),
                env={**os.environ, **(environment or {})}, stdout=log, stderr=log,
            )  # fmt: skip  # a command line reads as a line

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def feed(self, readings_per_s: float, *, until: Callable[[], bool]) -> None:
        """Feed until something is so."""
        self.feeding.pace(readings_per_s)
        await self.wait(until)
        self.feeding.pace(0)

    async def wait(self, until: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not until():
                assert self.process is not None
                assert self.process.returncode is None, (self._folder / "log").read_text(encoding="utf-8")
                await asyncio.sleep(0.05)

    @property
    def accepted(self) -> int:
        return self.books.accepted

    def missing_from(self, county: County) -> set[int]:
        """Promised numbers that the county does not hold."""
        return self.books.numbers(NAME) - set(county.stored)


def gap_numbers(county: County) -> tuple[set[int], int]:
    """Numbers that stored gap records name, and how many they count."""
    gaps = [record for record in county.stored.values() if isinstance(record, Gap)]
    named = {seq for gap in gaps for first, last in gap.ranges for seq in range(first, last + 1)}
    return named, sum(last - first + 1 for gap in gaps for first, last in gap.ranges)


def readings(county: County) -> list[Observation]:
    """Readings the county holds, in the order in which they were accepted."""
    return [record for _, record in sorted(county.stored.items()) if isinstance(record, Observation)]


@asynccontextmanager
async def fed_gateway(
    folder: Path,
    broker: Broker,
    *,
    data: Path | None = None,
    max_mib: int = 64,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Fed]:
    """Start it; it is killed at the end."""
    fed = Fed(folder, broker)
    await fed.feeding.open()
    try:
        await fed.start(data or folder / "data", max_mib=max_mib, prefix=prefix, environment=environment)
        yield fed
    finally:
        if fed.process is not None:
            await fed.kill()
        await fed.feeding.close()
