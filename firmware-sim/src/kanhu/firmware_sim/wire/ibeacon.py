"""iBeacon: manufacturer data of company 0x004C, big endian."""

import struct

CYPRESS_UUID = "00050001-0000-1000-8000-00805f9b0131"


def ibeacon(uuid: bytes, major: int, minor: int, power_dbm: int) -> bytes:
    """Kind 2 with 21 bytes."""
    return b"\x02\x15" + uuid + struct.pack(">HHb", major, minor, power_dbm)


def cypress_beacon(major: int, temperature_code: int, humidity_code: int) -> bytes:
    """A solar sensor: eight bits of each word of a Si7020, humidity first."""
    uuid = bytes.fromhex(CYPRESS_UUID.replace("-", ""))
    return ibeacon(uuid, major, humidity_code << 8 | temperature_code, -61)
