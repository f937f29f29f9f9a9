"""Decode the Teltonika EYE sensor (manufacturer data of company 0x089A); big endian, flags say what follows."""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x089A

_VERSION = 1
_TEMPERATURE, _HUMIDITY, _HAS_MAGNET, _MAGNET = 0x01, 0x02, 0x04, 0x08
_MOVEMENT, _ANGLES, _BATTERY_LOW, _VOLTAGE = 0x10, 0x20, 0x40, 0x80


def decode_teltonika_eye(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company: version, flags, values. What the magnet means is its owner's.

    Raises:
        DecodeError: it is shorter than its flags say, or of another version.
    """
    version, flags = piece(frame, 0, 2)
    if version != _VERSION:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"EYE version {version}")
    offset = 2
    values: list[Quantity] = []
    if flags & _TEMPERATURE:
        values.append(Quantity("temperature_c", _signed(piece(frame, offset, 2)) * Decimal("0.01")))
        offset += 2
    if flags & _HUMIDITY:
        values.append(Quantity("humidity_percent", Decimal(piece(frame, offset, 1)[0])))
        offset += 1
    if flags & _HAS_MAGNET:
        values.append(Quantity("magnet", Decimal(int(bool(flags & _MAGNET)))))
    if flags & _MOVEMENT:
        word = int.from_bytes(piece(frame, offset, 2), "big")
        offset += 2
        values += [Quantity("moving", Decimal(word >> 15)), Quantity("movement_count", Decimal(word & 0x7FFF))]
    if flags & _ANGLES:
        data = piece(frame, offset, 3)
        offset += 3
        values += [Quantity("pitch_degrees", _signed(data[:1])), Quantity("roll_degrees", _signed(data[1:]))]
    if flags & _BATTERY_LOW:
        values.append(Quantity("battery_low", Decimal(1)))
    if flags & _VOLTAGE:
        values.append(Quantity("voltage_v", 2 + piece(frame, offset, 1)[0] * Decimal("0.01")))
    return Advertisement(tuple(values))


def _signed(data: bytes) -> Decimal:
    return Decimal(int.from_bytes(data, "big", signed=True))
