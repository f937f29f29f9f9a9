"""Bluetooth SIG Date Time (0x2A08) and Current Time (0x2A2B): the device's own clock, local time, no zone."""

from datetime import datetime

from kanhu.firmware_sim.errors import NotEncodable

_YEAR_FIRST, _YEAR_LAST = 1582, 9999


def date_time(value: datetime) -> bytes:
    """Seven bytes: year (16 bit, little endian), month, day, hour, minute, second."""
    if not _YEAR_FIRST <= value.year <= _YEAR_LAST:
        raise NotEncodable(f"year {value.year} is outside {_YEAR_FIRST}-{_YEAR_LAST}")
    parts = (value.month, value.day, value.hour, value.minute, value.second)
    return value.year.to_bytes(2, "little") + bytes(parts)


def current_time(value: datetime) -> bytes:
    """Ten bytes: date and time, day of the week (1 Monday), 256ths of a second, and no reason for an adjustment."""
    return date_time(value) + bytes([value.isoweekday(), value.microsecond * 256 // 1_000_000, 0])
