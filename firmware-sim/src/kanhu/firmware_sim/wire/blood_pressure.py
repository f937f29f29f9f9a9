"""Bluetooth SIG Blood Pressure Measurement (characteristic 0x2A35, indicated).

Flags, then systolic, diastolic and mean pressure as SFLOAT, then the optional fields in the order of their flags:
date and time, pulse rate, user, measurement status.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntFlag, StrEnum

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat

_FLAG_KPA = 1 << 0
_FLAG_TIME = 1 << 1
_FLAG_PULSE = 1 << 2
_FLAG_USER = 1 << 3
_FLAG_STATUS = 1 << 4
_LARGEST_USER = 0xFF  # 0xFF itself says "unknown user"


class PressureUnit(StrEnum):
    """The unit the cuff is switched to; both pressures and mean are sent in it."""

    MMHG = "mmHg"
    KPA = "kPa"


class CuffStatus(IntFlag):
    """What the cuff noticed while measuring."""

    BODY_MOVEMENT = 1 << 0
    CUFF_TOO_LOOSE = 1 << 1
    IRREGULAR_PULSE = 1 << 2
    PULSE_ABOVE_RANGE = 1 << 3
    PULSE_BELOW_RANGE = 1 << 4
    IMPROPER_POSITION = 1 << 5


@dataclass(frozen=True, slots=True)
class CuffReading:
    """One measurement as the cuff shows it; pressures in `unit`, pulse in beats per minute."""

    systolic: Decimal
    diastolic: Decimal
    mean: Decimal | None = None  # many cuffs do not measure it and send not-a-number
    unit: PressureUnit = PressureUnit.MMHG
    measured_at: datetime | None = None
    pulse_bpm: Decimal | None = None
    user: int | None = None
    status: CuffStatus | None = None


def blood_pressure_measurement(reading: CuffReading) -> bytes:
    """The characteristic's value for one reading."""
    flags = _FLAG_KPA if reading.unit is PressureUnit.KPA else 0
    mean = SfloatSpecial.NOT_A_NUMBER if reading.mean is None else reading.mean
    body = sfloat(reading.systolic) + sfloat(reading.diastolic) + sfloat(mean)
    if reading.measured_at is not None:
        flags |= _FLAG_TIME
        body += date_time(reading.measured_at)
    if reading.pulse_bpm is not None:
        flags |= _FLAG_PULSE
        body += sfloat(reading.pulse_bpm)
    if reading.user is not None:
        if not 0 <= reading.user <= _LARGEST_USER:
            raise NotEncodable(f"user {reading.user} is outside 0-{_LARGEST_USER}")
        flags |= _FLAG_USER
        body += bytes([reading.user])
    if reading.status is not None:
        flags |= _FLAG_STATUS
        body += int(reading.status).to_bytes(2, "little")
    return bytes([flags]) + body
