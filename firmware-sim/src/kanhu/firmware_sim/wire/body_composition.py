"""Bluetooth SIG Body Composition Measurement (characteristic 0x2A9C, indicated).

Flags in 16 bits, body fat in 0.1 %, then date and time, user, and nine optional words, each with a flag of its own.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.weight import ScaleSystem

_FLAG_IMPERIAL = 1 << 0
_FLAG_TIME = 1 << 1
_FLAG_USER = 1 << 2


class BodyWord(IntEnum):
    """An optional word; the value is the bit of its flag, and the order of bits is that of the wire."""

    BASAL_METABOLISM_KJ = 3
    MUSCLE_TENTHS_PERCENT = 4
    MUSCLE_MASS = 5
    FAT_FREE_MASS = 6
    SOFT_LEAN_MASS = 7
    WATER_MASS = 8
    IMPEDANCE_TENTHS_OHM = 9
    WEIGHT = 10
    HEIGHT = 11


@dataclass(frozen=True, slots=True)
class BodyReading:
    """One measurement; masses in steps of 0.005 kg or 0.01 lb."""

    fat_tenths_percent: int
    system: ScaleSystem = ScaleSystem.METRIC
    measured_at: datetime | None = None
    user: int | None = None
    words: Mapping[BodyWord, int] = field(default_factory=dict)


def body_composition_measurement(reading: BodyReading) -> bytes:
    """The characteristic's value for one measurement."""
    flags = _FLAG_IMPERIAL if reading.system is ScaleSystem.IMPERIAL else 0
    try:
        body = struct.pack("<H", reading.fat_tenths_percent)
        if reading.measured_at is not None:
            flags |= _FLAG_TIME
            body += date_time(reading.measured_at)
        if reading.user is not None:
            flags |= _FLAG_USER
            body += struct.pack("<B", reading.user)
        for word in sorted(reading.words):
            flags |= 1 << word
            body += struct.pack("<H", reading.words[word])
    except struct.error as error:
        raise NotEncodable(f"{reading}: {error}") from None
    return struct.pack("<H", flags) + body
