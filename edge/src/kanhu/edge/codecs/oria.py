"""Decode Oria T301: manufacturer data of company 0xAA55, big endian (theengs/decoder src/devices/T301_json.h)."""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0xAA55

_BYTES = 17
_READING = b"\x01\x07"  # before the seven bytes of a reading, in both published frames


def decode_oria(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is of another length, or holds no reading.
    """
    data = piece(frame, 0, _BYTES)
    if len(frame) > _BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if data[8:10] != _READING:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"0x{data[8:10].hex()} where a reading is announced")
    values = [Quantity("temperature_c", int.from_bytes(data[10:12], "big", signed=True) * Decimal("0.01"))]
    humidity = int.from_bytes(data[12:14], "big") * Decimal("0.01")
    if humidity <= 100:
        values.append(Quantity("humidity_percent", humidity))
    return Advertisement((*values, *battery(data[14])), address=data[2:8])
