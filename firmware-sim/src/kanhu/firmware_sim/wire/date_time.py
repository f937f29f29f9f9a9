"""Bluetooth SIG Date Time (characteristic 0x2A08): the device's own clock, local time, no zone."""

from datetime import datetime

from kanhu.firmware_sim.errors import NotEncodable

_YEAR_FIRST, _YEAR_LAST = 1582, 9999


def date_time(value: datetime) -> bytes:
    """Seven bytes: year (16 bit, little endian), month, day, hour, minute, second."""
    if not _YEAR_FIRST <= value.year <= _YEAR_LAST:
        raise NotEncodable(f"year {value.year} is outside {_YEAR_FIRST}-{_YEAR_LAST}")
    parts = (value.month, value.day, value.hour, value.minute, value.second)
    return value.year.to_bytes(2, "little") + bytes(parts)
