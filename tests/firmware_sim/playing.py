"""Virtual time and small scenarios for tests of single devices."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from kanhu.contract import FakeClock
from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.devices import Surroundings
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.scenario.model import DeviceEntry, DeviceKind, Event
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.timeline import Timeline

_STEP_S = 0.05
_TURNS = 6  # of the event loop, so that a device that woke can send and go to sleep again


class Stage:
    """A clock, a journal in a folder, and what a device of home-01 needs to stand there."""

    def __init__(self, folder: Path) -> None:
        """Begin at second 0."""
        self.folder = folder
        self.clock = FakeClock()
        self.file = folder / "truth.ndjson"
        self.journal = Journal(self.file, clock=self.clock, devices=["device-01"])

    def surroundings(self, kind: DeviceKind, *events: Event) -> Surroundings:
        """For one device with these events."""
        return Surroundings(
            home="home-01",
            entry=DeviceEntry(id="device-01", kind=kind),
            events=events,
            body=Body(None, seed="1"),
            seed="1",
            clock=self.clock,
            journal=self.journal,
            recordings=self.folder,
        )

    def timeline(self, *, duration_s: float = 60) -> Timeline:
        """Starts now, at nine in the morning."""
        return Timeline(self.clock, start_of_day_s=9 * 3600.0, duration_s=duration_s)

    async def pass_time(self, seconds: float) -> None:
        """Let everybody live through these seconds."""
        for _ in range(round(seconds / _STEP_S)):
            self.clock.advance(_STEP_S)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def readings(self) -> list[dict[str, Any]]:
        """What the journal says about readings so far."""
        lines = [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if "device" in line]


def fill(line: SerialLine) -> None:
    """Write until the line takes no more; the kernel carries bytes over in its own time, so full is asked for twice."""
    refused = 0
    while refused < 2:
        if line.write(bytes(4096)):
            refused = 0
        else:
            refused += 1
            time.sleep(0.05)
