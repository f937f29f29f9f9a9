"""A cuff whose battery was changed: the gateway that knows the time sets its clock, another one leaves it alone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import ClockState, SystemClock
from kanhu.edge.transports import ble_clock
from kanhu.firmware_sim.air import Air, AttributeRefused, HciPort, RadioController
from kanhu.firmware_sim.devices import Cuff
from kanhu.firmware_sim.devices.own_clock import OwnClock
from kanhu.firmware_sim.scenario.model import ClockService, DeviceClock, DeviceKind
from kanhu.firmware_sim.wire import CuffReading, blood_pressure_measurement
from kanhu.gateway import Outbox, load_config
from kanhu.gateway.device_clocks import CLOCK_CORRECTED, CLOCK_ERROR
from kanhu.gateway.doctor import examine
from kanhu.gateway.run import run_gateway
from tests.edge.readings import until
from tests.firmware_sim.playing import Stage

_ADDRESS = "F0:0D:00:01:00:01"
_TEN_YEARS_S = 10 * 365 * 86_400


class StatedClock(SystemClock):
    """The machine's clock, known or not as the test says."""

    def __init__(self, state: ClockState) -> None:
        super().__init__()
        self._stated = state

    def state(self) -> ClockState:
        return self._stated


@asynccontextmanager
async def cuff_in_the_air(folder: Path, service: ClockService | None) -> AsyncIterator[tuple[Cuff, str]]:
    air = Air()
    port = HciPort(RadioController("gateway", link=air, public_address="02:6B:68:00:01:01"))
    await port.open()
    around = Stage(folder).surroundings(DeviceKind.CUFF)
    entry = msgspec.structs.replace(around.entry, clock=DeviceClock.RESET, clock_service=service)
    cuff = Cuff(replace(around, entry=entry, clock=SystemClock()), air=air, address=_ADDRESS, utc_offset_minutes=480)
    await cuff.power_on()
    try:
        yield cuff, port.transport
    finally:
        port.close()
        await cuff.power_off()
        around.journal.close()


@asynccontextmanager
async def gateway(folder: Path, radio: str, *, broker: int, state: ClockState) -> AsyncIterator[Path]:
    file = folder / "gateway.toml"
    file.write_text(
        f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\nheartbeat_s = 0.2\n'
        f'[broker]\nport = {broker}\n[radio]\nbumble = "{radio}"\n'
        f'[[device]]\nid = "cuff-03"\nkind = "cuff-ble"\naddress = "{_ADDRESS}"\n',
        encoding="utf-8",
    )
    running = asyncio.create_task(run_gateway(load_config(file), clock=StatedClock(state)))
    await until((folder / "data" / "outbox.db").exists)
    try:
        yield file
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)


def noted(file: Path) -> dict[str, int]:
    config = load_config(file)
    outbox = Outbox.look(config.outbox_file, clock=SystemClock(), max_bytes=1 << 22)
    try:
        return outbox.notes()
    finally:
        outbox.close()


@pytest.mark.parametrize("service", list(ClockService))
async def test_a_clock_that_fell_back_is_set_and_its_error_written_down(
    tmp_path: Path, free_port: int, service: ClockService
) -> None:
    async with (
        cuff_in_the_air(tmp_path, service) as (cuff, radio),
        gateway(tmp_path, radio, broker=free_port, state=ClockState.SYNCED) as file,
    ):
        await until(lambda: f"{CLOCK_CORRECTED}cuff-03" in noted(file))
        shown, true = cuff.own_clock.shown(), SystemClock().now()
        assert shown is not None
        assert abs(shown - true) < timedelta(seconds=4)
        assert shown.utcoffset() == timedelta(hours=8)
        notes = noted(file)
        assert notes[f"{CLOCK_CORRECTED}cuff-03"] < -_TEN_YEARS_S
        assert abs(notes[f"{CLOCK_ERROR}cuff-03"]) <= 2
        (check,) = [each for each in await examine(load_config(file), clock=SystemClock()) if "cuff" in each.name]
        assert "its clock was set, it was" in check.found


@pytest.mark.parametrize("unset", [ClockState.UNSET, ClockState.RESTORED])
async def test_a_gateway_that_does_not_know_the_time_sets_no_clock(
    tmp_path: Path, free_port: int, unset: ClockState
) -> None:
    async with (
        cuff_in_the_air(tmp_path, ClockService.CURRENT_TIME) as (cuff, radio),
        gateway(tmp_path, radio, broker=free_port, state=unset) as file,
    ):
        await until(cuff.has_reader)
        await until(lambda: noted(file).get("connected:cuff-03"))
        await asyncio.sleep(0.5)  # long enough for a clock to be set, as the test above shows
        assert _is_reset(cuff)
        assert not [name for name in noted(file) if name.startswith((CLOCK_ERROR, CLOCK_CORRECTED))]


async def test_a_device_of_the_table_of_quirks_is_told_of_and_not_written(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ble_clock.NEVER_WRITTEN, "upper arm cuff", "a test")
    async with (
        cuff_in_the_air(tmp_path, ClockService.CURRENT_TIME) as (cuff, radio),
        gateway(tmp_path, radio, broker=free_port, state=ClockState.SYNCED) as file,
    ):
        await until(lambda: f"{CLOCK_ERROR}cuff-03" in noted(file))
        await until(lambda: noted(file).get("connected:cuff-03"))
        assert _is_reset(cuff)
        assert noted(file)[f"{CLOCK_ERROR}cuff-03"] < -_TEN_YEARS_S
        assert f"{CLOCK_CORRECTED}cuff-03" not in noted(file)
        (check,) = [each for each in await examine(load_config(file), clock=SystemClock()) if "cuff" in each.name]
        assert "s behind" in check.found
        assert "Set its clock" in check.remedy


def _refuse(_: OwnClock, service: ClockService, value: bytes) -> None:
    raise AttributeRefused(0x80)


async def _hang(_: OwnClock, service: ClockService) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError(service)


@pytest.mark.parametrize(("what", "does"), [("write", _refuse), ("read", _hang)])
async def test_a_cuff_that_refuses_or_hangs_is_read_all_the_same(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, what: str, does: Callable[..., object]
) -> None:
    monkeypatch.setattr(OwnClock, what, does)
    monkeypatch.setattr(ble_clock, "_WITHIN_S", 0.5)
    async with (
        cuff_in_the_air(tmp_path, ClockService.CURRENT_TIME) as (cuff, radio),
        gateway(tmp_path, radio, broker=free_port, state=ClockState.SYNCED) as file,
    ):
        await until(cuff.has_reader)
        await asyncio.sleep(1.0)  # past the patience with its clock
        frame = blood_pressure_measurement(CuffReading(Decimal(121), Decimal(79), measured_at=cuff.own_clock.shown()))
        assert await cuff._peripheral.send(frame), "the link stands"
        await until(lambda: _accepted(file) == 1)
        await until(lambda: noted(file).get(f"{CLOCK_ERROR}cuff-03", 0) < -_TEN_YEARS_S)
        assert _is_reset(cuff)
        assert f"{CLOCK_CORRECTED}cuff-03" not in noted(file)


def _accepted(file: Path) -> int:
    config = load_config(file)
    outbox = Outbox.look(config.outbox_file, clock=SystemClock(), max_bytes=1 << 22)
    try:
        return outbox.counters().get(("cuff-03", "accepted"), 0)
    finally:
        outbox.close()


def _is_reset(cuff: Cuff) -> bool:
    shown = cuff.own_clock.shown()
    return shown is not None and shown.year == 2015


def test_every_device_that_is_not_written_is_in_its_manual() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "devices" / "cuff-ble.md").read_text(encoding="utf-8")
    assert [model for model in ble_clock.NEVER_WRITTEN if f"`{model}`" not in manual] == []
