"""An upper arm cuff with the Bluetooth SIG Blood Pressure Service: one indication is one reading."""

from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from kanhu.firmware_sim.air import Air, Delivery, Register
from kanhu.firmware_sim.devices.connected import ConnectedDevice, Profile
from kanhu.firmware_sim.devices.device import Surroundings
from kanhu.firmware_sim.devices.own_clock import OwnClock
from kanhu.firmware_sim.journal import Value
from kanhu.firmware_sim.scenario.model import ClockService, CuffNotice, Measure
from kanhu.firmware_sim.timeline import Timeline
from kanhu.firmware_sim.wire import CuffReading, CuffStatus, PressureUnit, blood_pressure_measurement

_FEATURE_UUID = 0x2A49
# Movement, cuff fit, irregular pulse, pulse range and position detection are there.
_FEATURES = (0b0001_1111).to_bytes(2, "little")
_PROFILE = Profile(
    prefix="BP",
    model="upper arm cuff",
    service_uuid=0x1810,
    measurement_uuid=0x2A35,
    delivery=Delivery.INDICATE,
    constants=((_FEATURE_UUID, _FEATURES),),
)
_MMHG_PER_KPA = Decimal("7.50062")
_ONE_DECIMAL = Decimal("0.1")
# Service and characteristic; Current Time has a service of its own, Date Time stands beside the measurement.
_CLOCKS = {ClockService.CURRENT_TIME: (0x1805, 0x2A2B), ClockService.DATE_TIME: (_PROFILE.service_uuid, 0x2A08)}

_NOTICES = {
    CuffNotice.MOVEMENT: CuffStatus.BODY_MOVEMENT,
    CuffNotice.LOOSE_CUFF: CuffStatus.CUFF_TOO_LOOSE,
    CuffNotice.IRREGULAR_PULSE: CuffStatus.IRREGULAR_PULSE,
    CuffNotice.PULSE_ABOVE_RANGE: CuffStatus.PULSE_ABOVE_RANGE,
    CuffNotice.PULSE_BELOW_RANGE: CuffStatus.PULSE_BELOW_RANGE,
    CuffNotice.IMPROPER_POSITION: CuffStatus.IMPROPER_POSITION,
}


class Cuff(ConnectedDevice):
    """One cuff."""

    def __init__(self, surroundings: Surroundings, *, air: Air, address: str, utc_offset_minutes: int) -> None:
        """Stand in `air`; its own clock shows local time at `utc_offset_minutes`."""
        entry = surroundings.entry
        self.own_clock = OwnClock(surroundings.clock, state=entry.clock, utc_offset_minutes=utc_offset_minutes)
        offered = () if entry.clock_service is None else (_register(entry.clock_service, self.own_clock),)
        super().__init__(surroundings, profile=_PROFILE, air=air, address=address, registers=offered)

    async def play(self, timeline: Timeline) -> None:
        """Measure when told."""
        for event in self._around.events:
            if isinstance(event, Measure):
                await timeline.until(event.at_s + self._around.spoiler.delay_s(event.at_s))
                await self._measure(event, timeline)

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
            measured_at=self.own_clock.shown(),
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
        await self._send(blood_pressure_measurement(reading), values, at_s=event.at_s)


def _register(service: ClockService, clock: OwnClock) -> Register:
    return Register(*_CLOCKS[service], read=partial(clock.read, service), write=partial(clock.write, service))


def _shown(pressure_mmhg: int, unit: PressureUnit) -> Decimal:
    """A pressure as the display shows it in its unit."""
    if unit is PressureUnit.MMHG:
        return Decimal(pressure_mmhg)
    return (Decimal(pressure_mmhg) / _MMHG_PER_KPA).quantize(_ONE_DECIMAL, ROUND_HALF_UP)
