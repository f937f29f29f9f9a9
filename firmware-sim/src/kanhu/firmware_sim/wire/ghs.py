"""Bluetooth SIG Generic Health Sensor Service 1.0: observations, and the segments that carry them. Experimental.

Built as STMicroelectronics' example sensor builds them (ghs_app.c, ets_app.c); `whole_length` makes the lengths as
Realtek's service does (ghss.c). Types and units are codes of IEEE 11073-10101.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from kanhu.firmware_sim.wire.ieee_float import FloatSpecial, ieee_float

_NUMERIC, _COMPOUND, _BUNDLE = 0x01, 0x07, 0xFF
_HEAD_BYTES = 3  # class and length
_TIME_IS_UTC, _ZONE_IS_USED, _TIME_IS_CURRENT = 0x02, 0x10, 0x20
_CELLULAR_NETWORK = 0x06
_QUARTER = timedelta(minutes=15)


class GhsNumber(NamedTuple):
    """What is measured, in which unit (its code without the partition), and how much."""

    type_code: int
    unit: int
    value: Decimal | FloatSpecial


@dataclass(frozen=True, slots=True, kw_only=True)
class GhsHeader:
    """What stands before the value; None and nothing are not sent."""

    type_code: int | None = None
    time: bytes | None = None
    duration_s: Decimal | None = None
    status: int | None = None
    number: int | None = None
    patient: int | None = None
    supplemental: tuple[int, ...] = ()
    derived_from: tuple[int, ...] = ()
    member_of: tuple[int, ...] = ()
    attributes: tuple[tuple[int, int, bytes], ...] = ()
    """Type, format and value of each."""


def elapsed_time(at: datetime, *, zone: timedelta | None = None) -> bytes:
    """Nine bytes: local time as the clock shows it, or with its zone the same told as UTC."""
    shown = at.replace(tzinfo=None) - (zone or timedelta(0))
    seconds = (shown - datetime(2000, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001  # a clock without a zone
    flags = _TIME_IS_CURRENT | (0 if zone is None else _TIME_IS_UTC | _ZONE_IS_USED)
    quarters = 0 if zone is None else zone // _QUARTER
    return (
        bytes([flags]) + seconds.to_bytes(6, "little") + bytes([_CELLULAR_NETWORK]) + quarters.to_bytes(1, signed=True)
    )


def ghs_numeric(number: GhsNumber, header: GhsHeader, *, typed: bool = True, whole_length: bool = False) -> bytes:
    """One number; without `typed` its type is that of its bundle."""
    head = _header(header, number.type_code if typed else None)
    return _observation(_NUMERIC, head, _value(number), whole_length=whole_length)


def ghs_compound(numbers: Sequence[GhsNumber], header: GhsHeader, *, whole_length: bool = False) -> bytes:
    """Several numbers that are one measurement, such as a blood pressure; its type is in the header."""
    components = b"".join(
        number.type_code.to_bytes(4, "little") + bytes([_NUMERIC]) + _value(number) for number in numbers
    )
    head = _header(header, header.type_code)
    return _observation(_COMPOUND, head, bytes([len(numbers)]) + components, whole_length=whole_length)


def ghs_bundle(observations: Sequence[bytes], header: GhsHeader, *, whole_length: bool = False) -> bytes:
    """Observations whose common fields stand once, in the header."""
    value = bytes([len(observations)]) + b"".join(observations)
    return _observation(_BUNDLE, _header(header, header.type_code), value, whole_length=whole_length)


def ghs_segments(body: bytes, *, most_bytes: int, counter: int = 0) -> tuple[bytes, ...]:
    """The body cut into values of at most so many bytes, counted from `counter` on."""
    pieces = [body[at : at + most_bytes - 1] for at in range(0, len(body), most_bytes - 1)]
    last = len(pieces) - 1
    return tuple(
        bytes([(place == 0) | (place == last) << 1 | (counter + place) % 64 << 2]) + piece
        for place, piece in enumerate(pieces)
    )


def _header(header: GhsHeader, type_code: int | None) -> bytes:
    lists = (header.supplemental, header.derived_from, header.member_of)
    fields = (
        None if type_code is None else type_code.to_bytes(4, "little"),
        header.time,
        None if header.duration_s is None else ieee_float(header.duration_s),
        None if header.status is None else header.status.to_bytes(2, "little"),
        None if header.number is None else header.number.to_bytes(4, "little"),
        None if header.patient is None else bytes([header.patient]),
        *(
            bytes([len(each)]) + b"".join(code.to_bytes(4, "little") for code in each) if each else None
            for each in lists
        ),
        _attributes(header.attributes) if header.attributes else None,
    )
    flags = sum(1 << bit for bit, sent in enumerate(fields) if sent is not None)
    return flags.to_bytes(2, "little") + b"".join(sent for sent in fields if sent is not None)


def _attributes(attributes: Sequence[tuple[int, int, bytes]]) -> bytes:
    told = (
        code.to_bytes(4, "little") + len(value).to_bytes(2, "little") + bytes([form]) + value
        for code, form, value in attributes
    )
    return bytes([len(attributes)]) + b"".join(told)


def _value(number: GhsNumber) -> bytes:
    return number.unit.to_bytes(2, "little") + ieee_float(number.value)


def _observation(kind: int, header: bytes, value: bytes, *, whole_length: bool) -> bytes:
    length = len(header) + len(value) + (_HEAD_BYTES if whole_length else 0)
    return bytes([kind]) + length.to_bytes(2, "little") + header + value
