"""An upper arm cuff with the Bluetooth SIG Blood Pressure Service: one indication is one reading.

It stores nothing: with no host connected and subscribed, a measurement is shown on its display and lost.
"""

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from bumble.gatt import Characteristic

from kanhu.firmware_sim.air import Air, Identity, Peripheral
from kanhu.firmware_sim.devices.device import Surroundings
from kanhu.firmware_sim.journal import Value
from kanhu.firmware_sim.scenario.model import CuffNotice, DeviceClock, Measure
from kanhu.firmware_sim.timeline import Timeline
from kanhu.firmware_sim.wire import CuffReading, CuffStatus, PressureUnit, blood_pressure_measurement

_SERVICE_BLOOD_PRESSURE = 0x1810
_MEASUREMENT = 0x2A35
_FEATURE = 0x2A49
# Movement, cuff fit, irregular pulse, pulse range and position detection are there.
_FEATURES = (0b0001_1111).to_bytes(2, "little")
_MMHG_PER_KPA = Decimal("7.50062")
_ONE_DECIMAL = Decimal("0.1")
_MAKERS_DEFAULT = datetime(2015, 1, 1, tzinfo=UTC)  # where a clock starts after the battery was changed

_NOTICES = {
    CuffNotice.MOVEMENT: CuffStatus.BODY_MOVEMENT,
    CuffNotice.LOOSE_CUFF: CuffStatus.CUFF_TOO_LOOSE,
    CuffNotice.IRREGULAR_PULSE: CuffStatus.IRREGULAR_PULSE,
    CuffNotice.PULSE_ABOVE_RANGE: CuffStatus.PULSE_ABOVE_RANGE,
    CuffNotice.PULSE_BELOW_RANGE: CuffStatus.PULSE_BELOW_RANGE,
    CuffNotice.IMPROPER_POSITION: CuffStatus.IMPROPER_POSITION,
}


class Cuff:
    """One cuff."""

    def __init__(self, surroundings: Surroundings, *, air: Air, address: str, utc_offset_minutes: int) -> None:
        """Stand in `air`; its own clock shows local time at `utc_offset_minutes`."""
        self._around = surroundings
        self._address = address
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))
        self._peripheral = Peripheral(
            air,
            identity=Identity(
                name="BP " + surroundings.entry.id,
                address=address,
                service_uuid=_SERVICE_BLOOD_PRESSURE,
                maker="kanhu simulator",
                model="upper arm cuff",
            ),
            measurement=Characteristic(
                f"{_MEASUREMENT:04X}", Characteristic.Properties.INDICATE, Characteristic.Permissions(0), b""
            ),
            constants=((_FEATURE, _FEATURES),),
        )

    @property
    def name(self) -> str:
        """Its id."""
        return self._around.entry.id

    def door(self) -> dict[str, str]:
        """Its kind and address."""
        return {"kind": self._around.entry.kind.value, "address": self._address}

    def has_reader(self) -> bool:
        """Whether a host is connected and has asked for measurements."""
        return self._peripheral.has_indication_subscriber()

    async def power_on(self) -> None:
        """Advertise."""
        await self._peripheral.power_on()

    async def idle(self) -> None:
        """Nothing by itself."""

    async def play(self, timeline: Timeline) -> None:
        """Measure when told."""
        for event in self._around.events:
            if isinstance(event, Measure):
                await timeline.until(event.at_s + self._around.spoiler.delay_s(event.at_s))
                await self._measure(event, timeline)

    async def power_off(self) -> None:
        """Leave the air."""
        await self._peripheral.power_off()

    async def _measure(self, event: Measure, timeline: Timeline) -> None:
        state = self._around.body.seated(timeline.second_of_day(event.at_s))
        systolic_mmhg = event.systolic_mmhg or round(state.systolic_mmhg)
        diastolic_mmhg = event.diastolic_mmhg or round(state.diastolic_mmhg)
        pulse_bpm = event.pulse_bpm or round(state.heart_rate_bpm)
        unit = PressureUnit(self._around.entry.unit)
        status = CuffStatus(0)
        for notice in event.notices:
            status |= _NOTICES[notice]
        reading = CuffReading(
            systolic=_shown(systolic_mmhg, unit),
            diastolic=_shown(diastolic_mmhg, unit),
            mean=_shown(round(diastolic_mmhg + (systolic_mmhg - diastolic_mmhg) / 3), unit),
            unit=unit,
            measured_at=self._own_clock(timeline),
            pulse_bpm=Decimal(pulse_bpm),
            status=status,
        )
        values: dict[str, Value] = {
            "systolic_mmhg": systolic_mmhg,
            "diastolic_mmhg": diastolic_mmhg,
            "pulse_bpm": pulse_bpm,
            "unit": unit.value,
            "status": int(status),
        }
        kind = self._around.entry.kind.value
        if not self._peripheral.has_indication_subscriber():
            self._around.journal.write_unsent(
                self._around.home, self.name, kind=kind, reason="no_subscriber", values=values
            )
            return
        for message in self._around.spoiler.messages(blood_pressure_measurement(reading), event.at_s):
            sent = self._peripheral.indicate(message)
            self._around.journal.write_emitted(self._around.home, self.name, kind=kind, values=values)
            if not await sent:
                self._around.journal.write_unconfirmed(self._around.home, self.name, kind=kind)

    def _own_clock(self, timeline: Timeline) -> datetime | None:
        match self._around.entry.clock:
            case DeviceClock.SET:
                return self._around.clock.now().astimezone(self._zone)
            case DeviceClock.RESET:
                return _MAKERS_DEFAULT + timedelta(seconds=timeline.elapsed_s())
            case DeviceClock.ABSENT:
                return None


def _shown(pressure_mmhg: int, unit: PressureUnit) -> Decimal:
    """A pressure as the display shows it in its unit."""
    if unit is PressureUnit.MMHG:
        return Decimal(pressure_mmhg)
    return (Decimal(pressure_mmhg) / _MMHG_PER_KPA).quantize(_ONE_DECIMAL, ROUND_HALF_UP)
