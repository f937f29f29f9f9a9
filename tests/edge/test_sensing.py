"""What loads when, and what happens where a library is not installed."""

import asyncio
import subprocess
import sys
from contextlib import suppress

import pytest

from kanhu.contract import SystemClock
from kanhu.edge.devices import DeviceConfig, DeviceKind, RadioConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.sensing import run_devices
from tests.edge.readings import RememberingSink, until

CUFF = DeviceConfig(id="cuff-03", kind=DeviceKind.CUFF_BLE, address="F0:0D:00:00:00:03")
OXIMETER = DeviceConfig(id="ox-03", kind=DeviceKind.OXIMETER_CMS50D, port="/nowhere/ttyUSB0")


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


@pytest.mark.parametrize("module", ["kanhu.edge.transports.ble", "kanhu.edge.transports.bumble_backend"])
async def test_a_missing_library_is_told_and_the_other_devices_are_read(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "kanhu.edge.peers", raising=False)
    sink = RememberingSink()
    task = asyncio.create_task(
        run_devices([CUFF, OXIMETER], sink, clock=SystemClock(), radio=RadioConfig(bumble="tcp-client:127.0.0.1:1"))
    )
    await until(lambda: (seen := sink.latest("cuff-03")) is not None and seen.reason is LinkReason.BACKEND_MISSING)
    await until(lambda: (seen := sink.latest("ox-03")) is not None and seen.reason is LinkReason.OPEN_FAILED)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
