"""What is under test: a broker that forgets everything, a county, and gateways, each behind a link of its own.

Real processes, all on loopback, in one temporary folder; nothing is left behind, however it ends.
"""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanhu.cloud.broker.settings import program, write_settings
from kanhu.contract import Clock
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import Breakable, LinkFaults, LinkProxy, Place, ProcessFaults
from kanhu.harness.ledger import Books
from kanhu.harness.ports import free_port
from kanhu.harness.prove.feeding import Feeding, residents_of
from kanhu.harness.village.processes import Processes, environment

__all__ = ["COUNTY_LINK", "Size", "Town", "town"]

BROKER, CLOUD = "broker", "cloud"
COUNTY_LINK = "county"
"""Name of the link between county and broker."""

_BOX_BYTES = 1 << 28
_HEARTBEAT_S = 2
_UP_PATIENCE_S = 30.0
_POLL_S = 0.05
_SUBSCRIBED_BYTES = 4 + 5  # CONNACK and SUBACK of MQTT 3.1.1
_UPLINK = {"routine_s": 0.5, "receipt_timeout_s": 4, "reconnect_max_s": 1}
"""Short, so that many connections live and die in a short run; what they promise does not depend on it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is under test."""

    gateways: int = 4
    readings_per_s: float = 600.0
    """In all; fed to whichever gateways live."""
    pairs: bool = False
    """Whether two gateways measure the same people: the second those of the first, the fourth those of the third."""

    def home_of(self, name: str) -> str:
        """The gateway at which the people live whom this one measures."""
        number = self.names().index(name)
        return self.names()[number - number % 2] if self.pairs else name

    def names(self) -> tuple[str, ...]:
        """Ids of the gateways."""
        return tuple(f"gw-{number}" for number in range(1, self.gateways + 1))


class _Running:
    """Processes by name; a broker that starts again has forgotten everything."""

    def __init__(self, processes: Processes, *, broker_store: Path) -> None:
        self._processes = processes
        self._store = broker_store

    async def kill(self, name: str) -> None:
        await self._processes.kill(name)

    async def stop(self, name: str) -> None:
        await self._processes.stop(name)

    async def restart(self, name: str) -> None:
        if name == BROKER:
            shutil.rmtree(self._store, ignore_errors=True)
        await self._processes.restart(name)

    def pid(self, name: str) -> int:
        process = self._processes.children[name].process
        return process.pid if process.returncode is None else 0


class Town:
    """Everything that runs."""

    def __init__(self, folder: Path, size: Size, *, clock: Clock, seed: int, broken: str | None) -> None:
        self.size = size
        self.books = Books()
        self._folder = folder
        self._clock = clock
        self._broken = broken
        (folder / "logs").mkdir()
        self._processes = Processes(folder / "logs", environment())
        self._running = _Running(self._processes, broker_store=folder / BROKER / "store")
        self._feedings = {
            name: Feeding(
                name,
                _made(folder / name),
                residents=residents_of(size.home_of(name)),
                books=self.books,
                clock=clock,
                seed=seed,
            )
            for name in size.names()
        }
        self._port = free_port()
        names = (*size.names(), COUNTY_LINK)
        self._links = {name: LinkProxy(to_port=self._port, seed=f"{seed}/{name}") for name in names}
        self.process_faults = ProcessFaults(self._running)

    def places(self) -> Mapping[Place, Breakable]:
        """What can be broken here."""
        links = LinkFaults(self._links)
        processes = self.process_faults
        return {Place.GATEWAY: processes, Place.BROKER: processes, Place.CLOUD: processes, Place.LINK: links}

    async def start(self) -> None:
        """Bring everything up; returns before all have found one another."""
        for link in self._links.values():
            await link.open()
        settings = write_settings(self._folder / BROKER, host="127.0.0.1", port=self._port)
        await self._processes.start(BROKER, (str(program()), "-c", str(settings)))
        await self._start_county()
        await self._county_listens()
        for name, feeding in self._feedings.items():
            await feeding.open()
            await self._processes.start(name, self._gateway_command(feeding))

    async def _county_listens(self) -> None:
        """Gateways come after it, so that what is lost is lost by faults."""
        link = self._links[COUNTY_LINK]
        for _ in range(round(_UP_PATIENCE_S / _POLL_S)):
            if link.bytes_down >= _SUBSCRIBED_BYTES:
                return
            self.check()
            await asyncio.sleep(_POLL_S)
        raise ProgramFailed("starting the county", f"it does not listen after {_UP_PATIENCE_S:.0f} s")

    async def close(self) -> None:
        """End everything."""
        await self._processes.stop_all()
        for feeding in self._feedings.values():
            await feeding.close()
        for link in self._links.values():
            await link.close()

    def check(self) -> None:
        """Raise ProcessDied where one ended by itself, and whatever ended the noting of promises."""
        self._processes.check()
        for feeding in self._feedings.values():
            feeding.check()

    def pace(self, readings_per_s: float) -> None:
        """Share these out over the gateways."""
        for feeding in self._feedings.values():
            feeding.pace(readings_per_s / len(self._feedings))

    async def cut_all(self) -> None:
        """The last act: every gateway is killed at the same moment, and all come back."""
        names = [name for name in self.size.names() if self._running.pid(name)]
        await asyncio.gather(*(self._running.kill(name) for name in names))
        self.pace(0)
        await asyncio.gather(*(self._running.restart(name) for name in self.size.names()))

    def owed(self) -> dict[tuple[str, str], list[int]]:
        """What each outbox still holds, read beside its owner."""
        found: dict[tuple[str, str], list[int]] = {}
        for name in self.size.names():
            file = self._folder / name / "outbox.db"
            try:
                outbox = Outbox.look(file, clock=self._clock, max_bytes=_BOX_BYTES)
            except OutboxError:  # not made yet
                continue
            try:
                if outbox.owed().total:
                    found[name, outbox.epoch] = _numbers(file)
            finally:
                outbox.close()
        return found

    async def stop_gateways(self) -> None:
        """Let them say goodbye."""
        await self._processes.stop(*self.size.names())

    async def dump(self) -> Path:
        """Stop the county and have it write down what it holds."""
        await self._processes.stop(CLOUD)
        out = self._folder / "ledger.ndjson"
        await self._tool("ledger", "dump", "--out", str(out), "--config", str(self._cloud_toml))
        return out

    def county_counter(self, name: str) -> int:
        """One of the county's own counters; it must not run."""
        with sqlite3.connect(f"{(self._folder / CLOUD / 'ledger.db').as_uri()}?mode=ro", uri=True) as ledger:
            row = ledger.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    # -------------------------------------------------------------------------------------- settings

    @property
    def _cloud_toml(self) -> Path:
        return self._folder / CLOUD / "cloud.toml"

    async def _start_county(self) -> None:
        folder = _made(self._folder / CLOUD)
        broker = f"mqtt://127.0.0.1:{self._links[COUNTY_LINK].port}"
        text = _toml({"data": str(folder), "timezone": "Asia/Shanghai", "broker": broker})
        self._cloud_toml.write_text(text + _table("http", {"port": free_port()}), encoding="utf-8")
        site = folder / "site.toml"
        site.write_text(self._site(), encoding="utf-8")
        await self._tool("site", "load", str(site), "--config", str(self._cloud_toml))
        await self._processes.start(CLOUD, (_program("kanhu-cloud"), "serve", "--config", str(self._cloud_toml)))

    def _site(self) -> str:
        places = [("county", "", "county"), ("township", "county", "township"), ("village", "township", "village")]
        text = ""
        for place, parent, kind in places:
            row = {"id": place, "kind": kind, "zh": place, "en": place} | ({"parent": parent} if parent else {})
            text += _table("[place]", row)
        for name, feeding in self._feedings.items():
            text += _table("[gateway]", {"id": name, "kind": "home", "place": "village"})
            for resident in feeding.residents if self.size.home_of(name) == name else ():
                text += _table("[resident]", _resident(resident, name))
        return text

    def _gateway_command(self, feeding: Feeding) -> tuple[str, ...]:
        folder = self._folder / feeding.gateway
        text = _toml({"gateway": feeding.gateway, "data": str(folder), "timezone": "Asia/Shanghai"})
        text += _toml({"heartbeat_s": _HEARTBEAT_S})
        text += _table("broker", {"port": self._links[feeding.gateway].port, "keepalive_s": 5})
        text += _table("uplink", _UPLINK) + _table("journal", {"path": str(feeding.pipe)})
        for resident in feeding.residents:
            text += _table("[resident]", {"id": resident})
        file = folder / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-P", "-m", "kanhu.harness.prove.fed_gateway"]
        command += ["--config", str(file), "--feed", str(feeding.socket)]
        return (*command, *(("--broken", self._broken) if self._broken else ()))

    async def _tool(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            _program("kanhu-cloud"), *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=environment(),
        )  # fmt: skip  # a command line reads as a line
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode != 0:
            raise ProgramFailed(f"kanhu-cloud {' '.join(arguments)}", said.decode(errors="replace"))


@asynccontextmanager
async def town(size: Size, *, clock: Clock, seed: int, broken: str | None = None) -> AsyncIterator[Town]:
    """Bring a town up; stop every process and remove every file when left, however it is left."""
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="kanhu-prove-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        made = Town(folder, size, clock=clock, seed=seed, broken=broken)
        stack.push_async_callback(made.close)
        await made.start()
        yield made


def _numbers(file: Path) -> list[int]:
    with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as outbox:
        return [row[0] for row in outbox.execute("SELECT seq FROM outbox")]


def _resident(resident: str, gateway: str) -> dict[str, Any]:
    row = {"id": resident, "gateway": gateway, "place": "village", "name": resident, "name_en": resident}
    return row | {"sex": "f", "birth_year": 1950, "address": "-", "tags": []}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _table(name: str, values: Mapping[str, Any]) -> str:
    return f"\n[{name}]\n{_toml(values)}"


def _toml(values: Mapping[str, Any]) -> str:
    # JSON strings, numbers and arrays of strings are also TOML.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
