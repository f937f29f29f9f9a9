"""Decode KKM and BlueCharm sensor beacons (service data of UUID 0xFEAA, frame 0x21, version 1); big endian.

A mask says what follows: voltage mV, temperature and humidity as 8.8 fixed point, three axes in thousandths of gravity.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000feaa-0000-1000-8000-00805f9b34fb"

SENSOR_FRAME = b"\x21"
"""How a sensor frame begins; Eddystone's own frames of this UUID begin with 0x00, 0x10, 0x20 or 0x30."""

_VERSION = 1
_VOLTAGE, _TEMPERATURE, _HUMIDITY, _AXES = 0x01, 0x02, 0x04, 0x08
_KNOWN = _VOLTAGE | _TEMPERATURE | _HUMIDITY | _AXES
_AXES_BYTES = 6


@dataclass(frozen=True, slots=True)
class SensorBeacon:
    """One advertisement."""

    told: Advertisement
    unread: int  # bits of the mask whose values are not known here; they follow the others


def decode_kkm(frame: bytes) -> SensorBeacon:
    """Decode one frame.

    Raises:
        DecodeError: it is no sensor frame, of another version, or shorter than its mask says.
    """
    head = piece(frame, 0, 3)
    if head[:1] != SENSOR_FRAME:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"frame 0x{head[0]:02X} is no sensor frame")
    if head[1] != _VERSION:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"sensor frame version {head[1]}")
    mask = head[2]
    offset = len(head)
    values: list[Quantity] = []
    if mask & _VOLTAGE:
        values.append(Quantity("voltage_v", _number(piece(frame, offset, 2)) * Decimal("0.001")))
        offset += 2
    for bit, name in ((_TEMPERATURE, "temperature_c"), (_HUMIDITY, "humidity_percent")):
        if mask & bit:
            values.append(Quantity(name, _number(piece(frame, offset, 2)) / Decimal(256)))
            offset += 2
    # QUIRK of a published K6 frame: the axes are there although the mask does not name them.
    if mask & _AXES or (not mask & ~_KNOWN and len(frame) == offset + _AXES_BYTES):
        data = piece(frame, offset, _AXES_BYTES)
        for axis, at in zip("xyz", (0, 2, 4), strict=True):
            values.append(Quantity(f"acceleration_{axis}_mg", Decimal(_number(data[at : at + 2]))))
    return SensorBeacon(Advertisement(tuple(values)), mask & ~_KNOWN)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)
