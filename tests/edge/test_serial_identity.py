"""A port is found by its adapter wherever that is plugged in, and a device that nobody understands is shown as such."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from kanhu.contract import SystemClock
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import GARBLED_BYTES
from kanhu.edge.sensing import run_devices
from tests.edge.readings import RememberingSink, until
from tests.edge.test_cms50d import packet_of
from tests.edge.test_serial_port import Plug


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "oximeter")
    yield made
    made.end()


def adapters(monkeypatch: pytest.MonkeyPatch, found: dict[str, Path]) -> None:
    listed = [SimpleNamespace(serial_number=number, device=str(path)) for number, path in found.items()]
    listed.append(SimpleNamespace(serial_number=None, device="/dev/ttyS0"))
    monkeypatch.setattr(list_ports, "comports", lambda: listed)


async def test_an_adapter_is_found_by_its_serial_number_and_waited_for_where_it_is_not_there(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = RememberingSink()
    device = DeviceConfig(id="ox", kind="oximeter-cms50d", port="usb:A50285BI", subject="r-0001")
    adapters(monkeypatch, {"OTHER": Path("/dev/ttyUSB7")})
    reading = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=None))
    await until(lambda: (seen := sink.latest("ox")) is not None and seen.reason is LinkReason.OPEN_FAILED)
    seen = sink.latest("ox")
    assert seen is not None
    assert "A50285BI" in seen.detail
    assert "OTHER" in seen.detail
    adapters(monkeypatch, {"OTHER": Path("/dev/ttyUSB7"), "A50285BI": plug.path})
    await until(lambda: (seen := sink.latest("ox")) is not None and seen.reason is LinkReason.OPEN)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


@pytest.mark.parametrize("kind", ["oximeter-cms50d", "oximeter-contec-v7", "radar-r60abd1", "radar-mr60fda2"])
async def test_bytes_without_a_packet_are_shown_as_garbled(plug: Plug, kind: str) -> None:
    sink = RememberingSink()
    device = DeviceConfig(id="d-1", kind=kind, port=str(plug.path), subject="r-0001")
    reading = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=None))
    await until(lambda: sink.latest("d-1") is not None)
    await plug.send(b"\xff\x00" * (GARBLED_BYTES // 2 + 50))
    await until(lambda: (seen := sink.latest("d-1")) is not None and seen.reason is LinkReason.GARBLED)
    seen = sink.latest("d-1")
    assert seen is not None
    assert not seen.connected
    assert seen.bad_bytes >= GARBLED_BYTES
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert sink.accepted == []


async def test_a_device_that_is_understood_again_is_good_again(plug: Plug) -> None:
    sink = RememberingSink()
    device = DeviceConfig(id="d-1", kind="oximeter-cms50d", port=str(plug.path), subject="r-0001")
    reading = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=None))
    await until(lambda: sink.latest("d-1") is not None)
    await plug.send(bytes(GARBLED_BYTES + 100))
    await until(lambda: (seen := sink.latest("d-1")) is not None and seen.reason is LinkReason.GARBLED)
    await plug.send(packet_of(spo2=97, pulse=70) * 20)
    await until(lambda: (seen := sink.latest("d-1")) is not None and seen.reason is LinkReason.OPEN)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
