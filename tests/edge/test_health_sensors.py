"""A generic health sensor by the radio: it is told to begin, and what it sends in segments is read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from kanhu.contract import FakeClock, SubjectKind, SystemClock
from kanhu.edge import health_sensors
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.errors import DecodeReason, LinkLost, LinkReason
from kanhu.edge.health_sensors import HealthSensorPeer
from kanhu.edge.intake import Intake
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import Attendance, People
from kanhu.firmware_sim.wire.ghs import GhsHeader, GhsNumber, ghs_bundle, ghs_numeric, ghs_segments
from tests.edge.readings import RememberingSink, until
from tests.edge.virtual_radio import Peripheral, VirtualAir

_SENSOR = DeviceConfig(id="sensor-1", kind="health-sensor-ble", address="F0:0D:00:00:00:09", subject="r-0001")
_SERVICE = 0x1840
_NUMBERS = (GhsNumber(150456, 544, Decimal(94)), GhsNumber(149530, 2720, Decimal(81)))
_BODY = ghs_bundle([ghs_numeric(number, GhsHeader()) for number in _NUMBERS], GhsHeader())
_SEGMENTS = ghs_segments(_BODY, most_bytes=20, counter=62)


class Sensor(Peripheral):
    """Sends nothing before it was told to begin."""

    def __init__(self, air: VirtualAir, *, address: str, answer: bytes | None = b"\x80") -> None:
        super().__init__(air, address=address)
        self.commands: list[bytes] = []
        self._answer = answer
        properties = Characteristic.Properties
        self._live: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2B8B), properties.NOTIFY, Characteristic.READABLE
        )
        self._control: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2BF4),
            properties.WRITE | properties.INDICATE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._written),
        )
        self.device.add_services([Service(UUID.from_16_bits(_SERVICE), [self._live, self._control])])
        self._tasks: set[asyncio.Task[None]] = set()

    def _written(self, _connection: Connection, value: bytes) -> None:
        self.commands.append(value)
        if self._answer is not None:
            task = asyncio.create_task(self.device.indicate_subscribers(self._control, self._answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def say(self, *segments: bytes) -> None:
        for each in segments:
            await self.device.notify_subscribers(self._live, each)


@asynccontextmanager
async def reading(air: VirtualAir, sink: RememberingSink, *, answer: bytes | None = b"\x80") -> AsyncIterator[Sensor]:
    sensor = Sensor(air, address=_SENSOR.address or "", answer=answer)
    await sensor.power_on()
    await sensor.advertise(_SERVICE)
    running = asyncio.create_task(
        run_devices([_SENSOR], sink, clock=SystemClock(), radio=RadioConfig(bumble=air.transport))
    )
    try:
        yield sensor
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_is_told_to_begin_on_each_link_and_its_segments_are_one_reading(air: VirtualAir) -> None:
    sink = RememberingSink()
    async with reading(air, sink) as sensor:
        for links in (1, 2):
            await until(lambda links=links: len(sensor.commands) == links)  # type: ignore[misc]  # mypy cannot infer a lambda's default
            await sensor.say(*_SEGMENTS)
            await until(lambda links=links: len(sink.accepted) == links)  # type: ignore[misc]  # mypy cannot infer a lambda's default
            await sensor.drop()
    assert len(_SEGMENTS) > 1
    assert sensor.commands[:2] == [b"\x01", b"\x01"]
    assert [(one.metric, one.subject.id, one.value("spo2"), one.value("pulse_oximeter")) for one in sink.accepted] == [
        ("oximetry", "r-0001", Decimal(94), Decimal(81))
    ] * 2
    assert sink.refused == []


async def test_what_lacks_a_segment_is_refused_once_and_the_next_is_read(air: VirtualAir) -> None:
    sink = RememberingSink()
    async with reading(air, sink) as sensor:
        await until(lambda: sensor.commands)
        await sensor.say(_SEGMENTS[0], *_SEGMENTS[2:], *_SEGMENTS)
        await until(lambda: sink.accepted and sink.refused)
        await sensor.say(_SEGMENTS[0])
        await sensor.drop()
        await until(lambda: len(sink.refused) == 2)
    assert len(sink.accepted) == 1
    assert sink.refused == [("sensor-1", DecodeReason.NOT_SYNCHRONISED.value)] * 2


async def test_a_sensor_that_will_not_begin_is_left_and_tried_again(air: VirtualAir) -> None:
    sink = RememberingSink()
    async with reading(air, sink, answer=b"\x81") as sensor:
        await until(lambda: len(sensor.commands) > 1)
    left = [seen for seen in sink.seen if seen.reason is LinkReason.SERVICE_MISSING]
    assert "81" in left[0].detail


async def test_a_sensor_that_answers_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_sensors, "SILENT_S", 0.05)
    peer = HealthSensorPeer(Intake(_SENSOR, sink=RememberingSink(), clock=SystemClock()))
    written: list[tuple[str, bytes]] = []

    async def write(uuid: str, value: bytes) -> None:
        written.append((uuid, value))

    peer.told("", b"\x80")  # an answer of before is none
    with pytest.raises(TimeoutError):
        await peer.ask(write)
    assert written == [("00002bf4-0000-1000-8000-00805f9b34fb", b"\x01")]


async def test_more_answers_than_were_asked_for_are_noise() -> None:
    peer = HealthSensorPeer(Intake(_SENSOR, sink=RememberingSink(), clock=SystemClock()))

    async def write(_uuid: str, _value: bytes) -> None:
        for _ in range(100):
            peer.told("", b"")

    with pytest.raises(LinkLost, match="nothing"):
        await peer.ask(write)


async def test_on_a_shared_sensor_a_result_just_after_the_next_person_was_chosen_is_of_nobody() -> None:
    clock, sink = FakeClock(), RememberingSink()
    attendance = Attendance(clock=clock)
    shared = DeviceConfig(id="sensor-1", kind="health-sensor-ble", address="F0:0D:00:00:00:09")
    people = People(clock=clock, attendance=attendance)
    peer = HealthSensorPeer(Intake(shared, sink=sink, clock=clock, people=people))
    draining = asyncio.create_task(peer.inbox.drain())
    for resident, waited_s in (("r-0001", 20.0), ("r-0002", 5.0), ("r-0002", 20.0)):
        attendance.choose(resident)
        clock.advance(waited_s)
        for each in _SEGMENTS:
            peer.notified(each)
    await until(lambda: len(sink.accepted) == 3)
    draining.cancel()
    assert [one.subject.kind for one in sink.accepted] == [
        SubjectKind.RESIDENT,
        SubjectKind.UNIDENTIFIED,
        SubjectKind.RESIDENT,
    ]
    assert [one.subject.id for one in sink.accepted[::2]] == ["r-0001", "r-0002"]
