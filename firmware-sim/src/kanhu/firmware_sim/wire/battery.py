"""Bluetooth SIG Battery Level (characteristic 0x2A19): one byte, percent."""

from kanhu.firmware_sim.errors import NotEncodable

_FULL = 100


def battery_level(percent: int) -> bytes:
    """The characteristic's value."""
    if not 0 <= percent <= _FULL:
        raise NotEncodable(f"battery {percent} % is outside 0-{_FULL}")
    return bytes([percent])
