"""Almendo bluSensor Mini: manufacturer data of company 0x06E8, little endian."""

import struct


def almendo_mini(*, hundredths_c: int, hundredths_percent: int, co2: int, voc: int, index: int) -> bytes:
    """Version, type, model, hardware, two bytes of status, state, then the readings."""
    head = bytes((1, 10, 10, 8, 1, 0x18, 0))
    return head + struct.pack("<hHHHB", hundredths_c, hundredths_percent, co2, voc, index)
