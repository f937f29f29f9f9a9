"""Decode Relsib loggers: EClerk Eco (service data of UUID 0xAA20 to 0xAA22) and the thermometer WT51 (0x1809, as text).

0x8000 stands for no reading. EClerk: temperature 0.01 C, humidity 0.01 %, carbon dioxide ppm; little endian.
"""

import re
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

WITH_BATTERY, WITHOUT_BATTERY, TEXT = 0xAA20, frozenset({0xAA21, 0xAA22}), 0x1809
"""16-bit UUIDs of service data."""

_ECLERK_BYTES, _TEXT_BYTES = 22, 6
_NO_READING = b"\x00\x80"
_PLUGGED_IN = 0x80
_NUMBER = re.compile(rb" {0,3}[+-]?[0-9]{1,6}(\.[0-9]{0,5})? {0,5}")


def decode_relsib(uuid: int, frame: bytes) -> Advertisement:
    """Decode service data of one UUID; on mains power the battery is told as full.

    Raises:
        DecodeError: it is short, or the UUID is none of these.
    """
    if uuid == TEXT:
        return _text(piece(frame, 0, _TEXT_BYTES))
    if uuid != WITH_BATTERY and uuid not in WITHOUT_BATTERY:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"service data 0x{uuid:04X}")
    data = piece(frame, 0, _ECLERK_BYTES)
    at = 4 if uuid == WITH_BATTERY else 0
    values: list[Quantity] = []
    if data[at : at + 2] != _NO_READING:
        values.append(Quantity("temperature_c", signed(data[at : at + 2], "0.01")))
    if data[at + 2 : at + 4] != _NO_READING:
        values.append(Quantity("humidity_percent", unsigned(data[at + 2 : at + 4], "0.01")))
    if data[at + 4 : at + 6] != _NO_READING:
        values.append(Quantity("carbon_dioxide_ppm", unsigned(data[at + 4 : at + 6])))
    if uuid == WITH_BATTERY:
        charge = data[13]
        values.extend(battery(100 if charge & _PLUGGED_IN else charge))
    return Advertisement(tuple(values))


def _text(data: bytes) -> Advertisement:
    if _NUMBER.fullmatch(data) is None:
        raise DecodeError(DecodeReason.NOT_A_NUMBER, f"temperature {data!r}")
    text = data.decode("ascii").strip()
    sign = -1 if text.startswith("-") else 1
    return Advertisement((Quantity("temperature_c", sign * Decimal(text.lstrip("+-"))),))
