"""Decode ELA beacons, sold as Blue Puck, Blue Coin and Sensor Easy; little endian.

Each value has its own service data (temperature 0x2A6E, humidity 0x2A6F, magnet 0x2A06) or its own manufacturer data of
company 0x0757, which begins with the kind of value.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x0757
TEMPERATURE, HUMIDITY, MAGNET = 0x2A6E, 0x2A6F, 0x2A06
"""16-bit UUIDs of service data."""

_KIND_TEMPERATURE, _KIND_CLIMATE, _KIND_BATTERY, _KIND_VOLTAGE = 0x12, 0x21, 0xF1, 0xF2


def decode_ela_service(uuid: int, frame: bytes) -> tuple[Quantity, ...]:
    """Decode service data of one UUID.

    Raises:
        DecodeError: it is short, or the UUID is none of these.
    """
    if uuid == TEMPERATURE:
        return (Quantity("temperature_c", signed(piece(frame, 0, 2), "0.01")),)
    if uuid == HUMIDITY:
        return (Quantity("humidity_percent", Decimal(piece(frame, 0, 1)[0])),)
    if uuid == MAGNET:
        word = int.from_bytes(piece(frame, 0, 2), "little")
        # The magnet of the door frame is near: closed. Above it stands how often that changed.
        return (Quantity("contact_open", Decimal(1 - (word & 1))), Quantity("contact_count", Decimal(word >> 1)))
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"service data 0x{uuid:04X}")


def decode_ela_manufacturer(frame: bytes) -> tuple[Quantity, ...]:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or its kind of value is not known.
    """
    kind = piece(frame, 0, 1)[0]
    if kind == _KIND_TEMPERATURE:
        return (Quantity("temperature_c", signed(piece(frame, 1, 2), "0.01")),)
    if kind == _KIND_CLIMATE:
        data = piece(frame, 1, 4)
        return Quantity("humidity_percent", Decimal(data[0])), Quantity("temperature_c", signed(data[2:], "0.01"))
    if kind == _KIND_BATTERY:
        return battery(piece(frame, 1, 1)[0])
    if kind == _KIND_VOLTAGE:
        return (Quantity("voltage_v", unsigned(piece(frame, 1, 2), "0.001")),)
    raise DecodeError(DecodeReason.RESERVED_VALUE, f"kind of value 0x{kind:02X}")
