"""ThermoPro hygrometers: manufacturer data with its company in front, little endian."""

import struct


def tp357_frame(tenths_c: int, percent: int, battery_halves: int) -> bytes:
    """A TP357, TP358, TP359 or TP393."""
    return struct.pack("<BhBBB", 0xC2, tenths_c, percent, battery_halves, 0x2C)


def tp357s_frame(tenths_c: int, percent: int, battery_halves: int) -> bytes:
    """A TP357S tells its battery at the end."""
    return struct.pack("<BhBHB", 0xC2, tenths_c, percent, 0x2C22, battery_halves)
