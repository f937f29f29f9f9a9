"""Decode the frames of 60 GHz radars that speak TinyFrame: Seeed MR60FDA2 and MR60BHA2, HLK-LD6002 family.

01, id, length and type (16 bits each, big endian), checksum of the head, data (little endian), checksum of the data; a
checksum is the complement of the XOR. Without data there is no second checksum, though Seeed's library sends one
(Love4yzp/Seeed-mmWave-library@c8d6b60). Types: that library @68a4ebc, jcmendez/mr60fda2-proto@21f6a0a, and the maker's
protocol kept in phuongnamzz/HLK-LD6002@833417c.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import xor

from kanhu.edge.codecs.radar_report import RadarReport, Target, Told
from kanhu.edge.errors import DecodeError, DecodeReason

START = 0x01
HEAD_BYTES = 8
MOST_DATA_BYTES = 512
"""A list of 31 targets has 500."""

_TARGET_BYTES = 16
_VALID = 1
# Where the contract's range of a heart rate ends; a radar that says more has not measured a person.
_MOST_RATE = 300


@dataclass(frozen=True, slots=True)
class TinyFrame:
    """One frame, whatever it means."""

    id: int
    type: int
    data: bytes


def checksum(data: bytes) -> int:
    """The complement of the XOR of all."""
    return reduce(xor, data, 0xFF)


def decode_tinyframe_frame(frame: bytes) -> TinyFrame:
    """Open one frame.

    Raises:
        DecodeError: start, length or a checksum are wrong.
    """
    if len(frame) < HEAD_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes, not {HEAD_BYTES}")
    if frame[0] != START:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"begins {frame[0]:02x}")
    if checksum(frame[: HEAD_BYTES - 1]) != frame[HEAD_BYTES - 1]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"head {frame[:HEAD_BYTES].hex()}")
    length = int.from_bytes(frame[3:5], "big")
    if length > MOST_DATA_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{length} bytes of data")
    end = HEAD_BYTES + length
    whole = end + 1 if length else len(frame[: end + 1])
    if len(frame) != whole:
        raise DecodeError(DecodeReason.SHORT if len(frame) < whole else DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if len(frame) > end and checksum(frame[HEAD_BYTES:end]) != frame[end]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"data of type {frame[5:7].hex()}")
    return TinyFrame(int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[5:7], "big"), frame[HEAD_BYTES:end])


def decode_tinyframe(frame: bytes) -> RadarReport:
    """Decode one frame and what it means; one without data is a command.

    Raises:
        DecodeError: as `decode_tinyframe_frame`; or its data are short or no number.
    """
    opened = decode_tinyframe_frame(frame)
    if opened.type not in _TYPES:
        return RadarReport(None)
    name, read = _TYPES[opened.type]
    if not opened.data:
        return RadarReport(name, query=True)
    return RadarReport(name, read(opened.data))


Values = tuple[Told, ...]
Read = Callable[[bytes], Values]


def _float(data: bytes, at: int, name: str) -> Decimal:
    """The exact value of the 32-bit float."""
    value = Decimal(struct.unpack("<f", _piece(data, at, 4, name))[0])
    if value.is_nan():
        raise DecodeError(DecodeReason.NOT_A_NUMBER, name)
    if value.is_infinite():
        raise DecodeError(DecodeReason.INFINITE, name)
    return value


def _unsigned(data: bytes, at: int, name: str) -> int:
    return int.from_bytes(_piece(data, at, 4, name), "little")


def _piece(data: bytes, at: int, count: int, name: str) -> bytes:
    if len(data) < at + count:
        raise DecodeError(DecodeReason.SHORT, f"{name}: needs {at + count} bytes, got {len(data)}")
    return data[at : at + count]


def _floats(*names: str) -> Read:
    def read(data: bytes) -> Values:
        return tuple(Told(name, _float(data, 4 * index, name)) for index, name in enumerate(names))

    return read


def _flag(name: str) -> Read:
    """All that was read agree: what is not 0 is yes."""

    def read(data: bytes) -> Values:
        return (Told(name, any(data)),)

    return read


def _rate(name: str) -> Read:
    """Zero says that the radar has found none yet."""

    def read(data: bytes) -> Values:
        value = _float(data, 0, name)
        if not 0 <= value <= _MOST_RATE:
            raise DecodeError(DecodeReason.INFINITE, f"{name}: {value}")
        return (Told(name, value or None),)

    return read


def _range(data: bytes) -> Values:
    """The distance counts only where the flag says so; what else stands there need be no number."""
    flag = _unsigned(data, 0, "flag")
    _piece(data, 4, 4, "range_cm")
    return (Told("flag", flag), Told("range_cm", _float(data, 4, "range_cm") if flag == _VALID else None))


def _targets(data: bytes) -> Values:
    count = _unsigned(data, 0, "targets")
    if count > MOST_DATA_BYTES // _TARGET_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{count} targets in {len(data)} bytes")
    places = range(4, 4 + count * _TARGET_BYTES, _TARGET_BYTES)
    return (Told("targets", tuple(_target(data, at) for at in places)),)


def _target(data: bytes, at: int) -> Target:
    doppler, cluster = (
        int.from_bytes(_piece(data, at + skip, 4, "targets"), "little", signed=True) for skip in (8, 12)
    )
    return Target(_float(data, at, "x"), _float(data, at + 4, "y"), doppler, cluster)


def _set(read: Read) -> Read:
    """The host sends the setting, the radar answers with one byte."""
    accepted = _flag("accepted")

    def either(data: bytes) -> Values:
        return accepted(data) if len(data) == 1 else read(data)

    return either


def _sensitivity(data: bytes) -> Values:
    return (Told("sensitivity", _unsigned(data, 0, "sensitivity")),)


_AREA = ("area_left_m", "area_right_m", "area_front_m", "area_back_m")


def _parameters(data: bytes) -> Values:
    """Seeed's library reads the alarm area behind them; older firmware ends before it."""
    values = (
        *_floats("install_height_m", "height_threshold_m")(data),
        Told("sensitivity", _unsigned(data, 8, "sensitivity")),
    )
    area = data[12:]
    return (*values, *_floats(*_AREA)(area)) if area else values


def _firmware(data: bytes) -> Values:
    names = ("project", "major_version", "sub_version", "modified_version")
    return tuple(Told(name, one) for name, one in zip(names, _piece(data, 0, 4, "firmware"), strict=True))


_TYPES: dict[int, tuple[str, Read]] = {
    0x010E: ("user log", lambda data: (Told("user_log", _unsigned(data, 0, "user_log")),)),
    0x0A04: ("target information", _targets),
    0x0A08: ("point cloud", _targets),
    0x0A13: ("phases", _floats("total_phase", "breath_phase", "heart_phase")),
    0x0A14: ("breath rate", _rate("respiration_per_min")),
    0x0A15: ("heart rate", _rate("heart_bpm")),
    0x0A16: ("range", _range),
    0x0E02: ("fall", _flag("fall")),
    0x0E04: ("install height", _set(_floats("install_height_m"))),
    0x0E06: ("parameters", _parameters),
    0x0E08: ("height threshold", _set(_floats("height_threshold_m"))),
    0x0E0A: ("sensitivity", _set(_sensitivity)),
    0x0E0C: ("alarm area", _set(_floats(*_AREA))),
    0x0E0E: ("target height", _floats("target_height_m")),
    0x0F09: ("presence", _flag("present")),
    0x2110: ("factory reset", _flag("accepted")),
    0xFFFF: ("firmware", _firmware),
}
