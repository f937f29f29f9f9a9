"""Xiaomi's S400 and S200 scales: one object of nine bytes within an encrypted MiBeacon of version 5.

Profile, a word, seconds since 1970. The S400's word holds 11 bits of 0.1 kg, 7 of heart rate less 50 and 14 of 0.1 ohm,
from the lowest bit; the S200's counts 0.01 kg.
"""

import struct
from dataclasses import dataclass

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.mibeacon import BeaconHead, beacon_object, sealed_beacon

_S400_PRODUCT, _S200_PRODUCT = 0x3BD5, 0x4C04
_S400_OBJECT, _S200_OBJECT = 0x6E16, 0x4E16
_HEART_FROM_BPM = 50


@dataclass(frozen=True, slots=True)
class Weighing:
    """One packet; what it leaves out is zero on the wire. The smaller scale sends the weight alone."""

    hundredths_kg: int | None
    heart_bpm: int | None = None
    tenths_ohm: int | None = None
    profile: int = 1
    at_s: int = 0


def s400_frame(weighing: Weighing, *, counter: int, key: bytes, sender: bytes) -> bytes:
    """Service data behind 0xFE95; the weight is cut to tenths."""
    kg = (weighing.hundredths_kg or 0) // 10
    heart = 0 if weighing.heart_bpm is None else weighing.heart_bpm - _HEART_FROM_BPM
    ohm = weighing.tenths_ohm or 0
    if not (0 <= kg < 1 << 11 and 0 <= heart < 1 << 7 and 0 <= ohm < 1 << 14):
        raise NotEncodable(f"{weighing}")
    data = _nine_bytes(weighing, ohm << 18 | heart << 11 | kg)
    head = BeaconHead(_S400_PRODUCT, counter)
    return sealed_beacon(head, beacon_object(_S400_OBJECT, data), key=key, sender=sender)


def s200_frame(weighing: Weighing, *, counter: int, key: bytes, sender: bytes) -> bytes:
    """Service data behind 0xFE95."""
    data = _nine_bytes(weighing, weighing.hundredths_kg or 0)
    head = BeaconHead(_S200_PRODUCT, counter)
    return sealed_beacon(head, beacon_object(_S200_OBJECT, data), key=key, sender=sender)


def _nine_bytes(weighing: Weighing, word: int) -> bytes:
    try:
        return struct.pack("<BII", weighing.profile, word, weighing.at_s)
    except struct.error as error:
        raise NotEncodable(f"{weighing}: {error}") from None
