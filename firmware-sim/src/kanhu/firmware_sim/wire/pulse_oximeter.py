"""Bluetooth SIG PLX Spot-Check and Continuous Measurement (0x2A5E indicated, 0x2A5F notified).

Flags, saturation and pulse as SFLOAT, then in a spot-check date and time, in a continuous one the fast and the slow
pair, then measurement status (16 bits), device and sensor status (24 bits) and pulse amplitude index (SFLOAT).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat

Number = Decimal | SfloatSpecial
Pair = tuple[Number, Number]
"""Saturation in percent, pulse in beats per minute."""


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """One finished measurement."""

    values: Pair
    measured_at: datetime | None = None
    measurement_status: int | None = None
    sensor_status: int | None = None
    amplitude_percent: Number | None = None
    clock_not_set: bool = False


@dataclass(frozen=True, slots=True)
class ContinuousResult:
    """One notification while the finger is in."""

    values: Pair
    fast: Pair | None = None
    slow: Pair | None = None
    measurement_status: int | None = None
    sensor_status: int | None = None
    amplitude_percent: Number | None = None


def plx_spot_check(reading: SpotCheck) -> bytes:
    """The value of 0x2A5E."""
    time = None if reading.measured_at is None else date_time(reading.measured_at)
    fields = [time, *_tail(reading)]
    clock = 1 << 4 if reading.clock_not_set else 0
    return _value(clock, reading.values, fields)


def plx_continuous(reading: ContinuousResult) -> bytes:
    """The value of 0x2A5F."""
    pairs = [None if pair is None else _pair(pair) for pair in (reading.fast, reading.slow)]
    return _value(0, reading.values, [*pairs, *_tail(reading)])


def _tail(reading: SpotCheck | ContinuousResult) -> list[bytes | None]:
    measurement, sensor, amplitude = reading.measurement_status, reading.sensor_status, reading.amplitude_percent
    return [
        None if measurement is None else measurement.to_bytes(2, "little"),
        None if sensor is None else sensor.to_bytes(3, "little"),
        None if amplitude is None else sfloat(amplitude),
    ]


def _value(flags: int, values: Pair, fields: list[bytes | None]) -> bytes:
    """The bits of the flags stand in the order of the fields."""
    for bit, sent in enumerate(fields):
        flags |= 0 if sent is None else 1 << bit
    return bytes([flags]) + _pair(values) + b"".join(sent for sent in fields if sent is not None)


def _pair(pair: Pair) -> bytes:
    return sfloat(pair[0]) + sfloat(pair[1])
