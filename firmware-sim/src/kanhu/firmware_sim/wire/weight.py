"""Bluetooth SIG Weight Measurement (characteristic 0x2A9D, indicated).

Flags, weight in steps of 0.005 kg or 0.01 lb, then date and time, user, and body mass index (0.1) with height (0.001 m
or 0.1 in), if sent.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.date_time import date_time

UNSUCCESSFUL_STEPS = 0xFFFF
"""In place of a weight or body fat: the measurement did not succeed."""

_FLAG_IMPERIAL = 1 << 0
_FLAG_TIME = 1 << 1
_FLAG_USER = 1 << 2
_FLAG_INDEX_AND_HEIGHT = 1 << 3


class ScaleSystem(StrEnum):
    """What the scale is switched to."""

    METRIC = "metric"
    IMPERIAL = "imperial"


@dataclass(frozen=True, slots=True)
class ScaleReading:
    """One weighing, numbers in steps of the wire."""

    weight_steps: int
    system: ScaleSystem = ScaleSystem.METRIC
    measured_at: datetime | None = None
    user: int | None = None
    index_and_height_steps: tuple[int, int] | None = None


def weight_measurement(reading: ScaleReading) -> bytes:
    """The characteristic's value for one weighing."""
    flags = _FLAG_IMPERIAL if reading.system is ScaleSystem.IMPERIAL else 0
    try:
        body = struct.pack("<H", reading.weight_steps)
        if reading.measured_at is not None:
            flags |= _FLAG_TIME
            body += date_time(reading.measured_at)
        if reading.user is not None:
            flags |= _FLAG_USER
            body += struct.pack("<B", reading.user)
        if reading.index_and_height_steps is not None:
            flags |= _FLAG_INDEX_AND_HEIGHT
            body += struct.pack("<HH", *reading.index_and_height_steps)
    except struct.error as error:
        raise NotEncodable(f"{reading}: {error}") from None
    return bytes([flags]) + body
