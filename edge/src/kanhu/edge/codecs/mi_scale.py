"""Decode what Xiaomi's scales advertise: weight under UUID 0x181D, weight and impedance under 0x181B.

0x181D: control, weight, date and time. 0x181B: unit, state, date and time, impedance, weight. Weights are steps of
0.005 kg, 0.01 lb or 0.01 jin (half a kilogram). The layouts are those of ble_monitor, xiaomi-ble and Theengs, which
agree; that a weighing may be one of a thing and not of a person only Theengs reads.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.date_time_fields import DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.codecs.weight import KG_IN_ONE_LB, scale_observation
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000181d-0000-1000-8000-00805f9b34fb"
BODY_SERVICE_UUID = "0000181b-0000-1000-8000-00805f9b34fb"

_BYTES, _BODY_BYTES = 10, 13
_POUNDS, _THING, _STABLE, _REMOVED = 0x01, 0x40, 0x20, 0x80
_JIN = 0x10
_BODY_POUNDS, _BODY_KILOGRAMS, _BODY_THING = 0x01, 0x02, 0x04
_BODY_IMPEDANCE, _BODY_JIN = 0x02, 0x40


class MiScaleUnit(StrEnum):
    """What the scale is switched to."""

    KILOGRAM = "kg"
    POUND = "lb"
    JIN = "jin"


_STEP = {MiScaleUnit.KILOGRAM: Decimal("0.005"), MiScaleUnit.POUND: Decimal("0.01"), MiScaleUnit.JIN: Decimal("0.01")}
_KG = {MiScaleUnit.KILOGRAM: Decimal(1), MiScaleUnit.POUND: KG_IN_ONE_LB, MiScaleUnit.JIN: Decimal("0.5")}


@dataclass(frozen=True, slots=True)
class MiScale:
    """What the scale shows; the same is sent again and again for minutes."""

    shown: Decimal  # in `unit`
    unit: MiScaleUnit
    stable: bool
    removed: bool  # nobody stands on it any more
    thing: bool  # it weighs a thing
    sent_at: DateTimeFields  # the scale's own clock; it has no zone
    impedance_ohm: int | None

    @property
    def weight_kg(self) -> Decimal:
        """Exact."""
        return self.shown * _KG[self.unit]


def decode_mi_scale(frame: bytes) -> MiScale:
    """Decode service data of 0x181D.

    Raises:
        DecodeError: it has another length, or two units.
    """
    check_length(frame, _BYTES)
    control = frame[0]
    if control & _POUNDS and control & _JIN:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"control 0x{control:02X} names two units")
    unit = MiScaleUnit.POUND if control & _POUNDS else MiScaleUnit.JIN if control & _JIN else MiScaleUnit.KILOGRAM
    return MiScale(
        shown=int.from_bytes(frame[1:3], "little") * _STEP[unit],
        unit=unit,
        stable=bool(control & _STABLE),
        removed=bool(control & _REMOVED),
        thing=bool(control & _THING),
        sent_at=date_time_fields_as_sent(frame, 3),
        impedance_ohm=None,
    )


def decode_mi_body_scale(frame: bytes) -> MiScale:
    """Decode service data of 0x181B.

    Raises:
        DecodeError: it has another length, or no unit that is known.
    """
    check_length(frame, _BODY_BYTES)
    first, state = frame[0], frame[1]
    if state & _BODY_JIN:
        unit = MiScaleUnit.JIN
    elif first & _BODY_POUNDS:
        unit = MiScaleUnit.POUND
    elif first & _BODY_KILOGRAMS:
        unit = MiScaleUnit.KILOGRAM
    else:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"unit 0x{first:02X}")
    return MiScale(
        shown=int.from_bytes(frame[11:], "little") * _STEP[unit],
        unit=unit,
        stable=bool(state & _STABLE),
        removed=bool(state & _REMOVED),
        thing=bool(first & _BODY_THING),
        sent_at=date_time_fields_as_sent(frame, 2),
        impedance_ohm=int.from_bytes(frame[9:11], "little") if state & _BODY_IMPEDANCE else None,
    )


def observe_mi_scale(record: MiScale, *, subject: Subject, device: str, times: Times) -> Observation:
    """The weight of a person, once it rests and while the person stands there.

    Raises:
        DecodeError: it does not rest, nobody stands there, or a thing was weighed.
    """
    if not record.stable or record.removed or record.thing or not record.shown:
        raise DecodeError(DecodeReason.NO_VALUE, "no settled weight of a person")
    return scale_observation(
        "weight", record.weight_kg, sent_at=record.sent_at, subject=subject, device=device, times=times
    )
