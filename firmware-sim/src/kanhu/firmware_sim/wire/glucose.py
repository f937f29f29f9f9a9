"""Bluetooth SIG Glucose Measurement (characteristic 0x2A18, notified).

Flags, sequence number, base time, then what the flags name; concentrations are SFLOAT in kg/L or mol/L.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, IntFlag, StrEnum

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat


class GlucoseUnit(StrEnum):
    """Flag bit 2."""

    KG_PER_L = "kg/L"
    MOL_PER_L = "mol/L"


class SampleType(IntEnum):
    """Low nibble of the octet behind the concentration."""

    CAPILLARY_WHOLE_BLOOD = 0x1
    CAPILLARY_PLASMA = 0x2
    VENOUS_WHOLE_BLOOD = 0x3
    VENOUS_PLASMA = 0x4
    ARTERIAL_WHOLE_BLOOD = 0x5
    ARTERIAL_PLASMA = 0x6
    UNDETERMINED_WHOLE_BLOOD = 0x7
    UNDETERMINED_PLASMA = 0x8
    INTERSTITIAL_FLUID = 0x9
    CONTROL_SOLUTION = 0xA


class SampleLocation(IntEnum):
    """High nibble of the same octet."""

    FINGER = 0x1
    ALTERNATE_SITE_TEST = 0x2
    EARLOBE = 0x3
    CONTROL_SOLUTION = 0x4
    NOT_AVAILABLE = 0xF


class MeterStatus(IntFlag):
    """What the meter annunciates beside a result."""

    BATTERY_LOW = 0x0001
    SENSOR_MALFUNCTION = 0x0002
    SAMPLE_SIZE_INSUFFICIENT = 0x0004
    STRIP_INSERTION_ERROR = 0x0008
    STRIP_TYPE_INCORRECT = 0x0010
    RESULT_TOO_HIGH = 0x0020
    RESULT_TOO_LOW = 0x0040
    TEMPERATURE_TOO_HIGH = 0x0080
    TEMPERATURE_TOO_LOW = 0x0100
    READ_INTERRUPTED = 0x0200
    GENERAL_FAULT = 0x0400
    TIME_FAULT = 0x0800


@dataclass(frozen=True, slots=True)
class MeterResult:
    """One record as the meter keeps it; concentration in `unit`."""

    sequence: int
    base_time: datetime
    offset_min: int | None = None
    concentration: Decimal | SfloatSpecial | None = None
    unit: GlucoseUnit = GlucoseUnit.MOL_PER_L
    sample_type: SampleType = SampleType.CAPILLARY_WHOLE_BLOOD
    location: SampleLocation = SampleLocation.FINGER
    status: MeterStatus | None = None
    context_follows: bool = False


def glucose_measurement(result: MeterResult) -> bytes:
    """The value of 0x2A18 for one record."""
    flags = 0
    body = _uint16(result.sequence) + date_time(result.base_time)
    if result.offset_min is not None:
        flags |= 1 << 0
        body += _uint16(result.offset_min % 0x10000)
    if result.concentration is not None:
        flags |= 1 << 1
        body += sfloat(result.concentration) + bytes([result.location << 4 | result.sample_type])
    if result.unit is GlucoseUnit.MOL_PER_L:
        flags |= 1 << 2
    if result.status is not None:
        flags |= 1 << 3
        body += _uint16(int(result.status))
    if result.context_follows:
        flags |= 1 << 4
    return bytes([flags]) + body


def _uint16(value: int) -> bytes:
    if not 0 <= value <= 0xFFFF:
        raise NotEncodable(f"{value} does not fit 16 bits")
    return value.to_bytes(2, "little")
