"""One village: its folder, its processes, and the steps by which it wakes and goes to sleep."""

import asyncio
import contextlib
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from kanhu.harness.errors import HarnessError
from kanhu.harness.village import settings
from kanhu.harness.village.county import County
from kanhu.harness.village.processes import Processes, environment
from kanhu.harness.village.script import Home

__all__ = [
    "HARNESS",
    "RECORDING",
    "USER",
    "Stage",
    "VillageFailed",
    "desk_client",
    "drained",
    "dump_ledger",
    "gateway_rows",
    "open_ground",
    "order",
    "start_county",
    "start_gateway",
    "start_simulator",
    "wait_for_county",
    "wait_for_gateways",
    "watch",
]

HARNESS = Path(__file__).resolve().parents[4]
RECORDING = HARNESS / "data" / "rr_af"
USER, ROLE = "li.jing", "county"

_UP_PATIENCE_S = 60.0
_POLL_S = 0.1
_TELL_EVERY_S = 15.0


class VillageFailed(HarnessError):
    """The village did not come up, or a part of it fell over."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything that runs, and where it keeps its files."""

    folder: Path
    homes: tuple[Home, ...]
    processes: Processes
    county: County
    http_port: int
    broker_port: int
    say: Callable[[str], None]
    """Tells the person at the terminal."""
    pace: settings.Pace = settings.USUAL
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Where the simulated devices of each home are reached."""

    @property
    def journal(self) -> Path:
        """Where the simulator writes every reading down."""
        return self.folder / "simulator" / "emitted.ndjson"

    @property
    def cloud_toml(self) -> Path:
        """Settings of the county."""
        return self.folder / "cloud" / "cloud.toml"

    @property
    def ledger_dump(self) -> Path:
        """What the county stored, once dumped."""
        return self.folder / "ledger.ndjson"

    def gateway_folder(self, home: str) -> Path:
        """Where one gateway keeps its outbox, its configuration and its journal."""
        return self.folder / "gateways" / home

    def accepted(self) -> list[tuple[str, Path]]:
        """Each gateway with its journal of promises."""
        return [(home.id, self.gateway_folder(home.id) / "accepted.ndjson") for home in self.homes]


@contextlib.asynccontextmanager
async def open_ground(prefix: str) -> AsyncIterator[tuple[Path, Processes]]:
    """A folder and a place for processes; all of it is gone when this is left, however it is left."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    logs = folder / "logs"
    logs.mkdir()
    processes = Processes(logs, environment())
    try:
        yield folder, processes
    finally:
        await processes.stop_all()
        shutil.rmtree(folder)


def desk_client(http_port: int) -> County:
    """A member of staff with a new password, not yet signed in."""
    return County(f"http://127.0.0.1:{http_port}", USER, secrets.token_urlsafe(9))


async def start_county(stage: Stage, site: Path) -> None:
    """Broker, register, desk and county."""
    cloud_toml = settings.write_cloud(
        stage.cloud_toml.parent, http_port=stage.http_port, broker_port=stage.broker_port, pace=stage.pace
    )
    await stage.processes.start("broker", _broker_command(stage))
    await _once(stage, "register", "site", "load", str(site), "--config", str(cloud_toml))
    password = stage.folder / "password"
    password.write_text(stage.county.password, encoding="utf-8")
    await _once(
        stage, "staff", "user", "add", USER, "--display", "李静", "--role", ROLE, "--place", "yunling",
        "--password-file", str(password), "--config", str(cloud_toml),
    )  # fmt: skip  # one flag with its value reads best
    await stage.processes.start("cloud", (_tool("kanhu-cloud"), "serve", "--config", str(cloud_toml)))


async def start_simulator(
    stage: Stage, scenario: Path, *, seed: int, recordings: Path, patience_s: float, speed: float = 1.0
) -> None:
    """All homes of the scenario; `links` of the stage then says where their devices are."""
    state = stage.journal.parent
    state.mkdir()
    await stage.processes.start(
        "simulator",
        (
            _tool("kanhu-sim"), "serve", "--scenario", str(scenario), "--state", str(state),
            "--journal", str(stage.journal), "--seed", str(seed), "--recordings", str(recordings),
            "--patience", str(patience_s), *(() if speed == 1.0 else ("--speed", str(speed))),
        ),
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip  # one flag with its value reads best
    links = state / "links.json"
    for _ in range(round(_UP_PATIENCE_S / _POLL_S)):
        stage.processes.check()
        if links.exists():
            stage.links = dict(json.loads(links.read_text(encoding="utf-8"))["homes"])
            return
        await asyncio.sleep(_POLL_S)
    raise VillageFailed("the simulator did not come up")


async def order(stage: Stage, word: bytes) -> None:
    """Tell the simulator to start or to stop."""
    simulator = stage.processes.children["simulator"].process
    if simulator.stdin is None:
        raise VillageFailed("the simulator cannot be told anything")
    simulator.stdin.write(word + b"\n")
    await simulator.stdin.drain()


async def start_gateway(stage: Stage, home: Home, *, broker_port: int | None = None) -> None:
    """One real gateway; its way to the broker may lead through a port of a proxy."""
    config = settings.write_gateway(
        stage.gateway_folder(home.id),
        home,
        stage.links[home.id],
        broker_port=broker_port or stage.broker_port,
        pace=stage.pace,
    )
    await stage.processes.start(home.id, (_tool("kanhu-gateway"), "run", "--config", str(config)))


async def wait_for_county(stage: Stage) -> None:
    """Until the county answers over HTTP."""
    for _ in range(round(_UP_PATIENCE_S / _POLL_S)):
        if await stage.county.is_up():
            return
        stage.processes.check()
        await asyncio.sleep(_POLL_S)
    raise VillageFailed(f"the county did not answer on {stage.county.base_url}")


async def wait_for_gateways(stage: Stage, *, patience_s: float = _UP_PATIENCE_S) -> None:
    """Until every gateway has said hello."""
    waiting = {home.id for home in stage.homes}
    now_s = asyncio.get_running_loop().time
    told_s = now_s()
    try:
        async with asyncio.timeout(patience_s):
            while waiting:
                stage.processes.check()
                waiting -= {row["id"] for row in await gateway_rows(stage) if row["state"] == "online"}
                if waiting and now_s() - told_s >= _TELL_EVERY_S:
                    told_s = now_s()
                    stage.say(f"{len(stage.homes) - len(waiting)} of {len(stage.homes)} gateways report so far")
                await asyncio.sleep(0.3)
    except TimeoutError:
        raise VillageFailed(f"gateways that did not report: {', '.join(sorted(waiting))}") from None
    stage.say(f"{len(stage.homes)} gateways report to the county")


def watch(stage: Stage, beside: Iterable[asyncio.Task[None]]) -> None:
    """Raise ProcessDied where a process ended by itself, and what ended a task that goes on beside the play."""
    stage.processes.check()
    for task in beside:
        if task.done():
            task.result()


async def gateway_rows(stage: Stage) -> list[dict[str, Any]]:
    """Rows of the equipment page; none while the county is killed and restarted, or too busy to answer."""
    try:
        return await stage.county.gateways()
    except httpx.HTTPError:
        return []


async def drained(stage: Stage, *, patience_s: float) -> bool:
    """Wait until no gateway owes anything; whether that came about."""
    # A heartbeat that says "nothing owed" from before the end is no proof.
    await asyncio.sleep(stage.pace.heartbeat_s + 1)
    try:
        async with asyncio.timeout(patience_s):
            while True:
                stage.processes.check()
                rows = await gateway_rows(stage)
                if rows and all(row["owed"] == 0 and row["state"] == "online" for row in rows):
                    return True
                await asyncio.sleep(0.5)
    except TimeoutError:
        return False


async def dump_ledger(stage: Stage) -> Path:
    """Write down what the county stored."""
    await _once(stage, "ledger", "ledger", "dump", "--out", str(stage.ledger_dump), "--config", str(stage.cloud_toml))
    return stage.ledger_dump


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _broker_command(stage: Stage) -> tuple[str, ...]:
    return (
        _tool("kanhu-cloud"), "broker", "--port", str(stage.broker_port), "--data", str(stage.folder / "broker"),
    )  # fmt: skip  # one flag with its value reads best


async def _once(stage: Stage, name: str, *arguments: str) -> None:
    """Run a kanhu-cloud command to its end."""
    child = await stage.processes.start(name, (_tool("kanhu-cloud"), *arguments))
    child.expected_to_run = False
    if await child.process.wait() != 0:
        raise VillageFailed(f"kanhu-cloud {' '.join(arguments)} failed:\n{child.log.read_text(encoding='utf-8')}")
