"""BTHome version 2 service data (UUID 0xFCD2) of any sensor: every object of the format, plain.

Values are given in the unit of the published table and must be whole steps of it.
"""

from collections.abc import Iterable
from decimal import Decimal

from kanhu.firmware_sim.errors import NotEncodable

PLAIN, PLAIN_SLEEPY = 0x40, 0x44
"""Device information: version 2; sleepy sends only when triggered."""

# id: bytes, negative where signed; step of the value. From the table of the format, one line a size.
_ONE_BYTE = {0x00: "1", 0x01: "1", 0x09: "1", 0x2E: "1", 0x2F: "1", 0x3A: "1", 0x46: "0.1", 0x60: "1", 0x64: "1"}
_ONE_SIGNED = {0x57: "1", 0x58: "0.35", 0x59: "1"}
_TWO_BYTES = {
    0x03: "0.01", 0x06: "0.01", 0x07: "0.01", 0x0C: "0.001", 0x0D: "1", 0x0E: "1", 0x12: "1", 0x13: "1",
    0x14: "0.01", 0x3C: "1", 0x3D: "1", 0x40: "1", 0x41: "0.1", 0x43: "0.001", 0x44: "0.01", 0x47: "0.1", 0x48: "1",
    0x49: "0.001", 0x4A: "0.1", 0x51: "0.001", 0x52: "0.001", 0x56: "1", 0x5E: "0.01", 0x5F: "0.1", 0x61: "1",
}  # fmt: skip  # a table reads by rows
_TWO_SIGNED = {0x02: "0.01", 0x08: "0.01", 0x3F: "0.1", 0x45: "0.1", 0x5A: "1", 0x5D: "0.001"}
_THREE_BYTES = {0x04: "0.01", 0x05: "0.01", 0x0A: "0.001", 0x0B: "0.01", 0x42: "0.001", 0x4B: "0.001"}
_FOUR_BYTES = {0x3E: "1", 0x4C: "0.001", 0x4D: "0.001", 0x4E: "0.001", 0x4F: "0.001", 0x50: "1", 0x55: "0.001"}
_FOUR_SIGNED = {0x5B: "1", 0x5C: "0.01", 0x62: "0.000001", 0x63: "0.000001"}
_BINARY = [0x0F, 0x10, 0x11, *range(0x15, 0x2E)]
_BY_LENGTH = frozenset({0x53, 0x54})

OBJECTS: dict[int, tuple[int, bool, Decimal]] = {
    **{number: (1, False, Decimal(1)) for number in _BINARY},
    **{
        number: (size, signed, Decimal(step))
        for size, signed, table in (
            (1, False, _ONE_BYTE), (1, True, _ONE_SIGNED), (2, False, _TWO_BYTES), (2, True, _TWO_SIGNED),
            (3, False, _THREE_BYTES), (4, False, _FOUR_BYTES), (4, True, _FOUR_SIGNED),
        )
        for number, step in table.items()
    },
}  # fmt: skip  # a table reads by rows
"""Bytes, whether signed, and step of every object of fixed length."""


def bthome_object(number: int, value: Decimal | bytes) -> bytes:
    """One object; bytes for text and raw."""
    if isinstance(value, bytes):
        if number not in _BY_LENGTH or len(value) > 0xFF:
            raise NotEncodable(f"object 0x{number:02X} holds no {len(value)} bytes")
        return bytes([number, len(value)]) + value
    if number not in OBJECTS:
        raise NotEncodable(f"object 0x{number:02X} is not in the table")
    size, signed, step = OBJECTS[number]
    steps = value / step
    whole = int(steps)
    if whole != steps:
        raise NotEncodable(f"{value} is no whole number of {step}")
    try:
        return bytes([number]) + whole.to_bytes(size, "little", signed=signed)
    except OverflowError:
        raise NotEncodable(f"{value} does not fit {size} bytes of object 0x{number:02X}") from None


def bthome_service_data(objects: Iterable[bytes], *, information: int = PLAIN) -> bytes:
    """Service data of one packet, behind the UUID."""
    return bytes([information]) + b"".join(objects)
