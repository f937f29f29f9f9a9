"""Holy-IOT beacons: service data of UUID 0x5242, one value an advertisement."""

BUTTON = 6
"""Kind of value of the button."""


def holyiot_frame(kind: int, value: bytes, *, address: bytes, battery_percent: int) -> bytes:
    """Frame 0x41, battery, address, two bytes that nobody has named, kind of value, two bytes of value."""
    return b"\x41" + bytes([battery_percent]) + address + bytes(2) + bytes([kind]) + value.ljust(2, b"\0")
