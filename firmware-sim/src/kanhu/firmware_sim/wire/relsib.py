"""Relsib EClerk Eco: service data of UUID 0xAA20 with its battery, little endian."""

import struct

NOTHING = -0x8000
"""Where it has no sensor."""


def eclerk_frame(*, hundredths_c: int, hundredths_percent: int, ppm: int = NOTHING, battery_percent: int) -> bytes:
    """Three values between four bytes of state and bytes that nobody has named, 22 in all."""
    values = struct.pack("<3h", hundredths_c, hundredths_percent, ppm)
    return bytes((0x84, 0, 0, 0)) + values + bytes((0x00, 0x80, 0xF0, battery_percent)) + bytes(8)
