"""Cyclic redundancy checks of 16 bits that health devices send, and the E2E-CRC at the end of a Bluetooth value.

Polynomial 0x1021 and first value 0xFFFF in all of them; check values over the nine bytes "123456789".
"""

from enum import Enum

from kanhu.edge.errors import DecodeError, DecodeReason

CRC_BYTES = 2

_FIRST = 0xFFFF
_POLYNOMIAL = 0x1021
_POLYNOMIAL_REFLECTED = 0x8408  # the same with its bits in the other order
_MAX_BYTES = 512  # the longest attribute value in ATT


class E2eCrc(Enum):
    """Whether a device ends its values with a CRC; its feature word says so."""

    ABSENT = "absent"
    PRESENT = "present"
    BY_LENGTH = "by_length"
    """The feature word was not read: two bytes behind the fields are a CRC."""


def crc16_mcrf4xx(data: bytes) -> int:
    """E2E-CRC of Bluetooth health services, sent little endian; bits go in lowest first; check value 0x6F91."""
    crc = _FIRST
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL_REFLECTED if crc & 1 else crc >> 1
    return crc


def crc16_ccitt_false(data: bytes) -> int:
    """Bits go in highest first; check value 0x29B1. LifeScan meters end a frame with it, little endian."""
    crc = _FIRST
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def check_e2e_crc(frame: bytes, fields: int, *, crc: E2eCrc) -> bool:
    """Whether the first `fields` bytes are followed by a CRC, which then is right.

    Raises:
        DecodeError: the frame is short or too long, its length leaves a CRC in doubt, or the CRC is wrong.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if len(frame) < fields:
        raise DecodeError(DecodeReason.SHORT, f"needs {fields} bytes, got {len(frame)}")
    rest = len(frame) - fields
    if crc is E2eCrc.ABSENT or (crc is E2eCrc.BY_LENGTH and rest == 0):
        return False
    if crc is E2eCrc.BY_LENGTH and rest != CRC_BYTES:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{rest} bytes behind the fields are no CRC")
    if rest < CRC_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"no CRC behind {fields} bytes, got {len(frame)}")
    sent = int.from_bytes(frame[fields : fields + CRC_BYTES], "little")
    found = crc16_mcrf4xx(frame[:fields])
    if sent != found:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"CRC 0x{sent:04X}, computed 0x{found:04X}")
    return True
