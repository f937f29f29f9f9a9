"""Bluetooth SIG Glucose Measurement Context (characteristic 0x2A34, notified): what the person told the meter.

Flags, the sequence number of the measurement it belongs to, then what the flags name.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.firmware_sim.wire.sfloat import sfloat


@dataclass(frozen=True, slots=True)
class MeterContext:
    """What the person told the meter; codes as the specification numbers them."""

    sequence: int
    carbohydrate: tuple[int, Decimal] | None = None  # which, kg
    meal: int | None = None
    tester_and_health: tuple[int, int] | None = None
    exercise: tuple[int, int] | None = None  # seconds, percent
    medication: tuple[int, Decimal] | None = None  # which, kg or litres
    medication_in_litres: bool = False
    hba1c_percent: Decimal | None = None
    extended_flags: int | None = None


def glucose_measurement_context(context: MeterContext) -> bytes:
    """The value of 0x2A34 for one record."""
    flags = 0
    body = context.sequence.to_bytes(2, "little")
    if context.extended_flags is not None:
        flags |= 1 << 7
        body += bytes([context.extended_flags])
    if context.carbohydrate is not None:
        flags |= 1 << 0
        body += bytes([context.carbohydrate[0]]) + sfloat(context.carbohydrate[1])
    if context.meal is not None:
        flags |= 1 << 1
        body += bytes([context.meal])
    if context.tester_and_health is not None:
        flags |= 1 << 2
        tester, health = context.tester_and_health
        body += bytes([health << 4 | tester])
    if context.exercise is not None:
        flags |= 1 << 3
        body += context.exercise[0].to_bytes(2, "little") + bytes([context.exercise[1]])
    if context.medication is not None:
        flags |= 1 << 4 | context.medication_in_litres << 5
        body += bytes([context.medication[0]]) + sfloat(context.medication[1])
    if context.hba1c_percent is not None:
        flags |= 1 << 6
        body += sfloat(context.hba1c_percent)
    return bytes([flags]) + body
