"""Teltonika EYE sensor: manufacturer data of company 0x089A, big endian, as its maker's wiki lays it out."""

import struct


def eye_frame(
    *, hundredths_c: int, percent: int, magnet: bool, moving: bool, movements: int, pitch: int, roll: int,
    millivolt: int, low: bool = False,
) -> bytes:  # fmt: skip  # fields by rows
    """All that it can tell: climate, magnet felt or not, movement, angles in degrees, voltage from 2000 to 4550 mV."""
    flags = 0b1011_0111 | magnet << 3 | low << 6
    values = struct.pack(
        ">hBHbhB", hundredths_c, percent, moving << 15 | movements, pitch, roll, (millivolt - 2000) // 10
    )
    return bytes((1, flags)) + values


def eye_climate(hundredths_c: int, percent: int) -> bytes:
    """With everything but its climate switched off."""
    return bytes((1, 0b11)) + struct.pack(">hB", hundredths_c, percent)
