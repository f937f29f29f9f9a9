"""What runs as the gateway in the virtual machine: the product's door to its devices, by BlueZ, as the user kanhu.

`python -m kanhu.harness.prove.bluez.gateway PLAN`, a JSON object. It prints one line of JSON for each reading that it
takes or refuses, and for each change of a device.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kanhu.contract import Observation, SystemClock
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig
from kanhu.edge.sensing import run_devices

__all__ = ["Line", "Plan", "Reading"]

_FORGETS_EACH = 20


class Plan(msgspec.Struct, frozen=True):
    """What to read."""

    devices: tuple[DeviceConfig, ...]
    memory: str
    """File of what is known of devices over a restart."""
    utc_offset_minutes: int
    """Of the people's local time."""
    forgets: bool = False
    """Wrong on purpose: each twentieth reading is taken and dropped."""


class Reading(msgspec.Struct, frozen=True):
    """What a device measured, by metric."""

    device: str
    values: dict[str, str]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: one of these."""

    accepted: Reading | None = None
    refused: tuple[str, str, str] | None = None
    """Device, reason, detail."""
    seen: DeviceSeen | None = None


class _Printer:
    """Takes readings; a line that is printed is committed."""

    def __init__(self, *, forgets: bool) -> None:
        self._forgets = forgets
        self._count = 0

    async def accept(self, observation: Observation) -> bool:
        self._count += 1
        if self._forgets and self._count % _FORGETS_EACH == 0:
            return True
        values = {part.metric: str(observation.value(part.metric)) for part in observation.parts}
        _print(Line(accepted=Reading(observation.device, values)))
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        _print(Line(refused=(device, reason, detail)))

    def device_seen(self, seen: DeviceSeen) -> None:
        _print(Line(seen=seen))


class _Notebook:
    """Keeps what is known of devices in one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._notes: dict[str, dict[str, int]] = msgspec.json.decode(file.read_bytes()) if file.exists() else {}

    async def recall(self) -> Mapping[str, Mapping[str, int]]:
        return self._notes

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        self._notes[device] = self._notes.get(device, {}) | dict(notes)
        self._file.write_bytes(msgspec.json.encode(self._notes))


def _print(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


async def _run(plan: Plan) -> None:
    clock = SystemClock()

    def local_time() -> tuple[int, int]:
        now_ms = clock.wall_ms() + 60_000 * plan.utc_offset_minutes
        return now_ms, now_ms

    reading = asyncio.create_task(
        run_devices(
            plan.devices,
            _Printer(forgets=plan.forgets),
            clock=clock,
            radio=RadioConfig(),
            local_time=local_time,
            memory=_Notebook(Path(plan.memory)),
        )
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, reading.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await reading


if __name__ == "__main__":
    asyncio.run(_run(msgspec.json.decode(sys.argv[1], type=Plan)))
