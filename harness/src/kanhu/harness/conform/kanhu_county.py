"""kanhu's own county as the one under test: its broker, its service, its ledger, and the switch that kills it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from kanhu.harness.conform.bench import LedgerRow
from kanhu.harness.conform.clauses import ENROLLED
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import Processes

__all__ = ["KanhuCounty", "broker_answers", "start_broker"]

_UP_S = 30.0
_POLL_S = 0.05
_CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x05\x00\x07conform"
_CONNACK = b"\x20\x02\x00\x00"


@dataclass(frozen=True, slots=True)
class KanhuCounty:
    """It is its own ledger view and power switch."""

    folder: Path
    processes: Processes
    broker_port: int

    @classmethod
    async def begin(
        cls, folder: Path, processes: Processes, *, site: Path | None = None, program: Sequence[str] = ()
    ) -> "KanhuCounty":
        """Write its settings, enrol the gateways, start it, and wait until it hears; the caller stops the processes.

        Gateways are those of the clauses where no `site` names others; `program` serves in place of `kanhu-cloud`.

        Raises:
            ProgramFailed: it does not hear its gateways within half a minute.
            ProcessDied: a part of it ended.
        """
        county = cls(folder, processes, free_port())
        http_port = free_port()
        data = folder / "county"
        data.mkdir(parents=True)
        county.settings.write_text(
            f"data = {json.dumps(str(data))}\n"
            f'broker = "mqtt://127.0.0.1:{county.broker_port}"\n'
            f'\n[http]\nhost = "127.0.0.1"\nport = {http_port}\n',
            encoding="utf-8",
        )
        await start_broker(processes, folder=folder / "broker", port=county.broker_port, name="broker")
        await county._once("site", "load", str(site or _write_site(folder / "site.toml")))
        await processes.start("cloud", (*(program or (_tool(),)), "serve", "--config", str(county.settings)))
        await _until_up("cloud", partial(_hears, f"http://127.0.0.1:{http_port}/api/v1/health"), processes=processes)
        return county

    @property
    def settings(self) -> Path:
        """cloud.toml."""
        return self.folder / "cloud.toml"

    @property
    def url(self) -> str:
        """Of the broker."""
        return f"mqtt://127.0.0.1:{self.broker_port}"

    async def rows(self) -> list[LedgerRow]:
        """The ledger's dump."""
        file = self.folder / "ledger.ndjson"
        await self._once("ledger", "dump", "--out", str(file))
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [LedgerRow(line["gateway"], line["epoch"], line["seq"], line["sha256"]) for line in lines]

    async def kill(self) -> None:
        """SIGKILL to the service; the broker goes on."""
        await self.processes.kill("cloud")

    async def start(self) -> None:
        """Start the service again."""
        await self.processes.restart("cloud")

    async def _once(self, *arguments: str) -> None:
        child = await self.processes.start("-".join(arguments[:2]), (_tool(), *arguments, "--config",
                                                                     str(self.settings)))  # fmt: skip
        child.expected_to_run = False
        if await child.process.wait() != 0:
            raise ProgramFailed(f"kanhu-cloud {' '.join(arguments)}", child.log.read_text(encoding="utf-8"))


def _write_site(file: Path) -> Path:
    place = '[[place]]\nid = "conform"\nkind = "county"\nzh = "测试县"\nen = "Test county"\n'
    rows = "".join(f'\n[[gateway]]\nid = "{name}"\nkind = "home"\nplace = "conform"\n' for name in ENROLLED)
    file.write_text(place + rows, encoding="utf-8")
    return file


async def start_broker(processes: Processes, *, folder: Path, port: int, name: str) -> None:
    """Start a broker of kanhu, and wait until it speaks MQTT.

    Raises:
        ProgramFailed: it does not within half a minute.
        ProcessDied: it ended.
    """
    await processes.start(name, (_tool(), "broker", "--port", str(port), "--data", str(folder)))
    await _until_up(name, partial(broker_answers, port), processes=processes)


async def _until_up(name: str, is_up: Callable[[], Awaitable[bool]], *, processes: Processes) -> None:
    try:
        async with asyncio.timeout(_UP_S):
            while not await is_up():
                processes.check()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise ProgramFailed(f"starting {name}", f"it is not up after {_UP_S:.0f} s") from None


async def _hears(health: str) -> bool:
    """Whether the county is subscribed: what gateways publish before that reaches nobody."""
    # On this machine: no proxy of the environment has business in between.
    async with httpx.AsyncClient(trust_env=False) as client:
        with suppress(httpx.TransportError):
            return bool((await client.get(health)).json()["broker"] == "connected")
    return False


async def broker_answers(port: int) -> bool:
    """Whether an MQTT broker takes connections there."""
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(writer):
            writer.write(_CONNECT)
            return await reader.readexactly(len(_CONNACK)) == _CONNACK
    return False


def _tool() -> str:
    return str(Path(sys.executable).with_name("kanhu-cloud"))
