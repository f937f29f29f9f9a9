"""Seeed MR60FDA2 and MR60BHA2, HLK-LD6002: TinyFrame at 115200 baud (the LD6002 at 1382400).

Start, id, length, type, checksum of the head, data, checksum of the data; a checksum is NOT of XOR.
"""

import struct
from collections.abc import Sequence

from kanhu.firmware_sim.errors import NotEncodable


def tinyframe(kind: int, data: bytes = b"", *, frame_id: int = 0) -> bytes:
    """One frame; without data it has one checksum."""
    if len(data) > 0xFFFF:
        raise NotEncodable(f"{len(data)} bytes do not fit one frame")
    head = struct.pack(">BHHH", 0x01, frame_id, len(data), kind)
    frame = head + _check(head)
    return frame + data + _check(data) if data else frame


def fall(fallen: bool) -> bytes:
    """Of the MR60FDA2, several times a second."""
    return tinyframe(0x0E02, bytes([fallen]))


def presence(present: bool) -> bytes:
    """Several times a second."""
    return tinyframe(0x0F09, bytes([present]))


def target_height(metres: float) -> bytes:
    """Of the MR60FDA2, once it was asked to."""
    return tinyframe(0x0E0E, struct.pack("<f", metres))


def breath_rate(per_minute: float) -> bytes:
    """0 until one is found."""
    return tinyframe(0x0A14, struct.pack("<f", per_minute))


def heart_rate(bpm: float) -> bytes:
    """0 until one is found."""
    return tinyframe(0x0A15, struct.pack("<f", bpm))


def target_range(centimetres: float | None) -> bytes:
    """None where there is no target: the flag is then 0, and so is the range."""
    return tinyframe(0x0A16, struct.pack("<If", centimetres is not None, centimetres or 0.0))


def phases(total: float, breath: float, heart: float) -> bytes:
    """Of the chest's movement."""
    return tinyframe(0x0A13, struct.pack("<fff", total, breath, heart))


def point_cloud(targets: Sequence[tuple[float, float, int, int]]) -> bytes:
    """Place, Doppler index and cluster of each."""
    body = b"".join(struct.pack("<ffii", *one) for one in targets)
    return tinyframe(0x0A08, struct.pack("<I", len(targets)) + body)


def parameters(height_m: float, threshold_m: float, sensitivity: int) -> bytes:
    """Of the MR60FDA2, in answer."""
    return tinyframe(0x0E06, struct.pack("<ffI", height_m, threshold_m, sensitivity))


def _check(data: bytes) -> bytes:
    folded = 0
    for byte in data:
        folded ^= byte
    return bytes([~folded & 0xFF])
