"""The broker as a child process of `serve`: nats-server on loopback, or whatever `kind` prepares.

Keeps its port in a file, so that gateways find it again after a restart. A broker of this folder that outlived its
parent is recognised by its pid file and settings path, and stopped.
"""

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kanhu.cloud.broker.settings import CONFIG_FILE, program, write_settings
from kanhu.cloud.errors import BrokerUnusable
from kanhu.contract import Clock

HOST = "127.0.0.1"
_PORT_FILE = "port"
_STEP_S = 0.05
_START_STEPS = 200  # ten seconds
_STOP_STEPS = 100
_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A broker that can be started: `PROGRAM -c SETTINGS`; its pid file is named like its settings."""

    program: Path
    settings: Path
    host: str
    """Address at which this machine reaches it."""
    port: int


class BrokerKind(Protocol):
    """One kind of broker."""

    def prepare(self, data: Path) -> Prepared:
        """Write its settings into its folder.

        Raises:
            BrokerUnusable: it is not installed.
        """


class PlainNats:
    """nats-server for this machine alone: nobody proves who they are."""

    def prepare(self, data: Path) -> Prepared:
        """On the port of last time."""
        port = keep_port(data / _PORT_FILE)
        return Prepared(program(), write_settings(data, host=HOST, port=port), HOST, port)


class BrokerChild:
    """One embedded broker in its folder."""

    def __init__(self, data: Path, clock: Clock, kind: BrokerKind | None = None) -> None:
        """Prepare; nothing runs yet."""
        self._data = data
        self._clock = clock
        self._kind = kind or PlainNats()
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnusable: not installed, or it ended instead of listening.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        made = self._kind.prepare(self._data)
        await self._stop_stale(made.settings)
        self.port = made.port
        log = (self._data / "broker.log").open("ab")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kanhu.cloud.broker.become", str(made.program), str(made.settings),
                str(os.getpid()), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip  # a command line reads as a line
        for _ in range(_START_STEPS):
            if self._process.returncode is not None:
                raise BrokerUnusable(f"the broker ended with {self._process.returncode}; see {self._data}/broker.log")
            if await _listens(made.host, made.port):
                return
            await self._clock.sleep(_STEP_S)
        await self.stop()
        raise BrokerUnusable(f"the broker does not listen on port {self.port}; see {self._data}/broker.log")

    def reload(self) -> None:
        """Let it read its lists again."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def wait(self) -> None:
        """Until it ends by itself.

        Raises:
            BrokerUnusable: always, for the supervisor to start it again.
        """
        if self._process is not None:
            code = await self._process.wait()
            raise BrokerUnusable(f"the broker ended with {code}; see {self._data}/broker.log")

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:  # it stands still; nothing that must not be lost is in it
            process.kill()
            await process.wait()

    async def _stop_stale(self, settings: Path) -> None:
        pid = stale_pid(self._data, settings.name)
        if pid is None:
            return
        for step in range(_STOP_STEPS):
            try:
                os.kill(pid, signal.SIGTERM if step < _STOP_STEPS // 2 else signal.SIGKILL)
            except ProcessLookupError:
                return
            await self._clock.sleep(_STEP_S)


def stale_pid(data: Path, name: str = CONFIG_FILE) -> int | None:
    """Process id of a broker that still runs with these settings of this folder; None where there is none."""
    settings = (data / name).absolute()
    try:
        pid = int(settings.with_suffix(".pid").read_text(encoding="ascii"))
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(settings).encode() in arguments else None


def keep_port(file: Path) -> int:
    """The port of last time, else a free one that is kept from now on."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        file.write_text(str(port), encoding="ascii")
        return port


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
