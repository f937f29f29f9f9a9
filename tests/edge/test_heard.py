"""Sensors that are only heard: what is new is a reading once, what nobody can prove is refused, and help never is."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest

from kanhu.contract import FakeClock, QualityReason, SubjectKind, SystemClock
from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.counters import COUNTER
from kanhu.edge.devices import DeviceConfig, FinePress, RadioConfig
from kanhu.edge.errors import DecodeError, DecodeReason, DeviceRefused, LinkReason
from kanhu.edge.heard import SensorFold, SensorPeer
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import HeardKind, kind_of
from kanhu.edge.kinds.kind import Told
from kanhu.edge.peers import ButtonPeer
from kanhu.edge.sensing import run_devices
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire.atc_pvvx import Climate, pvvx_frame, pvvx_sealed
from kanhu.firmware_sim.wire.bthome_encrypted import bthome_sealed
from kanhu.firmware_sim.wire.bthome_objects import bthome_object, bthome_service_data
from kanhu.firmware_sim.wire.ibeacon import ibeacon
from kanhu.firmware_sim.wire.mi_scale import ScaleMoment, body_scale_frame
from kanhu.firmware_sim.wire.mibeacon import BeaconHead, door_object, sealed_beacon
from tests.edge.readings import RememberingMemory, RememberingSink, until
from tests.edge.virtual_radio import Peripheral, VirtualAir

_BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
_ATC = "0000181a-0000-1000-8000-00805f9b34fb"
_ADDRESS = "F0:0D:00:00:00:0A"
_SENDER = bytes.fromhex("F00D0000000A")
_KEY = bytes(range(16))
_NOTHING: Mapping[str, int] = MappingProxyType({})

_DOOR, _TEMPERATURE, _SMOKE, _BUTTON, _PACKET, _BATTERY = 0x1A, 0x02, 0x29, 0x3A, 0x00, 0x01


class Home:
    """One sensor and where its readings go."""

    def __init__(
        self,
        kind: str,
        *,
        key: bytes | None = None,
        notes: Mapping[str, int] = _NOTHING,
        fine: FinePress | None = None,
        place: str | None = "home-03",
    ) -> None:
        self.clock, self.sink, self.memory = FakeClock(), RememberingSink(), RememberingMemory()
        told = None if key is None else key.hex()
        device = DeviceConfig(id="s-1", kind=kind, address=_ADDRESS, dwelling=place, key=told, fine=fine)
        intake = Intake(device, sink=self.sink, clock=self.clock, memory=self.memory, notes=notes)
        found = kind_of(kind)
        self.peer = SensorPeer(intake, kind=found) if isinstance(found, HeardKind) else ButtonPeer(intake)
        self.peer.linked(LinkReason.LISTENING)
        self._draining = asyncio.create_task(self.peer.inbox.drain())

    async def hears(self, *objects: bytes, after_s: float = 1.0) -> None:
        """Plain BTHome."""
        await self.hears_frame(_BTHOME, bthome_service_data(objects), after_s=after_s)

    async def hears_sealed(self, counter: int, *objects: bytes, key: bytes = _KEY) -> None:
        frame = bthome_sealed(b"".join(objects), key=key, address=_SENDER, counter=counter)
        await self.hears_frame(_BTHOME, frame)

    async def hears_frame(self, uuid: str, frame: bytes, *, after_s: float = 1.0) -> None:
        await self.hears_all(Heard({uuid: frame}, {}), after_s=after_s)

    async def hears_all(self, heard: Heard, *, after_s: float = 1.0) -> None:
        self.clock.advance(after_s)
        self.peer.advertised(heard)
        await self.peer.inbox.settled()

    @property
    def read(self) -> list[tuple[str, int]]:
        return [(one.metric, one.parts[0].steps[0]) for one in self.sink.accepted]


def _door(*, is_open: bool) -> bytes:
    return bthome_object(_DOOR, Decimal(int(is_open)))


def _degrees(value: str) -> bytes:
    return bthome_object(_TEMPERATURE, Decimal(value))


async def test_a_state_is_told_when_it_changes_and_every_ten_minutes() -> None:
    home = Home("sensor-bthome")
    for is_open in (False, False, True, True, False):
        await home.hears(_door(is_open=is_open))
    assert home.read == [("contact", 0), ("contact", 1), ("contact", 0)]
    await home.hears(_door(is_open=False), after_s=599.0)
    assert len(home.read) == 3
    await home.hears(_door(is_open=False), after_s=1.0)
    assert home.read[3:] == [("contact", 0)]


async def test_a_level_is_told_once_it_moved_by_half_a_degree_however_slowly() -> None:
    home = Home("sensor-bthome")
    for hundredths in range(1800, 1900, 10):
        await home.hears(_degrees(str(Decimal(hundredths) / 100)))
    assert home.read == [("room_temperature", 1800), ("room_temperature", 1850)]


async def test_one_advertisement_with_several_metrics_is_one_reading_of_each() -> None:
    home = Home("sensor-bthome")
    await home.hears(bthome_object(_BATTERY, Decimal(81)), _degrees("19.5"), _door(is_open=True))
    assert home.read == [("room_temperature", 1950), ("contact", 1)]
    assert {one.subject.kind for one in home.sink.accepted} == {SubjectKind.DWELLING}
    seen = home.sink.latest("s-1")
    assert seen is not None
    assert (seen.connected, seen.reason, seen.battery_percent) == (True, LinkReason.HEARD, 81)


async def test_what_cannot_be_read_is_refused_once_however_often_it_is_repeated() -> None:
    home = Home("sensor-bthome")
    for _ in range(5):
        await home.hears_frame(_BTHOME, b"\x40\x02\x01")
    assert home.sink.refused == [("s-1", DecodeReason.SHORT.value)]
    await home.hears_frame("0000180f-0000-1000-8000-00805f9b34fb", b"\x40\x02\x01")
    assert home.sink.readings == 1, "what is of another format is nothing of this sensor's"


async def test_a_press_on_a_sensor_calls_nobody() -> None:
    home = Home("sensor-bthome")
    await home.hears(bthome_object(_BUTTON, Decimal(1)))
    assert home.sink.readings == 0


async def test_a_sealed_frame_counts_once_and_never_again_when_it_is_recorded() -> None:
    home = Home("sensor-bthome", key=_KEY)
    await home.hears_sealed(500, _door(is_open=True))
    await home.hears_sealed(501, _door(is_open=False))
    await home.hears_sealed(501, _door(is_open=False))
    await home.hears_sealed(500, _door(is_open=True))
    assert home.read == [("contact", 1), ("contact", 0)]
    assert home.sink.refused == [("s-1", DecodeReason.UNPROVEN.value)]
    assert home.memory.kept == {"s-1": {COUNTER: 501}}


async def test_a_recorded_frame_is_old_after_a_restart_too() -> None:
    home = Home("sensor-bthome", key=_KEY, notes={COUNTER: 501})
    await home.hears_sealed(500, _door(is_open=True))
    assert home.read == []
    assert home.sink.refused == [("s-1", DecodeReason.UNPROVEN.value)]


async def test_a_frame_of_another_key_and_a_plain_one_are_refused_by_name() -> None:
    home = Home("sensor-bthome", key=_KEY)
    await home.hears_sealed(7, _door(is_open=True), key=bytes(16))
    await home.hears(_door(is_open=True))
    assert home.read == []
    assert [reason for _, reason in home.sink.refused] == ["encrypted", "unproven"]


async def test_smoke_that_nobody_can_prove_is_taken_and_marked_and_calm_is_not() -> None:
    home = Home("sensor-bthome", key=_KEY)
    await home.hears(bthome_object(_SMOKE, Decimal(1)))
    assert home.read == [("smoke", 1)]
    assert home.sink.accepted[0].quality.reasons == (QualityReason.UNPROVEN,)
    await home.hears(bthome_object(_SMOKE, Decimal(0)))
    assert home.read == [("smoke", 1)], "anybody could call it off"
    assert home.sink.refused == [("s-1", "unproven")]
    await home.hears_sealed(1, bthome_object(_SMOKE, Decimal(0)))
    assert home.read == [("smoke", 1), ("smoke", 0)]


async def test_a_help_button_with_a_key_calls_once_a_press_and_is_heard_without_its_key_too() -> None:
    home = Home("button-bthome", key=_KEY)
    press = bthome_object(_BUTTON, Decimal(1))
    for counter in (10, 10, 10, 11):
        await home.hears_sealed(counter, press)
    assert home.read == [("help_button", 1)] * 2
    assert all(not one.quality.reasons for one in home.sink.accepted)
    await home.hears(bthome_object(_PACKET, Decimal(9)), press)
    assert home.sink.accepted[2].quality.reasons == (QualityReason.UNPROVEN,)
    assert home.memory.kept == {"s-1": {COUNTER: 11}}


async def test_a_recorded_press_that_says_fine_takes_no_call_back() -> None:
    home = Home("button-bthome", key=_KEY, fine=FinePress.LONG)
    fine = bthome_object(_BUTTON, Decimal(4))
    await home.hears_sealed(199, fine)
    await home.hears_sealed(200, bthome_object(_BUTTON, Decimal(1)))
    home.clock.advance(120)
    await home.hears_sealed(199, fine)
    assert home.read == [("help_button", 2), ("help_button", 1), ("help_button", 1)]


async def test_a_thermometer_whose_counter_has_one_byte_goes_on_when_it_returns() -> None:
    home = Home("sensor-atc", key=_KEY)
    for counter, hundredths in ((250, 1800), (130, 1900), (129, 2000)):
        frame = pvvx_sealed(Climate(hundredths, 4000, 2900, 80, counter), address=_SENDER, key=_KEY)
        await home.hears_frame(_ATC, frame)
    assert [step for metric, step in home.read if metric == "room_temperature"] == [1800, 1900, 2000]


async def test_a_codec_of_another_package_that_fails_is_refused_by_name_and_stops_nothing() -> None:
    def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
        del key, address
        if heard.content() == b"\x00":
            raise KeyError("bad")
        return Told((Quantity("contact_open", Decimal(1)),))

    kind = HeardKind(name="x", zh="x", en="x", of_place=True, decode=decode)
    home = Home("sensor-bthome")
    home.peer = SensorPeer(
        Intake(DeviceConfig(id="s-1", kind="sensor-bthome", address=_ADDRESS), sink=home.sink, clock=home.clock),
        kind=kind,
    )
    draining = asyncio.create_task(home.peer.inbox.drain())
    await home.hears_frame(_BTHOME, b"\x00")
    await home.hears_frame(_BTHOME, b"\x01")
    assert home.sink.refused == [("s-1", DecodeReason.CODEC_FAILED.value)]
    assert home.read == [("contact", 1)]
    draining.cancel()


def test_a_weight_is_told_once_for_as_long_as_it_is_repeated() -> None:
    fold = SensorFold()
    told = [fold.news({"weight": 61_200}, event=packet, mono_ns=packet * 10**9) for packet in range(30)]
    assert told == [{"weight": 61_200}, *([{}] * 29)]
    assert fold.news({"weight": 61_200}, event=99, mono_ns=200 * 10**9) == {"weight": 61_200}
    assert fold.news({"weight": 58_000}, event=99, mono_ns=201 * 10**9) == {"weight": 58_000}


@pytest.mark.parametrize(
    ("kind", "key"), [("sensor-ruuvi", "00" * 16), ("sensor-bthome", "00" * 15), ("sensor-bthome", "no hexadecimals")]
)
def test_a_key_that_does_not_fit_is_refused_without_being_told(kind: str, key: str) -> None:
    with pytest.raises(DeviceRefused) as refused:
        DeviceConfig(id="s-1", kind=kind, address=_ADDRESS, key=key)
    assert refused.value.field == "key"
    assert key not in str(refused.value)


async def test_over_the_radio_a_sensor_is_heard_and_its_counter_is_known_after_a_restart(air: VirtualAir) -> None:
    device = DeviceConfig(id="s-1", kind="sensor-bthome", address=_ADDRESS, dwelling="home-03", key=_KEY.hex())
    sensor = Peripheral(air, address=_ADDRESS)
    await sensor.power_on()
    memory, sinks = RememberingMemory(), (RememberingSink(), RememberingSink())
    for sink, counter in zip(sinks, (300, 299), strict=True):
        frame = bthome_sealed(_door(is_open=True), key=_KEY, address=_SENDER, counter=counter)
        await sensor.broadcast(frame)
        running = asyncio.create_task(
            run_devices([device], sink, clock=SystemClock(), radio=RadioConfig(bumble=air.transport), memory=memory)
        )
        await until(lambda sink=sink: sink.readings)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [one.metric for one in sinks[0].accepted] == ["contact"]
    assert memory.kept == {"s-1": {COUNTER: 300}}
    assert sinks[1].accepted == []
    assert sinks[1].refused == [("s-1", DecodeReason.UNPROVEN.value)]


def test_a_plain_frame_of_a_sealed_thermometer_is_not_believed() -> None:
    kind = kind_of("sensor-atc")
    assert isinstance(kind, HeardKind)
    plain = pvvx_frame(Climate(1800, 4000, 2900, 80, 1), address=_SENDER)
    with pytest.raises(DecodeError):
        kind.decode(Heard({_ATC: plain}, {}), key=_KEY, address=_SENDER)


_MIBEACON = "0000fe95-0000-1000-8000-00805f9b34fb"
_BODY_SCALE = "0000181b-0000-1000-8000-00805f9b34fb"


async def test_a_xiaomi_scale_tells_one_weighing_once_and_nothing_before_it_rests_or_after_the_person_left() -> None:
    home = Home("scale-xiaomi", place=None)
    at = datetime(2026, 3, 1, 7, tzinfo=UTC)
    for stable, removed in ((False, False), (True, False), (True, False), (True, True)):
        moment = ScaleMoment(12_240, at, stable=stable, removed=removed)
        await home.hears_frame(_BODY_SCALE, body_scale_frame(moment))
    assert home.read == [("weight", 61_200)]
    assert home.sink.readings == 1


async def test_a_sealed_xiaomi_door_is_opened_with_its_key_and_old_frames_are_refused() -> None:
    home = Home("sensor-xiaomi", key=_KEY)
    for counter, is_open in ((900, 0), (901, 1), (900, 1)):
        head = BeaconHead(product=0x098B, counter=counter)
        frame = sealed_beacon(head, door_object(1 - is_open), key=_KEY, sender=_SENDER)
        await home.hears_frame(_MIBEACON, frame)
    assert home.read == [("contact", 0), ("contact", 1)]
    assert [reason for _, reason in home.sink.refused] == ["unproven"]


@pytest.mark.parametrize("kind", ["sensor-bthome", "button-bthome"])
async def test_noise_without_end_costs_a_refusal_a_second_and_no_call_for_help(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.edge.folding.NOISE_AT_ONCE", 10)
    home = Home(kind)
    for number in range(400):  # four seconds
        await home.hears_frame(_BTHOME, b"\x40\x53\xff" + number.to_bytes(2, "big"), after_s=0.01)
    assert 13 <= len(home.sink.refused) <= 15
    if kind == "button-bthome":
        await home.hears(bthome_object(_BUTTON, Decimal(1)), after_s=0.01)
        assert home.read == [("help_button", 1)]
    seen = home.sink.latest("s-1")
    assert seen is not None
    assert seen.bad_bytes > 0, "what is not refused by itself is seen all the same"


async def test_a_sensor_that_speaks_all_the_time_is_shown_as_silent_after_an_hour_and_good_once_it_is_heard() -> None:
    home = Home("sensor-atc")
    frame = pvvx_frame(Climate(1800, 4000, 2900, 80, 1), address=_SENDER)
    await home.hears_frame(_ATC, frame)
    home.clock.advance(3600)
    home.peer.minutes_passed()
    assert home.sink.seen[-1].reason is LinkReason.HEARD
    home.clock.advance(1)
    home.peer.minutes_passed()
    silent = home.sink.seen[-1]
    assert (silent.connected, silent.reason) == (False, LinkReason.TIMED_OUT)
    await home.hears_frame(_ATC, frame)
    assert home.sink.seen[-1].reason is LinkReason.HEARD


@pytest.mark.parametrize("kind", ["button-bthome", "sensor-bthome"])
async def test_silence_says_nothing_of_what_speaks_only_when_something_happens(kind: str) -> None:
    home = Home(kind)
    await home.hears(bthome_object(_BUTTON, Decimal(1)), _door(is_open=True))
    home.clock.advance(86_400)
    home.peer.minutes_passed()
    assert home.sink.seen[-1].reason is LinkReason.HEARD


async def test_a_press_that_starts_another_ibeacon_is_one_call_and_a_button_at_rest_that_goes_missing_is_shown() -> (
    None
):
    home = Home("button-kkm")
    rest, pressed = (
        Heard({}, {0x004C: ibeacon(bytes.fromhex(uuid), 1, 1, -59)})
        for uuid in ("7777772e6b6b6d636e2e636f6d000001", "6b616e6875004000800068656c700001")
    )
    await home.hears_all(rest)
    assert home.read == []
    for _ in range(10):  # the beacon sends both while it tells the press
        await home.hears_all(pressed)
        await home.hears_all(rest)
    assert home.read == [("help_button", 1)]
    await home.hears_all(pressed, after_s=60.0)
    assert home.read == [("help_button", 1)] * 2
    home.clock.advance(3601)
    home.peer.minutes_passed()
    assert home.sink.seen[-1].reason is LinkReason.TIMED_OUT
    assert home.sink.refused == []
