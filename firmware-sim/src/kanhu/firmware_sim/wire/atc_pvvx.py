"""Thermometers with ATC1441 or pvvx firmware: service data of UUID 0x181A, plain and sealed."""

import struct
from dataclasses import dataclass

from kanhu.firmware_sim.wire.aes_ccm import seal


@dataclass(frozen=True, slots=True)
class Climate:
    """What such a thermometer measures."""

    hundredths_c: int
    hundredths_percent: int
    millivolt: int
    battery_percent: int
    counter: int
    flags: int = 0


def atc1441_frame(climate: Climate, *, address: bytes) -> bytes:
    """13 bytes, big endian; only tenths of a degree and whole percents are told."""
    return address + struct.pack(
        ">hBBHB", climate.hundredths_c // 10, climate.hundredths_percent // 100, climate.battery_percent,
        climate.millivolt, climate.counter,
    )  # fmt: skip  # fields by rows


def pvvx_frame(climate: Climate, *, address: bytes) -> bytes:
    """15 bytes, little endian."""
    return address[::-1] + struct.pack(
        "<hHHBBB", climate.hundredths_c, climate.hundredths_percent, climate.millivolt, climate.battery_percent,
        climate.counter, climate.flags,
    )  # fmt: skip  # fields by rows


def pvvx_sealed(climate: Climate, *, address: bytes, key: bytes) -> bytes:
    """11 bytes: counter, six sealed, tag of four."""
    plain = struct.pack(
        "<hHBB", climate.hundredths_c, climate.hundredths_percent, climate.battery_percent, climate.flags
    )
    return _sealed(plain, counter=climate.counter, address=address, key=key)


def atc1441_sealed(climate: Climate, *, address: bytes, key: bytes) -> bytes:
    """8 bytes: counter, halves of a degree above -40, halves of a percent, battery with the trigger above; tag."""
    halves_c, halves_percent = (climate.hundredths_c + 4000) // 50, climate.hundredths_percent // 50
    plain = bytes([halves_c, halves_percent, climate.battery_percent | climate.flags << 7])
    return _sealed(plain, counter=climate.counter, address=address, key=key)


def _sealed(plain: bytes, *, counter: int, address: bytes, key: bytes) -> bytes:
    length_of_structure = 1 + 2 + 1 + len(plain) + 4  # kind, UUID, counter, ciphertext, tag
    header = bytes([length_of_structure, 0x16, 0x1A, 0x18, counter])
    return bytes([counter]) + seal(plain, key=key, nonce=address[::-1] + header, associated=b"\x11", tag_bytes=4)
