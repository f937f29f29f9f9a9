"""Polar Measurement Data service (FB005C80-02E7-F387-1CAD-8ACD2D8DF0C8), as its specification for third parties says.

Control point FB005C81: read it gives the features; what is written to it is answered by indication. Data FB005C82:
notified, each value with the time of its last sample in nanoseconds since 2000-01-01.
"""

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import pairwise

from kanhu.firmware_sim.errors import NotEncodable

PMD_SERVICE = "FB005C80-02E7-F387-1CAD-8ACD2D8DF0C8"
PMD_CONTROL = "FB005C81-02E7-F387-1CAD-8ACD2D8DF0C8"
PMD_DATA = "FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8"
HEADER_BYTES = 10
ECG_SAMPLE_BYTES, ACCELERATION_SAMPLE_BYTES = 3, 6

_FEATURE_BYTES = 17
_DELTA_FRAME = 0x80


class Pmd(IntEnum):
    """Kinds of measurement."""

    ECG = 0
    ACC = 2


class PmdOp(IntEnum):
    """What a host writes first."""

    GET = 1
    START = 2
    STOP = 3


class PmdError(IntEnum):
    """How a request is answered."""

    SUCCESS = 0
    INVALID_OP_CODE = 1
    INVALID_MEASUREMENT_TYPE = 2
    NOT_SUPPORTED = 3
    INVALID_LENGTH = 4
    INVALID_PARAMETER = 5
    ALREADY_IN_STATE = 6
    INVALID_RESOLUTION = 7
    INVALID_SAMPLE_RATE = 8
    INVALID_RANGE = 9
    INVALID_MTU = 10


class SettingType(IntEnum):
    """Of a measurement."""

    SAMPLE_RATE = 0
    RESOLUTION = 1
    RANGE = 2
    CHANNELS = 4
    FACTOR = 5


def pmd_features(kinds: Sequence[Pmd]) -> bytes:
    """What reading the control point gives."""
    return (b"\x0f" + sum(1 << kind for kind in kinds).to_bytes(2, "little")).ljust(_FEATURE_BYTES, b"\0")


def pmd_answer(op: int, kind: int, error: int = PmdError.SUCCESS, parameters: bytes = b"", *, more: int = 0) -> bytes:
    """One indication of the control point."""
    head = bytes([0xF0, op, kind, error])
    return head if error else head + bytes([more]) + parameters


def pmd_settings(settings: Mapping[SettingType, Sequence[int]]) -> bytes:
    """Type, how many values, the values; all of two bytes but the number of channels."""
    told = b""
    for kind, values in settings.items():
        width = 1 if kind == SettingType.CHANNELS else 2
        told += bytes([kind, len(values)]) + b"".join(value.to_bytes(width, "little") for value in values)
    return told


def pmd_factor(factor: float) -> bytes:
    """The setting with which a start of compressed frames is answered."""
    return bytes([SettingType.FACTOR, 1]) + struct.pack("<f", factor)


def ecg_frame(last_ns: int, microvolts: Sequence[int]) -> bytes:
    """Type 0: three bytes a sample."""
    try:
        return _header(Pmd.ECG, last_ns, 0) + b"".join(one.to_bytes(3, "little", signed=True) for one in microvolts)
    except OverflowError:
        raise NotEncodable("a sample of the electrocardiogram does not fit three bytes") from None


def acceleration_frame(last_ns: int, milli_g: Sequence[Sequence[int]], *, width: int = 2) -> bytes:
    """Type 0, 1 or 2: one, two or three bytes an axis."""
    try:
        body = b"".join(axis.to_bytes(width, "little", signed=True) for sample in milli_g for axis in sample)
    except OverflowError:
        raise NotEncodable(f"an acceleration does not fit {width} bytes an axis") from None
    return _header(Pmd.ACC, last_ns, width - 1) + body


def compressed_acceleration_frame(
    last_ns: int, samples: Sequence[Sequence[int]], *, frame_type: int = 1, block: int = 20
) -> bytes:
    """Type 128 or 129: the first sample whole, then differences in blocks, each as narrow as its widest allows."""
    body = b"".join(axis.to_bytes(2, "little", signed=True) for axis in samples[0])
    steps = [[after - before for before, after in zip(*pair, strict=True)] for pair in pairwise(samples)]
    for first in range(0, len(steps), block):
        part = steps[first : first + block]
        width = 1 + max(axis.bit_length() for step in part for axis in step)
        bits = "".join(f"{axis & (1 << width) - 1:0{width}b}"[::-1] for step in part for axis in step)
        filled = bits.ljust(-(-len(bits) // 8) * 8, "0")
        packed = bytes(int(filled[at : at + 8][::-1], 2) for at in range(0, len(filled), 8))
        body += bytes([width, len(part)]) + packed
    return _header(Pmd.ACC, last_ns, _DELTA_FRAME | frame_type) + body


def _header(kind: Pmd, last_ns: int, frame_type: int) -> bytes:
    return bytes([kind]) + last_ns.to_bytes(8, "little") + bytes([frame_type])
