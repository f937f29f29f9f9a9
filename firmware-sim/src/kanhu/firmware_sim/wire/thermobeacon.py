"""ThermoBeacon: manufacturer data with the model where others have their company; little endian."""

import struct


def thermobeacon_reading(
    address: bytes, *, millivolt: int, sixteenths_c: int, sixteenths_percent: int, up_s: int
) -> bytes:
    """What it measures now, behind two bytes of state and the address backwards."""
    return bytes(2) + address[::-1] + struct.pack("<HhHI", millivolt, sixteenths_c, sixteenths_percent, up_s)


def thermobeacon_extremes(
    address: bytes, *, high_sixteenths: int, high_s: int, low_sixteenths: int, low_s: int
) -> bytes:
    """The warmest and the coldest since it was reset, each with its second."""
    return bytes(2) + address[::-1] + struct.pack("<hIhI", high_sixteenths, high_s, low_sixteenths, low_s)
