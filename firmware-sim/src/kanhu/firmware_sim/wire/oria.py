"""Oria T301: manufacturer data of company 0xAA55, big endian."""

import struct


def oria_frame(address: bytes, hundredths_c: int, hundredths_percent: int, battery_percent: int) -> bytes:
    """One reading."""
    reading = struct.pack(">hHBBB", hundredths_c, hundredths_percent, battery_percent, 0, 1)
    return b"\x01\x05" + address + b"\x01\x07" + reading
