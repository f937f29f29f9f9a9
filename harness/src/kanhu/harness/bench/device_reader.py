"""The process whose cost is measured: reads devices as a gateway does, and keeps nothing.

`python -m kanhu.harness.bench.device_reader PLAN.json OUT.json`. PLAN names devices, their ways and the radio; OUT is
written when the process is told to stop.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from kanhu.contract import Observation, SystemClock
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig
from kanhu.edge.sensing import run_devices

__all__ = ["Plan", "Read"]


class Plan(msgspec.Struct, frozen=True):
    """What to read."""

    devices: tuple[DeviceConfig, ...]
    bumble: str | None
    warm_up: int
    """Readings after which counting of time and processor begins."""


class Read(msgspec.Struct):
    """What was read, and what that took."""

    accepted: dict[str, int]
    refused: dict[str, int]
    links: dict[str, int]
    """How often the way to each device was opened."""
    seconds: float = 0.0
    """From the end of the warm-up to the last reading."""
    cpu_s: float = 0.0
    counted: int = 0
    """Readings in that time."""
    rss_mb: float = 0.0


class _Counting:
    """Takes readings and counts."""

    def __init__(self, warm_up: int) -> None:
        self.read = Read(Counter(), Counter(), {})
        self._warm_up = warm_up
        self._taken = 0
        self._began = (0.0, 0.0)

    async def accept(self, observation: Observation) -> bool:
        self.read.accepted[observation.device] += 1
        self._tick()
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        del reason, detail
        self.read.refused[device] += 1
        self._tick()

    def device_seen(self, seen: DeviceSeen) -> None:
        self.read.links[seen.device] = seen.links

    def _tick(self) -> None:
        self._taken += 1
        now = (time.monotonic(), time.process_time())
        if self._taken <= self._warm_up:
            self._began = now
            return
        self.read.counted = self._taken - self._warm_up
        self.read.seconds = now[0] - self._began[0]
        self.read.cpu_s = now[1] - self._began[1]


def main(plan_file: Path, out: Path) -> None:
    """Read until told to stop, then write what was read."""
    read = asyncio.run(_read(msgspec.json.decode(plan_file.read_bytes(), type=Plan)))
    out.write_bytes(msgspec.json.encode(read))


async def _read(plan: Plan) -> Read:
    sink = _Counting(plan.warm_up)
    radio = None if plan.bumble is None else RadioConfig(bumble=plan.bumble)
    reading = asyncio.create_task(run_devices(plan.devices, sink, clock=SystemClock(), radio=radio), name="devices")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, reading.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    sink.read.rss_mb = _resident_mb()
    return sink.read


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
