"""The gateway as a process of the user kanhu, and what it has said."""

import asyncio
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress

import msgspec

from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import LinkReason
from kanhu.harness.prove.bluez.devices import Ward
from kanhu.harness.prove.bluez.gateway import Line, Plan

__all__ = ["Gateway"]

# The user and groups of debian.py. It may read whatever this machine's user may, for there its Python lies; to D-Bus
# and to BlueZ it is kanhu and nobody else.
_AS_KANHU = (
    "setpriv", "--reuid=990", "--regid=990", "--groups=990,101", "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)  # fmt: skip  # words by rows
_GOODBYE_S = 20.0


class Gateway:
    """Started, killed and started again; remembers what it said of each device."""

    def __init__(self, plan: Plan, ward: Ward) -> None:
        """Begin with `start`."""
        self.arrived: defaultdict[str, list[str]] = defaultdict(list)
        """Values by device, in order."""
        self.refused: list[tuple[str, str, str]] = []
        self.seen: dict[str, DeviceSeen] = {}
        self.reasons: defaultdict[str, list[LinkReason]] = defaultdict(list)
        """Each state that a device had."""
        self._plan = plan
        self._metrics = {one.name: one.metric for one in ward.all}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read; nothing is known of links yet."""
        self.seen.clear()
        plan = msgspec.json.encode(self._plan).decode()
        self._process = await asyncio.create_subprocess_exec(
            *_AS_KANHU, sys.executable, "-P", "-m", "kanhu.harness.prove.bluez.gateway", plan, stdout=subprocess.PIPE
        )
        self._listening = asyncio.create_task(self._listen(self._process), name="listening")

    async def kill(self) -> None:
        """As the kernel does where memory is short."""
        if self._process is not None:
            self._process.kill()
        await self._ended()

    async def stop(self) -> None:
        """As a service manager does."""
        if self._process is not None:
            self._process.terminate()
        await self._ended()

    def check(self) -> None:
        """Raise ChildProcessError where it ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            raise ChildProcessError(f"the gateway ended with {self._process.returncode}")

    async def _ended(self) -> None:
        if self._process is None or self._listening is None:
            return
        async with asyncio.timeout(_GOODBYE_S):
            await self._listening
            await self._process.wait()
        self._process = None

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for text in process.stdout:
            with suppress(msgspec.DecodeError):  # the half line of one that was killed
                self._take(msgspec.json.decode(text, type=Line))

    def _take(self, line: Line) -> None:
        if line.accepted is not None:
            device = line.accepted.device
            self.arrived[device].append(line.accepted.values.get(self._metrics[device], "nothing"))
        if line.refused is not None:
            self.refused.append(line.refused)
        if line.seen is not None:
            self.seen[line.seen.device] = line.seen
            self.reasons[line.seen.device].append(line.seen.reason)
