"""What loads when, and what happens where a library is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from kanhu.edge.devices import DeviceConfig

_ROOT = Path(__file__).resolve().parents[2]
CUFF = DeviceConfig(id="cuff-03", kind="cuff-ble", address="F0:0D:00:00:00:03")
OXIMETER = DeviceConfig(id="ox-03", kind="oximeter-cms50d", port="/nowhere/ttyUSB0")


def loaded_by(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["kanhu.edge", "kanhu.edge.sensing", "kanhu.edge.pipeline", "kanhu.edge.cli"])
def test_no_transport_library_loads_before_a_device_needs_it(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"bleak", "serial", "bumble"}


def test_a_serial_port_needs_no_bluetooth_library() -> None:
    loaded = loaded_by("import kanhu.edge.transports.serial_port")
    assert "serial" in loaded
    assert not loaded & {"bleak", "bumble"}


def test_bluez_needs_no_bumble() -> None:
    loaded = loaded_by("import kanhu.edge.peers, kanhu.edge.transports.ble")
    assert "bleak" in loaded
    assert "bumble" not in loaded


_READ_FOR_A_MOMENT = """
import asyncio, sys
sys.modules[{library!r}] = None
from kanhu.contract import SystemClock
from kanhu.edge.sensing import RadioConfig, run_devices
from tests.edge.readings import RememberingSink, until
from tests.edge.test_sensing import CUFF, OXIMETER

async def read():
    sink = RememberingSink()
    radio = RadioConfig(bumble="tcp-client:127.0.0.1:1")
    task = asyncio.create_task(run_devices([CUFF, OXIMETER], sink, clock=SystemClock(), radio=radio))
    await until(lambda: sink.latest("cuff-03") and sink.latest("ox-03"))
    assert not task.done()
    print(sink.latest("cuff-03").reason.value, sink.latest("ox-03").reason.value)
    task.cancel()

asyncio.run(read())
"""


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("bleak", "backend_missing open_failed"),
        ("bumble", "backend_missing open_failed"),
        ("serial", "radio_lost backend_missing"),
    ],
)
def test_a_missing_library_is_told_and_the_other_devices_are_read(library: str, told: str) -> None:
    script = _READ_FOR_A_MOMENT.format(library=library)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60, cwd=_ROOT
    )
    assert done.stdout.split() == told.split()
