"""The radio as a whole, with a bleak backend that does as it is told: deaf, refused, and not there at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError

from kanhu.contract import FakeClock, SystemClock
from kanhu.edge import sensing
from kanhu.edge.codecs import bthome
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.sensing import peer_of, run_devices
from kanhu.edge.transports.ble import RadioSession, run_links
from tests.edge.readings import RememberingSink, until

BUTTON = DeviceConfig(id="button-03", kind="button-bthome", address="F0:0D:00:00:00:05", subject="r-0003")
CUFF = DeviceConfig(id="cuff-03", kind="cuff-ble", address="F0:0D:00:00:00:03")


class ToldScanner(BaseBleakScanner):
    """Counts, and fails where told."""

    starts = 0
    failures = 0
    latest: "ToldScanner"

    def __init__(self, detection_callback: Any, service_uuids: Any, *_mode: Any, **_platform: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        type(self).starts += 1
        type(self).latest = self
        if type(self).failures:
            type(self).failures -= 1
            raise BleakError("adapter busy")

    async def stop(self) -> None:
        """Nothing to stop."""

    def hear(self, address: str = "00:11:22:33:44:55", services: dict[str, bytes] | None = None) -> None:
        device = BLEDevice(address, None, None)
        self.call_detection_callbacks(device, AdvertisementData(None, {}, services or {}, [], None, -60, ()))


class HearingToTheEnd(ToldScanner):
    """Takes a moment to stop, and hears a press in it."""

    async def stop(self) -> None:
        await asyncio.sleep(0.05)
        self.hear(BUTTON.address or "", {bthome.SERVICE_UUID: bytes.fromhex("4400073a01")})


class NeverConnecting(BaseBleakClient):
    """Waits for a repeat of the advertisement, as BlueZ does, which never comes."""

    def __init__(self, address_or_device: Any, **_platform: Any) -> None:
        super().__init__(address_or_device, disconnected_callback=None, timeout=10.0)

    async def connect(self, *_pair: Any, **_rest: Any) -> None:
        await asyncio.Event().wait()

    async def disconnect(self) -> None:
        """Nothing stands."""


NeverConnecting.__abstractmethods__ = frozenset()  # the rest of a client is never reached


class ToldRadio:
    """Never lost."""

    def __init__(self, scanner: type[ToldScanner] = ToldScanner, *, hears_once: bool = False) -> None:
        self.sessions = 0
        self._scanner = scanner
        self._hears_once = hears_once

    @asynccontextmanager
    async def session(self) -> AsyncIterator[RadioSession]:
        self.sessions += 1
        yield RadioSession(
            lost=asyncio.get_running_loop().create_future(),
            scanner=self._scanner,
            client=NeverConnecting,
            hears_once=self._hears_once,
        )


@asynccontextmanager
async def listening(
    radio: ToldRadio, sink: RememberingSink, clock: FakeClock, *, device: DeviceConfig = BUTTON
) -> AsyncIterator[None]:
    ToldScanner.starts = 0
    peer = peer_of(Intake(device, sink=sink, clock=clock))
    task = asyncio.create_task(run_links([peer], radio=radio, clock=clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_radio_that_hears_nothing_at_all_listens_anew() -> None:
    radio, clock = ToldRadio(), FakeClock()
    async with listening(radio, RememberingSink(), clock):
        await until(lambda: ToldScanner.starts == 1)
        await asyncio.sleep(0.05)
        clock.advance(301)
        await until(lambda: ToldScanner.starts == 2)
    assert radio.sessions == 1, "the radio itself was left alone"


async def test_a_radio_that_hears_strangers_is_not_deaf() -> None:
    radio, clock = ToldRadio(), FakeClock()
    async with listening(radio, RememberingSink(), clock):
        await until(lambda: ToldScanner.starts == 1)
        await asyncio.sleep(0.05)
        clock.advance(200)
        ToldScanner.latest.hear()
        clock.advance(101)
        await asyncio.sleep(0.05)
        assert ToldScanner.starts == 1


async def test_a_radio_that_refuses_to_scan_is_told_and_asked_again() -> None:
    radio, clock, sink = ToldRadio(), FakeClock(), RememberingSink()
    ToldScanner.failures = 2
    async with listening(radio, sink, clock):
        for tries in (1, 2):
            await until(lambda: ToldScanner.starts == tries)  # noqa: B023  # awaited here
            await until(lambda: (seen := sink.latest("button-03")) is not None and "busy" in seen.detail)
            await asyncio.sleep(0.05)
            clock.advance(10)
        await until(lambda: (seen := sink.latest("button-03")) is not None and seen.reason is LinkReason.LISTENING)
    assert sink.seen[0].reason is LinkReason.RADIO_LOST


async def connecting(clock: FakeClock) -> None:
    """Hear the cuff, and let a second pass in which it is not connected to."""
    await until(lambda: ToldScanner.starts == 1)
    await asyncio.sleep(0.05)
    ToldScanner.latest.hear(CUFF.address or "")
    await asyncio.sleep(0.05)
    clock.advance(1)


async def test_while_connecting_a_radio_that_hears_each_device_once_listens_anew() -> None:
    radio, clock = ToldRadio(hears_once=True), FakeClock()
    async with listening(radio, RememberingSink(), clock, device=CUFF):
        await until(lambda: ToldScanner.starts == 1)
        clock.advance(5)
        await asyncio.sleep(0.05)
        assert ToldScanner.starts == 1, "nobody waits for a repeat"
        await connecting(clock)
        for starts in (2, 3):
            await until(lambda: ToldScanner.starts == starts)  # noqa: B023  # awaited here
            await asyncio.sleep(0.05)
            clock.advance(1)


async def test_a_radio_that_hears_repeats_is_left_alone_while_connecting() -> None:
    clock = FakeClock()
    async with listening(ToldRadio(), RememberingSink(), clock, device=CUFF):
        await connecting(clock)
        await asyncio.sleep(0.05)
        assert ToldScanner.starts == 1


@pytest.mark.parametrize(("refusals", "sessions"), [(10, 1), (11, 2)])
async def test_a_radio_may_refuse_to_listen_for_a_while_as_it_connects(refusals: int, sessions: int) -> None:
    radio, clock = ToldRadio(hears_once=True), FakeClock()
    async with listening(radio, RememberingSink(), clock, device=CUFF):
        await until(lambda: ToldScanner.starts == 1)
        ToldScanner.failures = refusals
        await connecting(clock)

        def has_begun_anew() -> bool:
            clock.advance(0.5)
            return ToldScanner.starts >= refusals + 2

        await until(has_begun_anew)
        assert radio.sessions == sessions


async def test_what_is_heard_while_the_radio_is_being_stopped_is_still_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sensing, "_radio", lambda *_: ToldRadio(HearingToTheEnd))
    sink = RememberingSink()
    task = asyncio.create_task(run_devices([BUTTON], sink, clock=SystemClock(), radio=None))
    await until(lambda: (seen := sink.latest("button-03")) is not None and seen.reason is LinkReason.LISTENING)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert [reading.metric for reading in sink.accepted] == ["help_button"]


async def test_a_system_without_bluetooth_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    sink = RememberingSink()
    task = asyncio.create_task(run_devices([BUTTON], sink, clock=SystemClock(), radio=None))
    await until(lambda: (seen := sink.latest("button-03")) is not None and seen.reason is LinkReason.RADIO_LOST)
    await asyncio.sleep(0.7)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
