"""A county of its own for one run: broker and service as child processes in a temporary folder, ended whatever happens.

They are started as anyone would start them, by the programs beside this Python; nothing of them is imported.
"""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import Clock
from kanhu.firmware_sim.errors import FleetRefused
from kanhu.firmware_sim.fleet.play import gateway_names
from kanhu.firmware_sim.fleet.readings import resident_of

__all__ = ["HOST", "Cost", "County", "dump_by", "write_site"]

HOST = "127.0.0.1"
_PR_SET_PDEATHSIG = 1  # prctl(2): the kernel ends a child whose parent dies, however it dies
_STEP_S = 0.05
_START_S = 30.0
_STOP_S = 30.0  # it commits what waits
_VILLAGE_HOMES = 25
_TAIL_LINES = 10
_PROGRAM = "kanhu-cloud"

_libc = ctypes.CDLL(None)


@dataclass(slots=True)
class Cost:
    """What a process used until now."""

    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(slots=True)
class _Child:
    name: str
    process: asyncio.subprocess.Process
    log: Path
    cost: Cost = field(default_factory=Cost)


class County:
    """Broker and service; `start` and `stop` belong together."""

    def __init__(self, folder: Path, *, gateways: int, clock: Clock) -> None:
        """Nothing runs yet."""
        self._folder = folder
        self._gateways = gateways
        self._clock = clock
        self._children: dict[str, _Child] = {}
        self.port = 0

    async def start(self) -> None:
        """Enrol the gateways, start both and wait until they listen.

        Raises:
            FleetRefused: a program is missing, or ended instead of listening.
        """
        self.port, http_port = _free_ports(2)
        config, site = self._folder / "cloud.toml", self._folder / "site.toml"
        config.write_text(
            f'data = "data"\nbroker = "mqtt://{HOST}:{self.port}"\n\n[http]\nport = {http_port}\n', encoding="utf-8"
        )
        write_site(site, self._gateways)
        await self._spawn("broker", "broker", "--port", str(self.port), "--data", str(self._folder / "broker"))
        await self._run("site", "load", str(site), "--config", str(config))
        await self._wait_until_open("broker", self.port)
        await self._spawn("county", "serve", "--config", str(config))
        await self._wait_until_open("county", http_port)

    def cost(self, name: str) -> Cost:
        """What `broker` or `county` used until now, or until it was last asked before its end."""
        child = self._children[name]
        if child.process.returncode is None:
            child.cost = _cost(child.process.pid) or child.cost
        return child.cost

    def check(self) -> None:
        """Raise where a process ended that nobody had told to.

        Raises:
            FleetRefused: with its last lines.
        """
        for child in self._children.values():
            if child.process.returncode is not None:
                raise FleetRefused(f"{child.name} ended with {child.process.returncode}: {_tail(child.log)}")

    async def stop(self) -> None:
        """End both, the service first; one that does not end is killed."""
        for name in ("county", "broker"):
            if name in self._children:
                self.cost(name)
                await _end(self._children[name].process)

    async def dump(self) -> Path:
        """Return what the ledger holds, one line a record; the service need not run for it.

        Raises:
            FleetRefused: the ledger cannot be read.
        """
        out = self._folder / "ledger.ndjson"
        await self._run("ledger", "dump", "--config", str(self._folder / "cloud.toml"), "--out", str(out))
        return out

    async def _run(self, *arguments: str) -> None:
        child = await self._spawn(" ".join(arguments[:2]), *arguments)
        del self._children[child.name]
        try:
            code = await child.process.wait()
        except asyncio.CancelledError:
            await _end(child.process)
            raise
        if code:
            raise FleetRefused(f"{_PROGRAM} {child.name} ended with {code}: {_tail(child.log)}")

    async def _spawn(self, name: str, *arguments: str) -> _Child:
        log = self._folder / f"{name.replace(' ', '-')}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(_program()),
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the fleet only, which then ends both in order
                preexec_fn=_die_with_parent,
            )
        child = _Child(name, process, log)
        self._children[name] = child
        return child

    async def _wait_until_open(self, name: str, port: int) -> None:
        for _ in range(round(_START_S / _STEP_S)):
            self.check()
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await self._clock.sleep(_STEP_S)
                continue
            writer.close()
            return
        raise FleetRefused(f"{name} does not listen after {_START_S:g} s: {_tail(self._children[name].log)}")


def write_site(path: Path, gateways: int) -> None:
    """Write the site file that enrols a fleet: one person a gateway, 25 homes a village.

    Raises:
        FleetRefused: it cannot be written.
    """
    rows = ['[[place]]\nid = "fleet"\nkind = "county"\nzh = "模拟县"\nen = "Simulated county"\n']
    for number, name in enumerate(gateway_names(gateways)):
        place = f"fleet-village-{number // _VILLAGE_HOMES + 1:03d}"
        if number % _VILLAGE_HOMES == 0:
            rows.append(f'[[place]]\nid = "{place}"\nkind = "village"\nzh = "村"\nen = "{place}"\nparent = "fleet"\n')
        rows.append(f'[[gateway]]\nid = "{name}"\nkind = "home"\nplace = "{place}"\n')
        person = resident_of(name)
        rows.append(f'[[resident]]\nid = "{person}"\ngateway = "{name}"\nplace = "{place}"\nname = "{person}"\n')
    try:
        path.write_text("\n".join(rows), encoding="utf-8")
    except OSError as error:
        raise FleetRefused(f"{path}: {error.strerror}") from error


async def dump_by(command: Sequence[str], out: Path) -> Path:
    """Let somebody else's command write a ledger to `out`, whose name it finds where it says {}.

    Raises:
        FleetRefused: there is no such command, or it failed.
    """
    arguments = [part.replace("{}", str(out)) for part in command]
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,  # standard output is for figures
        )
    except OSError as error:
        raise FleetRefused(f"{arguments[0]}: {error.strerror}") from error
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if code:
        raise FleetRefused(f"{' '.join(arguments)} ended with {code}")
    return out


def _program() -> Path:
    beside = Path(sys.executable).with_name(_PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        raise FleetRefused(f"{_PROGRAM} is not installed beside this Python; install it, or name a broker by --broker")
    return Path(found)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _cost(pid: int) -> Cost | None:
    """Of a running process, from /proc; None where it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])  # utime and stime: proc(5), counted from the state behind the name
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return Cost(round(ticks / os.sysconf("SC_CLK_TCK"), 1), round(int(peak) / 1024, 1))


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n  ".join(["", *lines]) if lines else f"it wrote nothing into {log}; is there room on that disk?"


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
