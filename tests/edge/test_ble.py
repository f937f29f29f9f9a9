"""Bluetooth through Bumble over TCP: found, subscribed, decoded, lost in every way and back again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import msgspec
import pytest
from bumble.gatt import Characteristic

from kanhu.contract import FakeClock, SubjectKind, SystemClock
from kanhu.edge.devices import DeviceConfig, FinePress, RadioConfig
from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.kinds import strap_ble
from kanhu.edge.sensing import run_devices
from kanhu.edge.transports import ble, ble_link
from tests.edge.readings import RememberingSink, until
from tests.edge.test_blood_pressure import frame_of as cuff_frame
from tests.edge.virtual_radio import Peripheral, VirtualAir

CUFF = DeviceConfig(id="cuff-03", kind="cuff-ble", address="f0:0d:00:00:00:03", subject="r-0003")
STRAP = DeviceConfig(id="strap-03", kind="strap-ble", address="F0:0D:00:00:00:04", subject="r-0003")
BUTTON = DeviceConfig(id="button-03", kind="button-bthome", address="F0:0D:00:00:00:05", subject="r-0003")

_HEART_RATE = (0x180D, 0x2A37)
_BLOOD_PRESSURE = (0x1810, 0x2A35)


@asynccontextmanager
async def reading(sink: RememberingSink, air: VirtualAir, *devices: DeviceConfig) -> AsyncIterator[None]:
    radio = RadioConfig(bumble=air.transport)
    task = asyncio.create_task(run_devices(devices, sink, clock=SystemClock(), radio=radio))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def strap_on(air: VirtualAir) -> Peripheral:
    strap = Peripheral(air, address=STRAP.address or "")
    strap.serve(*_HEART_RATE, properties=Characteristic.Properties.NOTIFY)
    await strap.power_on()
    await strap.advertise(_HEART_RATE[0])
    return strap


async def cuff_on(air: VirtualAir) -> Peripheral:
    cuff = Peripheral(air, address=CUFF.address or "")
    cuff.serve(*_BLOOD_PRESSURE, properties=Characteristic.Properties.INDICATE)
    await cuff.power_on()
    await cuff.advertise(_BLOOD_PRESSURE[0])
    return cuff


async def button_on(air: VirtualAir) -> Peripheral:
    button = Peripheral(air, address=BUTTON.address or "")
    await button.power_on()
    return button


def connected(sink: RememberingSink, device: str) -> bool:
    seen = sink.latest(device)
    return seen is not None and seen.connected


async def test_a_strap_is_found_subscribed_to_and_read(air: VirtualAir) -> None:
    sink = RememberingSink()
    strap = await strap_on(air)
    async with reading(sink, air, STRAP):
        await strap.subscribed.wait()
        for rate in range(70, 75):
            await strap.send(bytes([0x16, rate, 0x00, 0x04]))
        await until(lambda: len(sink.accepted) == 5)
        await until(lambda: (seen := sink.latest("strap-03")) is not None and seen.battery_percent == 81)
    assert [reading.series("heart_rate")[0] for reading in sink.accepted] == [70, 71, 72, 73, 74]
    assert all(reading.value("rr_interval") == 1000 for reading in sink.accepted)
    assert {reading.subject.id for reading in sink.accepted} == {"r-0003"}


async def test_a_cuff_indicates_and_a_frame_that_does_not_decode_is_refused_by_name(air: VirtualAir) -> None:
    sink = RememberingSink()
    cuff = await cuff_on(air)
    async with reading(sink, air, CUFF):
        await cuff.subscribed.wait()
        await cuff.send(cuff_frame(184, 102, pulse=77))
        await cuff.send(cuff_frame(0x07FF, 0x07FF))
        await cuff.send(b"\x00\x01")
        await cuff.send(cuff_frame(150, 91))
        await until(lambda: sink.readings == 4)
    assert [reading.value("systolic") for reading in sink.accepted] == [184, 150]
    assert sink.refused == [("cuff-03", DecodeReason.NOT_A_NUMBER.value), ("cuff-03", DecodeReason.SHORT.value)]


async def test_one_radio_listens_and_holds_several_links_at_once(air: VirtualAir) -> None:
    sink = RememberingSink()
    strap, cuff, button = await strap_on(air), await cuff_on(air), await button_on(air)
    async with reading(sink, air, STRAP, CUFF, BUTTON):
        await strap.subscribed.wait()
        await cuff.subscribed.wait()
        await button.broadcast(bytes.fromhex("440001015e3a01"))
        await strap.send(bytes([0x06, 66]))
        await cuff.send(cuff_frame(121, 79))
        await until(lambda: len(sink.accepted) == 3)
    assert {reading.device for reading in sink.accepted} == {"strap-03", "cuff-03", "button-03"}


@pytest.mark.parametrize(("fine", "code"), [(FinePress.LONG, 0x04), (FinePress.DOUBLE, 0x02)])
async def test_the_press_that_says_fine_is_told_from_a_call(air: VirtualAir, fine: FinePress, code: int) -> None:
    sink = RememberingSink()
    button = await button_on(air)
    async with reading(sink, air, msgspec.structs.replace(BUTTON, fine=fine)):
        await until(lambda: (seen := sink.latest("button-03")) is not None and seen.reason is LinkReason.LISTENING)
        for press, event in enumerate((0x01, code, 0x80)):
            await button.broadcast(bytes([0x44, 0x00, press, 0x3A, event]))
            await until(lambda count=press + 1: len(sink.accepted) == count)  # type: ignore[misc]  # bound now
        await button.silence()
    assert [one.series("help_button") for one in sink.accepted] == [(1,), (2,), (1,)]


async def test_a_press_that_is_repeated_on_the_air_is_one_reading(air: VirtualAir) -> None:
    sink = RememberingSink()
    button = await button_on(air)
    async with reading(sink, air, BUTTON):
        await until(lambda: (seen := sink.latest("button-03")) is not None and seen.reason is LinkReason.LISTENING)
        for press in range(3):
            await button.broadcast(bytes([0x44, 0x00, press, 0x01, 94, 0x3A, 0x01]))
            await asyncio.sleep(0.35)
        await until(lambda: len(sink.accepted) == 3)
        await button.broadcast(bytes([0x44, 0x00, 3, 0x01, 93, 0x3A, 0x00]))
        await until(lambda: (seen := sink.latest("button-03")) is not None and seen.battery_percent == 93)
        await button.silence()
    assert [reading.metric for reading in sink.accepted] == ["help_button"] * 3
    seen = sink.latest("button-03")
    assert seen is not None
    assert seen.connected
    assert seen.repeats > 0
    assert sink.refused == []


async def test_an_encrypted_advertisement_is_refused_once(air: VirtualAir) -> None:
    sink = RememberingSink()
    button = await button_on(air)
    async with reading(sink, air, BUTTON):
        await button.broadcast(bytes.fromhex("41a47266c95f730011223378237214"))
        await until(lambda: sink.refused)
        await asyncio.sleep(0.3)
    assert sink.refused == [("button-03", DecodeReason.ENCRYPTED.value)]


async def test_a_device_nobody_configured_is_not_read(air: VirtualAir) -> None:
    sink = RememberingSink()
    stranger = Peripheral(air, address="F0:0D:00:00:00:99")
    await stranger.power_on()
    await stranger.broadcast(bytes.fromhex("440001015e3a01"))
    strap = await strap_on(air)
    async with reading(sink, air, STRAP, BUTTON):
        await strap.subscribed.wait()
        await strap.send(bytes([0x06, 66]))
        await until(lambda: sink.accepted)
    assert {reading.device for reading in sink.accepted} == {"strap-03"}


async def test_a_link_that_ends_is_told_and_comes_back(air: VirtualAir) -> None:
    sink = RememberingSink()
    strap = await strap_on(air)
    async with reading(sink, air, STRAP):
        for round_ in range(3):
            await until(strap.subscribed.is_set)
            await strap.send(bytes([0x06, 60 + round_]))
            await until(lambda: [reading.series("heart_rate")[0] for reading in sink.accepted][-1:] == [60 + round_])  # noqa: B023  # awaited here
            await strap.drop()
            await until(lambda: not connected(sink, "strap-03"))
    seen = sink.latest("strap-03")
    assert seen is not None
    assert seen.links == 3
    assert LinkReason.DISCONNECTED in {told.reason for told in sink.seen}


async def test_a_strap_that_is_connected_and_never_tells_anything_is_connected_to_anew(
    air: VirtualAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = strap_ble.KIND
    monkeypatch.setattr(strap_ble, "KIND", replace(kind, target=replace(kind.target, quiet_s=0.4)))
    sink = RememberingSink()
    await strap_on(air)
    async with reading(sink, air, STRAP):
        await until(lambda: any("no value" in seen.detail for seen in sink.seen))
        await until(lambda: max(seen.links for seen in sink.seen) >= 2)


async def test_a_link_is_quiet_only_where_a_whole_stretch_had_no_value() -> None:
    clock, gone, values = FakeClock(), asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(ble_link.falls_quiet(gone, values, quiet_s=300, clock=clock))
    for _ in range(5):
        await asyncio.sleep(0.01)
        values.set()
        clock.advance(300)
    await asyncio.sleep(0.01)
    assert not waiting.done(), "a device that tells something is left alone"
    clock.advance(300)
    assert await waiting
    waiting = asyncio.create_task(ble_link.falls_quiet(gone, values, quiet_s=300, clock=clock))
    await asyncio.sleep(0.01)
    gone.set()
    assert not await waiting, "a link that ended is no quiet one"


async def test_a_controller_that_dies_and_returns_is_used_again_and_again(
    air: VirtualAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ble, "_FIRST_WAIT_S", 0.1)
    sink = RememberingSink()
    strap = await strap_on(air)
    async with reading(sink, air, STRAP, BUTTON):
        for death in range(4):
            await until(strap.subscribed.is_set)
            await strap.send(bytes([0x06, 60 + death]))
            await until(lambda: len(sink.accepted) == death + 1)  # noqa: B023  # awaited here
            await air.close()
            await until(lambda: (seen := sink.latest("strap-03")) is not None and seen.reason is LinkReason.RADIO_LOST)
            await until(lambda: not connected(sink, "button-03"))
            await air.open()
        await until(strap.subscribed.is_set)


async def test_a_gateway_that_starts_before_its_radio_waits_for_it(air: VirtualAir) -> None:
    await air.close()
    sink = RememberingSink()
    strap = await strap_on(air)
    async with reading(sink, air, STRAP):
        await until(lambda: (seen := sink.latest("strap-03")) is not None and seen.reason is LinkReason.RADIO_LOST)
        await air.open()
        await until(strap.subscribed.is_set)


async def test_a_gateway_that_dies_is_followed_by_one_that_reads_within_seconds(air: VirtualAir) -> None:
    sink = RememberingSink()
    strap = await strap_on(air)
    async with reading(sink, air, STRAP):
        await strap.subscribed.wait()
        for connection in air.connections:
            connection.abort()
    async with reading(sink, air, STRAP):
        await until(strap.subscribed.is_set, within_s=5)
        await strap.send(bytes([0x06, 63]))
        await until(lambda: sink.accepted)


async def test_a_peripheral_that_hangs_delays_no_other(air: VirtualAir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ble, "_CONNECT_S", 2.0)
    sink = RememberingSink()
    cuff, strap = await cuff_on(air), await strap_on(air)
    answer_again = cuff.hang()
    async with reading(sink, air, CUFF, STRAP):
        await until(lambda: (seen := sink.latest("cuff-03")) is not None and seen.reason is LinkReason.TIMED_OUT)
        await until(strap.subscribed.is_set)
        await strap.send(bytes([0x06, 64]))
        await until(lambda: len(sink.accepted) == 1)
        answer_again()
        await until(cuff.subscribed.is_set)
        await cuff.send(cuff_frame(140, 85))
        await until(lambda: len(sink.accepted) == 2)


async def test_a_device_without_its_service_is_told_and_harms_no_other(air: VirtualAir) -> None:
    sink = RememberingSink()
    wrong = Peripheral(air, address=CUFF.address or "")
    wrong.serve(*_HEART_RATE, properties=Characteristic.Properties.NOTIFY)
    await wrong.power_on()
    await wrong.advertise(_BLOOD_PRESSURE[0])
    strap = await strap_on(air)
    async with reading(sink, air, CUFF, STRAP):
        await until(lambda: (seen := sink.latest("cuff-03")) is not None and seen.reason is LinkReason.SERVICE_MISSING)
        await until(strap.subscribed.is_set)


async def test_each_reading_of_a_shared_cuff_is_another_unknown_person(air: VirtualAir) -> None:
    sink = RememberingSink()
    cuff = await cuff_on(air)
    shared = DeviceConfig(id="cuff-c", kind="cuff-ble", address=CUFF.address)
    async with reading(sink, air, shared):
        await cuff.subscribed.wait()
        await cuff.send(cuff_frame(150, 91))
        await cuff.send(cuff_frame(118, 72))
        await until(lambda: len(sink.accepted) == 2)
    first, second = (reading.subject for reading in sink.accepted)
    assert first.kind is SubjectKind.UNIDENTIFIED
    assert first != second
