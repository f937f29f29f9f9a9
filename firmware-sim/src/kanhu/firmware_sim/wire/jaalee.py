"""Jaalee JHT: an iBeacon with a battery behind it, and service data of UUID 0xF525; big endian."""

import struct

_UUID = bytes.fromhex("ebefd08370a247c89837e7b5634df525")


def jaalee_frame(warmth_word: int, humidity_word: int, battery_percent: int) -> bytes:
    """Manufacturer data of company 0x004C."""
    return b"\x02\x15" + _UUID + struct.pack(">HHbB", warmth_word, humidity_word, -52, battery_percent)


def jaalee_service(address: bytes, warmth_word: int, humidity_word: int, battery_percent: int) -> bytes:
    """The address goes out backwards."""
    return bytes([battery_percent]) + address[::-1] + struct.pack(">HH", warmth_word, humidity_word)
