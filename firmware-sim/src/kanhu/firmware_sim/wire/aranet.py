"""Aranet sensors: manufacturer data of company 0x0702 with readings shared, little endian."""

import struct

_SHARED = 0x20
_VERSION = bytes((4, 4, 1, 0))  # 1.4.4, and a byte without meaning


def aranet4(
    *, co2: int, twentieths_c: int, tenths_hpa: int, percent: int, battery: int, colour: int, interval_s: int,
    ago_s: int, count: int,
) -> bytes:  # fmt: skip  # fields by rows
    """The one that measures carbon dioxide; it has no type."""
    readings = struct.pack(
        "<HhHBBBHHB", co2, twentieths_c, tenths_hpa, percent, battery, colour, interval_s, ago_s, count
    )
    return bytes((_SHARED | 1,)) + _VERSION + bytes(3) + readings


def aranet2(
    *, twentieths_c: int, tenths_percent: int, battery: int, limits: int, interval_s: int, ago_s: int, count: int
) -> bytes:
    """Temperature and humidity."""
    readings = struct.pack(
        "<HhHHBBBHHB", 0, twentieths_c, 0, tenths_percent, 0, battery, limits, interval_s, ago_s, count
    )
    return bytes((1, _SHARED | 1)) + _VERSION + bytes(2) + readings


def aranet_radiation(
    *, dose_nsv: int, duration_s: int, rate_nsv_h: int, battery: int, interval_s: int, ago_s: int, count: int
) -> bytes:
    """Dose since it was reset, and its rate."""
    readings = struct.pack("<IIHBBBHHB", dose_nsv, duration_s, rate_nsv_h, 0, battery, 0, interval_s, ago_s, count)
    return bytes((2, _SHARED | 1)) + _VERSION + readings


def aranet_radon(
    *, radon: int, twentieths_c: int, tenths_hpa: int, tenths_percent: int, battery: int, colour: int,
    interval_s: int, ago_s: int, count: int,
) -> bytes:  # fmt: skip  # fields by rows
    """Radon in Bq/m3 with the air around it."""
    readings = struct.pack(
        "<HhHHBBBHHB", radon, twentieths_c, tenths_hpa, tenths_percent, 0, battery, colour, interval_s, ago_s, count
    )
    return bytes((3, _SHARED | 1)) + _VERSION + bytes(2) + readings
