"""Inkbird: manufacturer data with its company in front; little endian but for the IAM-T2."""

import struct


def ibs_th_frame(hundredths_c: int, hundredths_percent: int, battery_percent: int, *, probe: int = 0) -> bytes:
    """An IBS-TH1 or IBS-TH2; `probe` is 0 for the sensor inside."""
    head = struct.pack("<hHB", hundredths_c, hundredths_percent, probe)
    return head + struct.pack("<HBB", _modbus_crc(head), battery_percent, 8)


def ith_frame(
    address: bytes, tenths_c: int, tenths_percent: int, battery_percent: int, *, flags: bytes = bytes(7)
) -> bytes:
    """An ITH-11-B, ITH-13-B, ITH-21-B, or without humidity an IBS-P02B; `flags` are its last seven bytes."""
    return address + struct.pack("<hHB", tenths_c, tenths_percent, battery_percent) + flags


def iam_t2_frame(address: bytes, tenths: int, tenths_percent: int, ppm: int, *, unit_fahrenheit: int = 0) -> bytes:
    """An IAM-T2, whose address begins with 00:62."""
    return b"T2" + address + struct.pack(">BBhHHB", 1, 2 * unit_fahrenheit, tenths, tenths_percent, ppm, 145)


def ibbq_frame(address: bytes, tenths_c: tuple[int | None, ...]) -> bytes:
    """A thermometer for meat; an empty socket tells -1.0."""
    told = [-10 if one is None else one for one in tenths_c]
    return bytes(4) + address + struct.pack(f"<{len(told)}h", *told)


def _modbus_crc(data: bytes) -> int:
    """CRC-16/MODBUS, reflected 0x8005, from all ones."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc
