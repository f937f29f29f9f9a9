"""Bluetooth SIG Enhanced Blood Pressure Measurement (0x2B34, Blood Pressure Service 1.1). Experimental.

As the older measurement, with seconds since the first of January 2000 (or 1900) in place of date and time, and the
time that the person sees, in the same seconds, at the end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from kanhu.firmware_sim.wire.blood_pressure import CuffStatus, PressureUnit
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat

_YEAR_2000 = 2000


@dataclass(frozen=True, slots=True)
class EnhancedCuffReading:
    """One measurement as the cuff shows it; pressures in `unit`, pulse in beats per minute."""

    systolic: Decimal
    diastolic: Decimal
    mean: Decimal | None = None
    unit: PressureUnit = PressureUnit.MMHG
    counted_at: datetime | None = None
    pulse_bpm: Decimal | None = None
    user: int | None = None
    status: CuffStatus | None = None
    shown_at: datetime | None = None
    epoch_year: int = _YEAR_2000


def enhanced_blood_pressure_measurement(reading: EnhancedCuffReading) -> bytes:
    """The characteristic's value for one reading."""
    flags = (reading.unit is PressureUnit.KPA) | (reading.epoch_year == _YEAR_2000) << 6
    body = sfloat(reading.systolic) + sfloat(reading.diastolic)
    body += sfloat(SfloatSpecial.NOT_A_NUMBER if reading.mean is None else reading.mean)
    fields = (
        None if reading.counted_at is None else _seconds(reading.counted_at, reading.epoch_year),
        None if reading.pulse_bpm is None else sfloat(reading.pulse_bpm),
        None if reading.user is None else bytes([reading.user]),
        None if reading.status is None else int(reading.status).to_bytes(2, "little"),
        None if reading.shown_at is None else _seconds(reading.shown_at, reading.epoch_year),
    )
    for bit, sent in enumerate(fields, 1):
        if sent is not None:
            flags |= 1 << bit
            body += sent
    return bytes([flags]) + body


def _seconds(at: datetime, epoch_year: int) -> bytes:
    since = at - datetime(epoch_year, 1, 1, tzinfo=at.tzinfo)
    return (since // timedelta(seconds=1)).to_bytes(4, "little")
