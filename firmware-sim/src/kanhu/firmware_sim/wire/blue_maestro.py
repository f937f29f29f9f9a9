"""Blue Maestro: manufacturer data of company 0x0133; Tempo Discs big endian, the Pebble little endian."""

import struct


def tempo_disc(
    model: int, *, battery: int, interval_s: int, logged: int, tenths_c: int, tenths_percent: int = 0, third: int = 0
) -> bytes:
    """`third` is the dew point in tenths of a degree, or the pressure in tenths of hPa in model 0x1B."""
    start = struct.pack(">BBHHh", model, battery, interval_s, logged, tenths_c)
    if model == 0x0D:
        return start + bytes(2)
    return start + struct.pack(">H", tenths_percent) + struct.pack(">H" if model == 0x1B else ">h", third) + bytes(2)


def pebble(*, tenths_c: int, percent: int, hpa: int) -> bytes:
    """The temperature of now stands between two others."""
    return struct.pack("<BhhhBH", 1, tenths_c - 11, tenths_c, tenths_c + 13, percent, hpa) + bytes(8)
