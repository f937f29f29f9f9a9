"""One drain: a gateway with a full outbox, a real broker and a real county, and the link between them comes back.

Real processes on loopback, in a temporary folder. The link is a relay that counts bytes and, where asked, carries so
many a second each way. In mid-drain help buttons are pressed, by people of whom nothing else is known; a member of
staff who is signed in listens to the county's stream.
"""

import asyncio
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract import SystemClock
from kanhu.harness.conform.meter import Meter
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import Kind, LinkProxy
from kanhu.harness.ledger import Account, Books, lines_of
from kanhu.harness.ports import free_port
from kanhu.harness.prove.feeding import Feeding, residents_of
from kanhu.harness.prove.telling import Teller
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.stage import Stage, desk_client, dump_ledger, open_ground, start_county, wait_for_county

__all__ = ["GATEWAY", "Drained", "Filled", "drain", "filled"]

GATEWAY = "gw-1"
_WORN_BY = "r-worn"
_PRESSED_AT = (0.2, 0.5, 0.8)
"""Shares of the outbox that are gone when a help button is pressed; each is another person's."""

_SITE_PLACES = """
[[place]]
id = "yunling"
kind = "county"
zh = "云岭县"
en = "Yunling County"

[[place]]
id = "township"
parent = "yunling"
kind = "township"
zh = "township"
en = "township"

[[place]]
id = "village"
parent = "township"
kind = "village"
zh = "village"
en = "village"
"""
_UP_PATIENCE_S = 60.0
_POLL_S = 0.1
_LAST_ALERT_S = 60.0
_CONNECT_BYTES = 4  # CONNACK of MQTT 3.1.1


@dataclass(frozen=True, slots=True)
class Filled:
    """An outbox of a gateway that was long without a county, and what it promised."""

    outbox: Path
    journal: Path
    records: int
    seconds: float

    @property
    def mib(self) -> float:
        """Size of the file."""
        return self.outbox.stat().st_size / (1 << 20)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain found."""

    account: Account
    seconds: float
    """From the first connection until nothing of the absence was owed."""
    bytes_up: int
    bytes_down: int
    alerts_s: tuple[float, ...]
    """From the press to the county's stream; infinite where it never came."""
    redelivered: int
    peak_mib: float
    cpu_s: float
    connections: int


@asynccontextmanager
async def filled(*, count: int, seed: int) -> AsyncIterator[Filled]:
    """Fill an outbox in a folder of its own.

    Raises:
        ProgramFailed: the filling program ended badly.
    """
    async with open_ground("kanhu-offline-") as (folder, _):
        settings = _gateway_settings(folder / "filled", broker_port=1, journal=folder / "filled" / "accepted.ndjson")
        began_s = time.monotonic()
        command = [sys.executable, "-P", "-m", "kanhu.harness.prove.absence"]
        process = await asyncio.create_subprocess_exec(
            *command, "--config", str(settings), "--count", str(count), "--seed", str(seed),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip  # one flag with its value reads best
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode != 0:
            raise ProgramFailed("filling an outbox", said.decode(errors="replace"))
        made = settings.parent
        yield Filled(made / "outbox.db", made / "accepted.ndjson", count, time.monotonic() - began_s)


async def drain(full: Filled, *, bytes_per_s: float | None, broken: str | None, teller: Teller) -> Drained:
    """Let the link come back for a copy of this outbox, and see it through.

    Raises:
        ProcessDied: a process ended by itself.
        ProgramFailed, VillageFailed: the county did not come up.
    """
    async with AsyncExitStack() as stack:
        folder, processes = await stack.enter_async_context(open_ground("kanhu-drain-"))
        http_port, broker_port = free_port(), free_port()
        stage = Stage(
            folder=folder, homes=(), processes=processes, county=desk_client(http_port), http_port=http_port,
            broker_port=broker_port, say=teller.say,
        )  # fmt: skip  # a stage without homes
        stack.push_async_callback(stage.county.close)
        link = await stack.enter_async_context(LinkProxy(to_port=broker_port))
        if bytes_per_s is not None:
            await link.impose(Kind.RATE, amount=bytes_per_s)
        books = Books()
        (folder / GATEWAY).mkdir()
        shutil.copy(full.outbox, folder / GATEWAY / "outbox.db")
        feeding = Feeding(GATEWAY, folder / GATEWAY, books=books, clock=SystemClock(), seed=0)
        stack.push_async_callback(feeding.close)
        await feeding.open()
        await start_county(stage, _site(folder / "site.toml"))
        await wait_for_county(stage)
        await stage.county.read("/api/v1/board")  # signed in before anything happens
        watch = _Watch(stage, link, feeding, full.records, teller=teller, bytes_per_s=bytes_per_s)
        stack.push_async_callback(watch.close)
        command = [sys.executable, "-P", "-m", "kanhu.harness.prove.fed_gateway", "--feed", str(feeding.socket)]
        settings = _gateway_settings(folder / GATEWAY, broker_port=link.port, journal=feeding.pipe)
        command += ["--config", str(settings), *(("--broken", broken) if broken else ())]
        await processes.start(GATEWAY, command)
        seconds = await watch.until_drained()
        await watch.until_heard()
        watch.meter.look(processes.pid(GATEWAY))
        await processes.stop(GATEWAY)
        owed = {(GATEWAY, watch.epoch): watch.numbers()}
        await processes.stop("cloud")
        dump = await dump_ledger(stage)
        for line in lines_of(full.journal):
            books.note(GATEWAY, line)
        books.emitted += full.records
        return Drained(
            account=books.account(lines_of(dump), owed=owed),
            seconds=seconds,
            bytes_up=watch.bytes_up,
            bytes_down=link.bytes_down,
            alerts_s=watch.alerts_s(),
            redelivered=_counter(folder / "cloud" / "ledger.db", "ingest.redelivered"),
            peak_mib=watch.meter.peak_bytes / (1 << 20),
            cpu_s=watch.meter.cpu_s,
            connections=link.connections,
        )


class _Watch:
    """Looks at the outbox beside its owner, presses buttons as it empties, and listens to the county."""

    def __init__(
        self,
        stage: Stage,
        link: LinkProxy,
        feeding: Feeding,
        records: int,
        *,
        teller: Teller,
        bytes_per_s: float | None,
    ) -> None:
        self.meter = Meter()
        self.bytes_up = 0
        self._stage = stage
        self._link = link
        self._feeding = feeding
        self._records = records
        self._teller = teller
        self._way = "a free link" if bytes_per_s is None else f"{bytes_per_s * 8 / 1000:g} kbit/s"
        self._waiting = list(zip(_PRESSED_AT, feeding.residents, strict=True))
        self._pressed_ns: dict[str, int] = {}
        self._heard_ns: dict[str, int] = {}
        self._outbox = sqlite3.connect(f"{(stage.folder / GATEWAY / 'outbox.db').as_uri()}?mode=ro", uri=True)
        self.epoch: str = self._outbox.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
        self._listening = asyncio.create_task(stage.county.listen(self._told), name="stream")

    async def close(self) -> None:
        """End the listening."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._outbox.close()

    async def until_drained(self) -> float:
        """Seconds from the first connection until nothing of the absence is owed."""
        began_s = await self._connected()
        while True:
            self._stage.processes.check()
            self.meter.look(self._stage.processes.pid(GATEWAY))
            oldest = self._outbox.execute("SELECT min(seq) FROM outbox").fetchone()[0]
            gone = self._records if oldest is None else min(oldest - 1, self._records)
            took_s = time.monotonic() - began_s
            while self._waiting and gone >= self._waiting[0][0] * self._records:
                self._press(self._waiting.pop(0)[1])
            if gone == self._records:
                self.bytes_up = self._link.bytes_up
                return took_s
            self._teller.now(took_s, f"{self._way}: {gone} of {self._records} stored")
            await asyncio.sleep(_POLL_S)

    async def until_heard(self) -> None:
        """Wait for the alerts, and for what else is owed."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < _LAST_ALERT_S and (len(self._heard_ns) < len(_PRESSED_AT) or self.numbers()):
            self._stage.processes.check()
            await asyncio.sleep(_POLL_S)

    def numbers(self) -> Sequence[int]:
        """What the outbox holds."""
        return [row[0] for row in self._outbox.execute("SELECT seq FROM outbox")]

    def alerts_s(self) -> tuple[float, ...]:
        """How long each took."""
        return tuple(
            (self._heard_ns[subject] - pressed_ns) / 1e9 if subject in self._heard_ns else float("inf")
            for subject, pressed_ns in self._pressed_ns.items()
        )

    def _press(self, subject: str) -> None:
        self._pressed_ns[subject] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._feeding.press(subject)

    async def _told(self, seen: SeenAlert) -> None:
        self._heard_ns.setdefault(seen.subject, seen.heard_ns)

    async def _connected(self) -> float:
        for _ in range(round(_UP_PATIENCE_S / _POLL_S)):
            self._stage.processes.check()
            if self._link.bytes_down >= _CONNECT_BYTES:
                return time.monotonic()
            await asyncio.sleep(_POLL_S)
        raise ProgramFailed("starting the gateway", f"it does not connect within {_UP_PATIENCE_S:.0f} s")


def _gateway_settings(folder: Path, *, broker_port: int, journal: Path) -> Path:
    """Settings as shipped, but for what has to be said."""
    folder.mkdir(exist_ok=True)
    text = f'gateway = "{GATEWAY}"\ndata = "{folder}"\ntimezone = "Asia/Shanghai"\n'
    text += f'\n[broker]\nport = {broker_port}\n\n[journal]\npath = "{journal}"\n'
    text += "".join(f'\n[[resident]]\nid = "{resident}"\n' for resident in _residents())
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _residents() -> list[str]:
    return [_WORN_BY, *residents_of(GATEWAY)]


def _site(file: Path) -> Path:
    text = f'{_SITE_PLACES}\n[[gateway]]\nid = "{GATEWAY}"\nkind = "home"\nplace = "village"\n'
    for resident in _residents():
        text += (
            f'\n[[resident]]\nid = "{resident}"\ngateway = "{GATEWAY}"\nplace = "village"\nname = "{resident}"\n'
            f'name_en = "{resident}"\nsex = "f"\nbirth_year = 1950\naddress = "-"\ntags = []\n'
        )
    file.write_text(text, encoding="utf-8")
    return file


def _counter(ledger: Path, name: str) -> int:
    """One of the county's own counters; it must not run."""
    with sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True) as database:
        row = database.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0
