"""ELA beacons: service data of UUIDs of the Bluetooth SIG, or data of company 0x0757; little endian."""

import struct


def ela_magnet(*, near: bool, changes: int) -> bytes:
    """Service data of UUID 0x2A06: whether the magnet is near, below how often that changed."""
    return struct.pack("<H", changes << 1 | near)


def ela_temperature(hundredths_c: int) -> bytes:
    """Service data of UUID 0x2A6E."""
    return struct.pack("<h", hundredths_c)


def ela_humidity(percent: int) -> bytes:
    """Service data of UUID 0x2A6F."""
    return bytes((percent,))


def ela_climate(hundredths_c: int, percent: int) -> bytes:
    """Manufacturer data, kind 0x21."""
    return struct.pack("<BBBh", 0x21, percent, 0, hundredths_c)
