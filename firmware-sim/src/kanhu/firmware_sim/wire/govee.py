"""Govee hygrometers and thermometers with probes: manufacturer data behind the first two bytes."""

import struct

BEACON = bytes.fromhex("4c000215494e54454c4c495f524f434b535f48575075f2ffc2")
"""The iBeacon that some glue behind their reading."""


def packed(tenths_c: int, tenths_percent: int, last: int) -> bytes:
    """Six digits of a number below its sign, and the battery below a bit of failure."""
    sign = 0x80_0000 if tenths_c < 0 else 0
    return (sign | abs(tenths_c) * 1000 + tenths_percent).to_bytes(3, "big") + bytes([last])


def h5075_frame(tenths_c: int, tenths_percent: int, last: int) -> bytes:
    """H5072 and H5075, company 0xEC88."""
    return b"\x00" + packed(tenths_c, tenths_percent, last) + b"\x00"


def h5101_frame(tenths_c: int, tenths_percent: int, last: int) -> bytes:
    """H5100 to H5105, H5174, H5177, company 0x0001."""
    return b"\x01\x01" + packed(tenths_c, tenths_percent, last)


def h5108_frame(tenths_c: int, tenths_percent: int, last: int, probe: int) -> bytes:
    """H5108 and H5112, company 0x0001; the last byte is the probe of H5112."""
    return h5101_frame(tenths_c, tenths_percent, last) + bytes([0, probe])


def h5140_frame(tenths_c: int, tenths_percent: int, ppm: int, failure: int) -> bytes:
    """H5140, company 0x0001."""
    return b"\x01\x01" + packed(tenths_c, tenths_percent, 0)[:3] + struct.pack(">HB", ppm, failure)


def h5106_frame(tenths_c: int, tenths_percent: int, dust: int) -> bytes:
    """H5106, company 0x0001: nine digits, three of them micrograms of dust."""
    sign = 0x8000_0000 if tenths_c < 0 else 0
    return b"\x01\x01" + (sign | abs(tenths_c) * 1_000_000 + tenths_percent * 1000 + dust).to_bytes(4, "big")


def h5178_frame(sensor: int, tenths_c: int, tenths_percent: int, last: int) -> bytes:
    """H5178, company 0x0001; sensor 0 is in the room."""
    return b"\x01\x01" + bytes([sensor]) + packed(tenths_c, tenths_percent, last) + b"\x00\x02"


def h5074_frame(hundredths_c: int, hundredths_percent: int, battery_percent: int) -> bytes:
    """H5074, company 0xEC88."""
    return b"\x00" + struct.pack("<hHB", hundredths_c, hundredths_percent, battery_percent) + b"\x02"


def h5051_frame(hundredths_c: int, hundredths_percent: int, battery_percent: int) -> bytes:
    """H5051, H5052 and H5071, company 0xEC88."""
    return h5074_frame(hundredths_c, hundredths_percent, battery_percent) + b"\x01\x01"


def h5179_frame(hundredths_c: int, hundredths_percent: int, battery_percent: int) -> bytes:
    """H5179, company 0x8801."""
    return b"\xec\x00\x01\x01" + struct.pack("<hHB", hundredths_c, hundredths_percent, battery_percent)


def one_probe_frame(hundredths_c: tuple[int, int]) -> bytes:
    """H5181 and H5183: temperature and alarm."""
    return _HEAD + b"\xe4\x01\x86" + struct.pack(">hh", *hundredths_c) + b"\x00\x00"


def two_probes_frame(group: int, first: tuple[int, int], second: tuple[int, int]) -> bytes:
    """H5182 and H5184: of each temperature and alarm, in hundredths."""
    return _HEAD + bytes([0xE4, group, 0x86]) + struct.pack(">hhBhh", *first, 0x86, *second)


def four_probes_frame(group: int, first: tuple[int, int, int], second: tuple[int, int, int]) -> bytes:
    """H5185 and H5198: of each temperature, higher and lower alarm, in hundredths."""
    return _HEAD + bytes([0xE4, group, 0x96]) + struct.pack(">6h", *first, *second)


def grill_frame(probe: tuple[int, int], ambient: int) -> bytes:
    """H5191: temperature and alarm of its probe, then what is around it, in hundredths."""
    return _HEAD + b"\x4c\x5d\x04" + struct.pack(">6h", *probe, -1, ambient, -1, -1)


def six_probes_frame(group: int, first: tuple[int, int, int], second: tuple[int, int, int], battery: int) -> bytes:
    """H5055: of each temperature, lower and higher alarm, in whole degrees."""
    head = bytes([0x35, 0, battery, group << 6, 0x20])
    return head + struct.pack("<3hB3h", *first, 0x20, *second) + b"\x00\x00"


_HEAD = b"\x83\x01\x00\x01\x01"
