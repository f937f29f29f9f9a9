"""Xiaomi's scales: service data of UUID 0x181D (10 bytes) and, with impedance, 0x181B (13 bytes).

Weights count 0.005 kg, 0.01 lb or 0.01 jin.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.date_time import date_time


class ScaleUnit(StrEnum):
    """What the scale is switched to."""

    KILOGRAM = "kg"
    POUND = "lb"
    JIN = "jin"


@dataclass(frozen=True, slots=True)
class ScaleMoment:
    """What the scale sends at one moment of a weighing."""

    weight_steps: int
    measured_at: datetime
    unit: ScaleUnit = ScaleUnit.KILOGRAM
    stable: bool = True
    removed: bool = False
    impedance_ohm: int | None = None


def scale_frame(moment: ScaleMoment) -> bytes:
    """Service data behind 0x181D."""
    control = {ScaleUnit.KILOGRAM: 0x02, ScaleUnit.POUND: 0x03, ScaleUnit.JIN: 0x12}[moment.unit]
    control |= moment.stable << 5 | moment.removed << 7
    return bytes([control]) + _word(moment.weight_steps) + date_time(moment.measured_at)


def body_scale_frame(moment: ScaleMoment) -> bytes:
    """Service data behind 0x181B."""
    unit = 0x03 if moment.unit is ScaleUnit.POUND else 0x02
    state = 0x04 | moment.stable << 5 | moment.removed << 7
    if moment.unit is ScaleUnit.JIN:
        state |= 1 << 6
    if moment.impedance_ohm is not None:
        state |= 1 << 1
    tail = _word(moment.impedance_ohm or 0) + _word(moment.weight_steps)
    return bytes([unit, state]) + date_time(moment.measured_at) + tail


def _word(value: int) -> bytes:
    try:
        return struct.pack("<H", value)
    except struct.error as error:
        raise NotEncodable(f"{value}: {error}") from None
