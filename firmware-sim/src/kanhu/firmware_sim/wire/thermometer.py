"""Bluetooth SIG Temperature Measurement and Intermediate Temperature (0x2A1C indicated, 0x2A1E notified).

Flags, the temperature as FLOAT in the unit of the first flag, then date and time and the place on the body, if sent.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.ieee_float import FloatSpecial, ieee_float

_FLAG_FAHRENHEIT = 1 << 0
_FLAG_TIME = 1 << 1
_FLAG_TYPE = 1 << 2


class MeasuringPlace(IntEnum):
    """The Temperature Type characteristic (0x2A1D)."""

    ARMPIT = 1
    BODY = 2
    EAR = 3
    FINGER = 4
    GASTRO_INTESTINAL_TRACT = 5
    MOUTH = 6
    RECTUM = 7
    TOE = 8
    TYMPANUM = 9


@dataclass(frozen=True, slots=True)
class CelsiusReading:
    """What a thermometer shows in degrees Celsius."""

    temperature: Decimal | FloatSpecial
    measured_at: datetime | None = None
    place: MeasuringPlace | None = None


@dataclass(frozen=True, slots=True)
class FahrenheitReading:
    """What a thermometer shows in degrees Fahrenheit."""

    temperature: Decimal | FloatSpecial
    measured_at: datetime | None = None
    place: MeasuringPlace | None = None


def temperature_measurement(reading: CelsiusReading | FahrenheitReading) -> bytes:
    """The characteristic's value for one reading."""
    flags = _FLAG_FAHRENHEIT if isinstance(reading, FahrenheitReading) else 0
    body = ieee_float(reading.temperature)
    if reading.measured_at is not None:
        flags |= _FLAG_TIME
        body += date_time(reading.measured_at)
    if reading.place is not None:
        flags |= _FLAG_TYPE
        body += bytes([reading.place])
    return bytes([flags]) + body


def temperature_type(place: MeasuringPlace) -> bytes:
    """The value of 0x2A1D."""
    return bytes([place])
