"""Our first program in the virtual machine: devices, adapter, gateway and checks; it says how each went.

`python -m kanhu.harness.prove.bluez.room TOOLS [BROKEN]`, as root. One line of JSON a check, one of figures in the end.
"""

import asyncio
import json
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kanhu.contract import SystemClock
from kanhu.firmware_sim.air import Air, Dongle
from kanhu.harness.prove.bluez.checks import CHECKS, Room, account
from kanhu.harness.prove.bluez.devices import UTC_OFFSET_MINUTES, ward
from kanhu.harness.prove.bluez.gateway import Plan
from kanhu.harness.prove.bluez.heard import Gateway

__all__ = ["FORGETS", "PLAIN"]

FORGETS, PLAIN = "forgets", "plain"
"""Wrong on purpose: the gateway drops readings; the meter tells its records on a link that is not encrypted."""
_MEMORY = "/run/kanhu/memory.json"


def main(arguments: Sequence[str]) -> None:
    """Try everything."""
    tools, broken = Path(arguments[0]), arguments[1] if len(arguments) > 1 else ""
    asyncio.run(_conduct(tools, broken))


async def _conduct(tools: Path, broken: str) -> None:
    clock, air = SystemClock(), Air()
    devices = ward(air, clock=clock, protected=broken != PLAIN)
    plan = Plan(devices.configs, _MEMORY, UTC_OFFSET_MINUTES, forgets=broken == FORGETS)
    room = Room(Dongle(air), devices, Gateway(plan, devices), clock, tools)
    answering = asyncio.create_task(devices.meter.answer(), name="meter")
    for peripheral in (*devices.peripherals.values(), devices.stranger):
        await peripheral.power_on()
    await room.dongle.plug_in()
    _say(ready=platform.release())
    for check in CHECKS:
        began_s = time.monotonic()
        try:
            happened = await check.tries(room)
            room.gateway.check()
        except (TimeoutError, ChildProcessError, KeyError) as error:
            happened = f"{type(error).__name__}: {error}"
        _say(check=check.name, happened=happened, seconds=round(time.monotonic() - began_s, 1))
    await room.gateway.stop()
    answering.cancel()
    with suppress(asyncio.CancelledError):
        await answering
    _say(figures=room.figures | account(room))


def _say(**line: object) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
