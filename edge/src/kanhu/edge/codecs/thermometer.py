"""Decode the Bluetooth SIG Temperature Measurement, Type and Intermediate Temperature (0x2A1C, 0x2A1D, 0x2A1E).

Field order and flags follow the Health Thermometer Service specification: flags, temperature as FLOAT, [time], [type].
Temperatures stay in the thermometer's unit; Celsius is an exact fraction, since five ninths are no decimal.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.codecs.date_time_fields import DATE_TIME_BYTES, DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.ieee_float import FLOAT_BYTES, decode_float_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00001809-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a1c-0000-1000-8000-00805f9b34fb"
TYPE_UUID = "00002a1d-0000-1000-8000-00805f9b34fb"
INTERMEDIATE_UUID = "00002a1e-0000-1000-8000-00805f9b34fb"

_IN_FAHRENHEIT = 0x01
_HAS_TIME = 0x02
_HAS_TYPE = 0x04

_MAX_BYTES = 512  # the longest attribute value in ATT
_FREEZING_F = 32
_CELSIUS_IN_ONE_FAHRENHEIT = Fraction(5, 9)
# A FLOAT reaches 10 to the 133; beyond this it is no temperature, and does not fit a record.
_HOTTEST_CELSIUS = 1000


class TemperatureUnit(StrEnum):
    """What the number on the wire counts."""

    CELSIUS = "C"
    FAHRENHEIT = "F"


class TemperatureSite(Enum):
    """Where on the body, by the Temperature Type characteristic."""

    ARMPIT = 1
    BODY = 2
    EAR = 3
    FINGER = 4
    GASTROINTESTINAL = 5
    MOUTH = 6
    RECTUM = 7
    TOE = 8
    TYMPANUM = 9


_SITES = {site.value: site for site in TemperatureSite}
# Finger and toe are missing: cold skin read as body temperature would look like a dying person.
_METRICS = {
    None: "temperature",
    TemperatureSite.BODY: "temperature",
    TemperatureSite.GASTROINTESTINAL: "temperature",
    TemperatureSite.RECTUM: "temperature",
    TemperatureSite.ARMPIT: "temperature_axillary",
    TemperatureSite.MOUTH: "temperature_oral",
    TemperatureSite.EAR: "temperature_ear",
    TemperatureSite.TYMPANUM: "temperature_ear",
}


@dataclass(frozen=True, slots=True)
class Temperature:
    """One measurement; None is not sent, not measured or reserved."""

    temperature: Decimal | None  # in `unit`; None: no reading yet
    unit: TemperatureUnit
    sent_at: DateTimeFields | None  # the thermometer's own clock; it has no zone
    site: TemperatureSite | None

    @property
    def celsius(self) -> Fraction | None:
        """Exactly."""
        if self.temperature is None or self.unit is TemperatureUnit.CELSIUS:
            return None if self.temperature is None else Fraction(self.temperature)
        return (Fraction(self.temperature) - _FREEZING_F) * _CELSIUS_IN_ONE_FAHRENHEIT


def decode_temperature(frame: bytes) -> Temperature:
    """Decode one 0x2A1C or 0x2A1E frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or the number is a reserved one.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    flags = frame[0]
    temperature = decode_float_or_absent(frame, 1, field="temperature")
    at = 1 + FLOAT_BYTES
    sent_at: DateTimeFields | None = None
    if flags & _HAS_TIME:
        sent_at = date_time_fields_as_sent(frame, at)
        at += DATE_TIME_BYTES
    site: TemperatureSite | None = None
    if flags & _HAS_TYPE:
        if at >= len(frame):
            raise DecodeError(DecodeReason.SHORT, f"flags 0x{flags:02X} need {at + 1} bytes, got {len(frame)}")
        site = _SITES.get(frame[at])
    unit = TemperatureUnit.FAHRENHEIT if flags & _IN_FAHRENHEIT else TemperatureUnit.CELSIUS
    return Temperature(temperature, unit, sent_at, site)


def decode_temperature_type(frame: bytes) -> TemperatureSite:
    """Decode the 0x2A1D value of a thermometer that always measures at one place.

    Raises:
        DecodeError: it is not one byte, or a reserved one.
    """
    if len(frame) != 1:
        raise DecodeError(DecodeReason.TOO_LONG if frame else DecodeReason.SHORT, f"{len(frame)} bytes, not 1")
    site = _SITES.get(frame[0])
    if site is None:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"temperature type {frame[0]}")
    return site


def observe_temperature(
    record: Temperature, *, subject: Subject, device: str, times: Times, site: TemperatureSite | None = None
) -> Observation:
    """One final reading, rounded to a hundredth of a degree; `site` is that of 0x2A1D where the frame has none.

    Raises:
        DecodeError: no reading yet, no possible temperature, or a place on the body that no metric is for.
    """
    celsius = record.celsius
    if celsius is None:
        raise DecodeError(DecodeReason.NO_VALUE, "the thermometer has no reading yet")
    if abs(celsius) > _HOTTEST_CELSIUS:
        raise DecodeError(DecodeReason.INFINITE, f"{record.temperature} {record.unit.value} is no temperature")
    place = record.site or site
    code = _METRICS.get(place)
    if code is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"no metric for {place.name if place else 'no place'}")
    clock_unset = record.sent_at is not None and record.sent_at.clock_unset
    return Observation(
        metric=code,
        parts=(Part(code, (round(celsius * metric(code).steps_per_unit),)),),  # halves to even
        subject=subject,
        device=device,
        times=replace(times, device_ms=record.sent_at.local_ms if record.sent_at else None),
        quality=Quality(QualityLevel.OK, (QualityReason.DEVICE_CLOCK_UNSET,) if clock_unset else ()),
    )
