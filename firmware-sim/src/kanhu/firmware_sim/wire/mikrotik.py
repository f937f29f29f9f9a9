"""MikroTik TG-BT5: manufacturer data of company 0x094F, little endian, numbers of 1/256."""

import struct


def mikrotik_tag(
    *, acceleration_256ths: tuple[int, int, int], temperature_256ths: int, uptime_s: int, flags: int, battery: int,
    salt: int = 0xA910,
) -> bytes:  # fmt: skip  # fields by rows
    """Version 1, not encrypted."""
    return struct.pack("<BBH3hhIBB", 1, 0, salt, *acceleration_256ths, temperature_256ths, uptime_s, flags, battery)
