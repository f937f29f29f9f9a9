"""Qingping sensors: service data of UUID 0xFDCD, a head and then values by id and length."""

import struct

CONTACT_MODEL, MOTION_MODEL, CLIMATE_MODEL = 0x04, 0x12, 0x07


def qingping_frame(model: int, *, address: bytes, counter: int, values: bytes, flags: int = 0x08) -> bytes:
    """Service data behind the UUID; the counter tells a new event from a repeated one."""
    return bytes([flags, model]) + address[::-1] + b"\x0f\x01" + bytes([counter]) + values


def climate_value(tenths_c: int, tenths_percent: int) -> bytes:
    """Temperature and humidity."""
    return b"\x01\x04" + struct.pack("<hH", tenths_c, tenths_percent)


def battery_value(percent: int) -> bytes:
    """The battery."""
    return bytes([0x02, 1, percent])


def door_value(state: int) -> bytes:
    """0 open, 1 closed, 2 left open."""
    return bytes([0x04, 1, state])


def motion_value(moved: int, lux: int) -> bytes:
    """Motion with the light of that moment."""
    return bytes([0x08, 4, moved]) + lux.to_bytes(3, "little")


def air_value(pm25: int, pm10: int, carbon_dioxide_ppm: int) -> bytes:
    """Particles and carbon dioxide."""
    return b"\x12\x04" + struct.pack("<HH", pm25, pm10) + b"\x13\x02" + struct.pack("<H", carbon_dioxide_ppm)
