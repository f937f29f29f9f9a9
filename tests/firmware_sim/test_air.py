"""The air of a home behaves like a real one: links die with their host, and every host is answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from bumble import hci
from bumble.att import ATT_Error
from bumble.core import UUID, AdvertisingData
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.transport.common import Transport
from bumble.transport.tcp_client import open_tcp_client_transport

from kanhu.firmware_sim.air import Air, ControlPoint, Delivery, HciPort, Identity, Peripheral, RadioController
from kanhu.firmware_sim.devices import Button, Cuff, Strap
from kanhu.firmware_sim.scenario.model import DeviceKind, LoseContact, Measure, Press, Remove, Rhythm, Wear
from tests.firmware_sim.playing import Stage

_CUFF, _STRAP, _BUTTON = "F0:0D:00:01:00:01", "F0:0D:00:01:00:02", "F0:0D:00:01:00:03"
_METER = "F0:0D:00:01:00:04"
_PATIENCE_S = 5.0
_TURNS_TO_SETTLE = 50  # of the event loop, in which devices notice that their host is gone and advertise again


@dataclass
class Home:
    """One air with a gateway's port, and the hosts a test has plugged in."""

    stage: Stage
    air: Air
    port: HciPort
    transports: list[Transport]

    async def host(self) -> Device:
        transport = await open_tcp_client_transport(self.port.transport.removeprefix("tcp-client:"))
        self.transports.append(transport)
        config = DeviceConfiguration(name="host", address=hci.Address("F0:F1:F2:F3:F4:F5"))
        device = Device.from_config_with_hci(config, transport.source, transport.sink)
        await device.power_on()
        return device

    def cuff(self, *events: Measure) -> Cuff:
        around = self.stage.surroundings(DeviceKind.CUFF, *events)
        return Cuff(around, air=self.air, address=_CUFF, utc_offset_minutes=480)

    def strap(self, *events: Wear | LoseContact | Remove) -> Strap:
        return Strap(self.stage.surroundings(DeviceKind.STRAP, *events), air=self.air, address=_STRAP)

    def button(self, *events: Press) -> Button:
        return Button(self.stage.surroundings(DeviceKind.BUTTON, *events), air=self.air, address=_BUTTON)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    air = Air()
    port = HciPort(RadioController("gateway", link=air, public_address="02:6B:68:00:01:01"))
    await port.open()
    home = Home(Stage(tmp_path), air, port, [])
    yield home
    port.close()
    for transport in home.transports:
        await transport.close()
    for _ in range(_TURNS_TO_SETTLE):
        await asyncio.sleep(0)
    home.stage.journal.close()


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not condition():  # noqa: ASYNC110  what is waited for happens in Bumble, which has no event to set
            await asyncio.sleep(0.01)


async def _connect(host: Device, address: str) -> Connection:
    return await host.connect(hci.Address(address), timeout=_PATIENCE_S)


async def _listen(connection: Connection, uuid: int) -> list[bytes]:
    heard: list[bytes] = []
    peer = Peer(connection)
    await peer.discover_services()
    await peer.discover_characteristics()
    (characteristic,) = peer.get_characteristics_by_uuid(UUID.from_16_bits(uuid))
    await peer.subscribe(characteristic, lambda value: heard.append(bytes(value)))
    return heard


async def test_a_cuff_indicates_what_its_journal_says(home: Home) -> None:
    cuff = home.cuff(Measure(at_s=1, device="device-01", systolic_mmhg=186, diastolic_mmhg=112, pulse_bpm=82))
    await cuff.power_on()
    heard = await _listen(await _connect(await home.host(), _CUFF), 0x2A35)
    play = asyncio.create_task(cuff.play(home.stage.timeline()))
    await home.stage.pass_time(1.1)
    await _until(lambda: heard)
    await play
    assert heard[0][:7] == bytes.fromhex("16ba0070008900")  # 186, 112, mean 137 mmHg
    (line,) = home.stage.readings()
    assert line["n"] == 1
    assert line["values"]["systolic_mmhg"] == 186


async def test_a_cuff_nobody_listens_to_emits_nothing(home: Home) -> None:
    cuff = home.cuff(Measure(at_s=1, device="device-01"))
    await cuff.power_on()
    await _connect(await home.host(), _CUFF)  # connected, but not subscribed
    play = asyncio.create_task(cuff.play(home.stage.timeline()))
    await home.stage.pass_time(1.1)
    await play
    assert [line["unsent"] for line in home.stage.readings()] == ["no_subscriber"]
    assert home.stage.journal.emitted == {"device-01": 0}


async def test_a_strap_notifies_once_a_second_and_says_when_it_has_no_contact(home: Home) -> None:
    strap = home.strap(
        Wear(at_s=0, device="device-01"), LoseContact(at_s=3, device="device-01"), Remove(at_s=5, device="device-01")
    )
    await strap.power_on()
    heard = await _listen(await _connect(await home.host(), _STRAP), 0x2A37)
    play = asyncio.create_task(strap.play(home.stage.timeline()))
    await home.stage.pass_time(6)
    await _until(lambda: len(heard) == 5)
    await play
    assert [value[0] & 0b110 for value in heard] == [0b110, 0b110, 0b110, 0b100, 0b100]
    assert [value[1] for value in heard][-2:] == [0, 0]
    assert home.stage.journal.emitted == {"device-01": 5}


async def test_a_strap_sends_every_beat_of_its_recording_once(home: Home) -> None:
    beats_ms = [640, 812, 1008, 524, 776, 900, 588, 1104, 700, 656]
    (home.stage.folder / "beats.csv").write_text("rr_ms\n" + "\n".join(map(str, beats_ms)), encoding="utf-8")
    strap = home.strap(Wear(at_s=0, device="device-01", rhythm=Rhythm.RECORD, rr_file="beats.csv"))
    await strap.power_on()
    heard = await _listen(await _connect(await home.host(), _STRAP), 0x2A37)
    play = asyncio.create_task(strap.play(home.stage.timeline(duration_s=7)))
    await home.stage.pass_time(7.2)
    await _until(lambda: len(heard) == 7)
    await play
    words = [value[at : at + 2] for value in heard for at in range(2, len(value), 2)]
    sent = [int.from_bytes(word, "little") for word in words]
    assert sent == [round(ms * 1.024) for ms in beats_ms][: len(sent)]
    assert len(sent) == 8  # those that ended within seven seconds


async def test_a_press_is_advertised_many_times_and_counted_once(home: Home) -> None:
    button = home.button(Press(at_s=1, device="device-01"))
    host = await home.host()
    heard: list[bytes] = []
    host.on("advertisement", lambda advertisement: heard.append(_service_data(advertisement)))
    await host.start_scanning(active=False)
    play = asyncio.create_task(button.play(home.stage.timeline()))
    await home.stage.pass_time(4)
    await play
    await _until(lambda: len(heard) == 15)
    assert len(set(heard)) == 1
    assert heard[0].endswith(bytes([0x3A, 0x01]))
    assert home.stage.journal.emitted == {"device-01": 1}


async def test_a_second_press_has_another_packet_id(home: Home) -> None:
    button = home.button(Press(at_s=1, device="device-01"), Press(at_s=5, device="device-01"))
    play = asyncio.create_task(button.play(home.stage.timeline()))
    await home.stage.pass_time(8)
    await play
    first, second = (line["values"]["packet_id"] for line in home.stage.readings())
    assert second == (first + 1) % 256


async def test_an_active_scanner_hears_service_data_once_in_each_advertisement(home: Home) -> None:
    button = home.button(Press(at_s=1, device="device-01"))
    host = await home.host()
    heard: list[Advertisement] = []
    host.on("advertisement", heard.append)
    await host.start_scanning(active=True)
    play = asyncio.create_task(button.play(home.stage.timeline()))
    await home.stage.pass_time(4)
    await play
    await _until(lambda: len(heard) == 15)
    assert {len(each.data.get_all(AdvertisingData.Type.SERVICE_DATA_16_BIT_UUID, raw=True)) for each in heard} == {1}


async def test_a_host_that_resets_leaves_no_link_behind(home: Home) -> None:
    cuff = home.cuff()
    await cuff.power_on()
    host = await home.host()
    await _connect(host, _CUFF)
    await host.power_on()  # begins with HCI_Reset
    heard = await _listen(await _connect(host, _CUFF), 0x2A35)
    assert heard == []


async def test_a_newer_host_takes_the_radio_over(home: Home) -> None:
    await home.cuff().power_on()
    await _connect(await home.host(), _CUFF)
    newer = await home.host()
    await _connect(newer, _CUFF)


async def test_a_host_with_a_public_address_is_answered(home: Home) -> None:
    await home.cuff().power_on()
    host = await home.host()
    connection = await host.connect(hci.Address(_CUFF), own_address_type=hci.OwnAddressType.PUBLIC, timeout=_PATIENCE_S)
    assert await _listen(connection, 0x2A35) == []


async def test_giving_up_on_an_absent_device_leaves_the_radio_free(home: Home) -> None:
    await home.cuff().power_on()
    host = await home.host()
    with pytest.raises(BumbleTimeoutError):
        await host.connect(hci.Address("F0:0D:00:01:00:99"), timeout=0.2)
    await _connect(host, _CUFF)


async def test_a_host_that_does_not_speak_hci_is_unplugged_and_the_next_one_served(home: Home) -> None:
    await home.cuff().power_on()
    address, _, number = home.port.transport.removeprefix("tcp-client:").partition(":")
    reader, writer = await asyncio.open_connection(address, int(number))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(_PATIENCE_S):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    writer.close()
    await _connect(await home.host(), _CUFF)


async def test_a_device_can_be_read_for_what_it_is(home: Home) -> None:
    await home.strap().power_on()
    peer = Peer(await _connect(await home.host(), _STRAP))
    await peer.discover_services()
    await peer.discover_characteristics()
    (location,) = peer.get_characteristics_by_uuid(UUID.from_16_bits(0x2A38))
    (battery,) = peer.get_characteristics_by_uuid(UUID.from_16_bits(0x2A19))
    assert await peer.read_value(location) == b"\x01"
    assert (await peer.read_value(battery))[0] <= 100


async def test_a_protected_device_answers_only_who_has_paired_and_knows_it(home: Home) -> None:
    asked: list[bytes] = []
    device = Peripheral(
        home.air,
        identity=Identity(name="meter", address=_METER, service_uuid=0x1808, maker="kanhu simulator", model="meter"),
        measurement_uuid=0x2A18,
        delivery=Delivery.NOTIFY,
        control=ControlPoint(0x2A52, asked.append, protected=True),
    )
    await device.power_on()
    connection = await _connect(await home.host(), _METER)
    peer = Peer(connection)
    await peer.discover_services()
    await peer.discover_characteristics()
    (control,) = peer.get_characteristics_by_uuid(UUID.from_16_bits(0x2A52))
    with pytest.raises(ATT_Error):
        await peer.write_value(control, b"\x01\x01", with_response=True)
    assert (asked, device.is_encrypted(), device.links, device.pairings) == ([], False, 1, 0)
    await connection.pair()
    await peer.write_value(control, b"\x01\x01", with_response=True)
    assert (asked, device.is_encrypted(), device.links, device.pairings) == ([b"\x01\x01"], True, 1, 1)
    await device.power_off()


def _service_data(advertisement: Advertisement) -> bytes:
    data = advertisement.data.get(AdvertisingData.Type.SERVICE_DATA_16_BIT_UUID, raw=True)
    assert isinstance(data, bytes)
    return data
