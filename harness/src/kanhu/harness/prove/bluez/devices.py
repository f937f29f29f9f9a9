"""The devices of the room: each measures a value of its own every time, and knows what it has told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from kanhu.contract import Clock
from kanhu.edge.devices import DeviceConfig
from kanhu.firmware_sim.air import Air, Beacon, ControlPoint, Delivery, Identity, Peripheral, Register
from kanhu.firmware_sim.alone.model import service_data
from kanhu.firmware_sim.devices.own_clock import OwnClock
from kanhu.firmware_sim.scenario.model import ClockService, DeviceClock
from kanhu.firmware_sim.wire.blood_pressure import CuffReading, blood_pressure_measurement
from kanhu.firmware_sim.wire.bthome_objects import bthome_object, bthome_service_data
from kanhu.firmware_sim.wire.glucose import MeterResult, glucose_measurement
from kanhu.firmware_sim.wire.heart_rate import Contact, HeartRateReading, heart_rate_measurement
from kanhu.firmware_sim.wire.pulse_oximeter import SpotCheck, plx_spot_check
from kanhu.firmware_sim.wire.record_access import serve_racp
from kanhu.firmware_sim.wire.thermometer import CelsiusReading, temperature_measurement
from kanhu.harness.prove.bluez.books import Told
from kanhu.harness.prove.bluez.waiting import until

__all__ = ["UTC_OFFSET_MINUTES", "Button", "Linked", "Meter", "Ward", "ward"]

UTC_OFFSET_MINUTES = 480
_BTHOME_UUID = 0xFCD2
_PACKET, _BUTTON, _PRESS = 0x00, 0x3A, 0x01
_PRESS_TIMES, _PRESS_EVERY_S = 15, 0.2  # three seconds, as buttons do
_SUBSCRIBED_WITHIN_S = 30.0


@dataclass(slots=True)
class Linked:
    """A device that is connected to."""

    name: str
    kind: str
    metric: str
    peripheral: Peripheral
    frame: Callable[[int], tuple[bytes, str]]
    """The bytes of a measurement by its number, and its value as the gateway says it."""
    told: Told = field(default_factory=Told)
    count: int = 0

    async def measure(self) -> None:
        """One result, told as soon as somebody listens.

        Raises:
            TimeoutError: nobody does.
        """
        if not await until(self.peripheral.has_subscriber, within_s=_SUBSCRIBED_WITHIN_S):
            raise TimeoutError(f"nobody listens to the {self.name}")
        frame, value = self.frame(self.count)
        self.count += 1
        confirmed = await self.peripheral.send(frame)
        (self.told.certain if confirmed else self.told.uncertain).append(value)


class Meter:
    """A glucose meter: it keeps what it measures, and tells it to whom it is paired with."""

    name, kind, metric = "meter", "glucose-ble", "glucose_capillary"

    def __init__(self, air: Air, *, address: str, clock: Clock, protected: bool) -> None:
        """Begin with an empty memory; who is not `protected` tells anybody."""
        self.told = Told()
        self._clock = clock
        self._memory: list[MeterResult] = []
        self._questions: asyncio.Queue[bytes] = asyncio.Queue()
        control = ControlPoint(0x2A52, self._questions.put_nowait, protected=protected)
        self.peripheral = _peripheral(air, "meter", address, 0x1808, 0x2A18, Delivery.NOTIFY, control=control)

    async def measure(self) -> None:
        """One result more in its memory."""
        number = len(self._memory)
        concentration = Decimal("4.0") + Decimal("0.1") * number
        self._memory.append(MeterResult(number + 1, self._clock.now(), concentration=concentration.scaleb(-3)))
        self.told.certain.append(_said(concentration))

    async def answer(self) -> None:
        """Whatever it is asked, until cancelled."""
        while True:
            reply = serve_racp(await self._questions.get(), [one.sequence for one in self._memory])
            for place in reply.places:
                await self.peripheral.send(glucose_measurement(self._memory[place]))
            await self.peripheral.answer(reply.indication)


class Button:
    """A help button: a press is repeated on the air for three seconds."""

    name, kind, metric = "button", "button-bthome", "help_button"

    def __init__(self, air: Air, *, address: str, clock: Clock) -> None:
        """Begin unpressed."""
        self.told = Told()
        self._beacon = Beacon(air, address=address, clock=clock)

    async def measure(self) -> None:
        """Be pressed."""
        number = len(self.told.certain)
        self.told.certain.append("1")
        objects = [bthome_object(_PACKET, Decimal(number)), bthome_object(_BUTTON, Decimal(_PRESS))]
        data = service_data(_BTHOME_UUID, bthome_service_data(objects))
        await self._beacon.advertise(data, times=_PRESS_TIMES, interval_s=_PRESS_EVERY_S)


Device = Linked | Meter | Button


@dataclass(frozen=True, slots=True)
class Ward:
    """All of them."""

    linked: tuple[Linked, ...]
    meter: Meter
    button: Button
    cuff_clock: OwnClock
    stranger: Peripheral
    """A cuff like ours, of which the gateway knows nothing."""
    configs: tuple[DeviceConfig, ...]

    @property
    def all(self) -> tuple[Device, ...]:
        """Whoever tells something."""
        return (*self.linked, self.meter, self.button)

    @property
    def peripherals(self) -> dict[str, Peripheral]:
        """Whoever is connected to, by name."""
        return {**{one.name: one.peripheral for one in self.linked}, self.meter.name: self.meter.peripheral}


def ward(air: Air, *, clock: Clock, protected: bool) -> Ward:
    """Put them into the air; whether the meter wants to be paired with."""
    own = OwnClock(clock, state=DeviceClock.RESET, utc_offset_minutes=UTC_OFFSET_MINUTES)
    service = ClockService.CURRENT_TIME
    register = Register(0x1805, 0x2A2B, read=partial(own.read, service), write=partial(own.write, service))
    addresses = [f"F0:0D:00:00:02:{number:02X}" for number in range(1, 8)]
    indicate, notify = Delivery.INDICATE, Delivery.NOTIFY
    cuff = _peripheral(air, "cuff", addresses[0], 0x1810, 0x2A35, indicate, registers=(register,))
    strap = _peripheral(air, "strap", addresses[1], 0x180D, 0x2A37, notify)
    thermometer = _peripheral(air, "thermometer", addresses[2], 0x1809, 0x2A1C, indicate)
    oximeter = _peripheral(air, "oximeter", addresses[3], 0x1822, 0x2A5E, indicate)
    linked = (
        Linked("cuff", "cuff-ble", "systolic", cuff, _cuff),
        Linked("strap", "strap-ble", "heart_rate", strap, _strap),
        Linked("thermometer", "thermometer-ble", "temperature", thermometer, _thermometer),
        Linked("oximeter", "oximeter-ble", "spo2", oximeter, _oximeter),
    )
    meter = Meter(air, address=addresses[4], clock=clock, protected=protected)
    button = Button(air, address=addresses[5], clock=clock)
    stranger = _peripheral(air, "stranger", addresses[6], 0x1810, 0x2A35, indicate)
    everybody: tuple[Device, ...] = (*linked, meter, button)
    named = zip(everybody, addresses, strict=False)
    configs = tuple(DeviceConfig(id=one.name, kind=one.kind, address=address) for one, address in named)
    return Ward(linked, meter, button, own, stranger, configs)


def _cuff(number: int) -> tuple[bytes, str]:
    systolic = 90 + number % 80
    return blood_pressure_measurement(CuffReading(Decimal(systolic), Decimal(70))), str(systolic)


def _strap(number: int) -> tuple[bytes, str]:
    bpm = 40 + number % 160
    return heart_rate_measurement(HeartRateReading(bpm, contact=Contact.DETECTED)), str(bpm)


def _thermometer(number: int) -> tuple[bytes, str]:
    celsius = Decimal("35.0") + Decimal("0.1") * (number % 50)
    return temperature_measurement(CelsiusReading(celsius)), _said(celsius)


def _oximeter(number: int) -> tuple[bytes, str]:
    percent = 80 + number % 20
    return plx_spot_check(SpotCheck((Decimal(percent), Decimal(72)))), str(percent)


def _said(value: Decimal) -> str:
    """As the gateway says it, without a zero behind the point."""
    return f"{value.normalize():f}"


def _peripheral(
    air: Air,
    name: str,
    address: str,
    service_uuid: int,
    measurement_uuid: int,
    delivery: Delivery,
    *,
    registers: tuple[Register, ...] = (),
    control: ControlPoint | None = None,
) -> Peripheral:
    identity = Identity(name=name, address=address, service_uuid=service_uuid, maker="kanhu simulator", model=name)
    return Peripheral(
        air,
        identity=identity,
        measurement_uuid=measurement_uuid,
        delivery=delivery,
        registers=registers,
        control=control,
    )
