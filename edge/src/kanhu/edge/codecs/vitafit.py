"""Decode notifications (0xFFF1) of the Vitafit VT701 body scale, after openScale@0cb4064.

`5A`, the number of bytes that follow, `26`, type, data, exclusive or from the length to the last data byte, `AA`.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.errors import DecodeError, DecodeReason

_HEAD, _TAIL, _MARK = 0x5A, 0xAA, 0x26
_WEIGHT, _IMPEDANCE = 0x10, 0x11
_SETTLED = 2
_LEAST_BYTES, _MOST_BYTES = 6, 64
_WEIGHT_AT, _IMPEDANCE_AT = 8, 9


@dataclass(frozen=True, slots=True)
class Vitafit:
    """One frame; None is not told in it."""

    weight_kg: Decimal | None
    settled: bool | None
    impedance_ohm: int | None


def decode_vitafit(frame: bytes) -> Vitafit:
    """Decode one frame.

    Raises:
        DecodeError: it is cut, its checksum is wrong, or it is of another type.
    """
    if len(frame) < _LEAST_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes")
    if len(frame) > _MOST_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if frame[0] != _HEAD or frame[2] != _MARK:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"frame {frame[:3].hex()}")
    end = 2 + frame[1]
    if end != len(frame) or frame[-1] != _TAIL:
        raise DecodeError(DecodeReason.SHORT, f"{frame[1]} bytes are to follow, {len(frame) - 2} do")
    found = 0
    for byte in frame[1:-2]:
        found ^= byte
    if found != frame[-2]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"0x{frame[-2]:02X}, computed 0x{found:02X}")
    return _told(frame)


def _told(frame: bytes) -> Vitafit:
    kind, end = frame[3], len(frame) - 2
    if kind == _WEIGHT and end >= _WEIGHT_AT + 2:
        settled = frame[4] == _SETTLED
        weight = int.from_bytes(frame[_WEIGHT_AT : _WEIGHT_AT + 2], "big") * Decimal("0.01")
        return Vitafit(weight, settled=settled, impedance_ohm=None)
    if kind == _IMPEDANCE and end >= _IMPEDANCE_AT + 2:
        ohm = int.from_bytes(frame[_IMPEDANCE_AT : _IMPEDANCE_AT + 2], "big")
        return Vitafit(None, settled=None, impedance_ohm=ohm or None)
    raise DecodeError(DecodeReason.RESERVED_VALUE, f"type 0x{kind:02X} with {len(frame)} bytes")
