"""Decode the data of the Polar Measurement Data service: electrocardiogram and acceleration, many samples a frame.

A frame is the kind of measurement, when its last sample was taken (8 bytes, nanoseconds since 2000-01-01 by the
device's own clock), a frame type whose bit 7 says compressed, and samples, little endian and signed.

| measurement | frame type | a sample |
|---|---|---|
| ECG | 0 | microvolts, 3 bytes |
| acceleration | 0, 1, 2 | x, y, z in thousandths of g, 1, 2 or 3 bytes each |
| acceleration | 128, 129 | compressed; steps of the factor of its start in g, or in thousandths of g |

Compressed: a reference sample of 2 bytes an axis, then blocks of a width in bits, a count, and so many differences to
the sample before, lowest bit first, each block filled up to whole bytes.

Sources: "Polar Measurement Data Specification for 3rd Party" (polar-ble-sdk) for all but type 129; the SDK's parser and
tests (`EcgData`, `AccData`, `BlePMDClient.parseDeltaFramesAll`) for all; a transcript of a real H10
(phdiethelm/h10_ecg) for ECG. They part in one place: the specification's table gives compressed acceleration in
thousandths of g, its example and the SDK multiply by the factor in g, and so does this. That an H10 sends acceleration
as type 1 stands in the specification and in an open client (bleakheart). ECG types 1 to 3 are the SDK's alone, of other
devices: refused here. Compressed frames of a real device, and type 129 at all, need a second source.
"""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from kanhu.edge.codecs.polar_pmd_control import PmdMeasurement
from kanhu.edge.errors import DecodeError, DecodeReason

DATA_UUID = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
"""Notified."""
EPOCH_UNIX_MS = 946_684_800_000
"""2000-01-01; the device's time is local where somebody set it (TimeSystemExplained of the SDK)."""

_MAX_BYTES = 512  # the longest attribute value in ATT
_HEADER_BYTES = 10
_COMPRESSED = 0x80
_ECG_BYTES = 3
_AXES = 3
_REFERENCE_BYTES = 2
_WIDEST_BITS = 32
_MILLI = 1000


class AccelerationUnit(IntEnum):
    """What one step of a frame's numbers is."""

    MILLI_G = 0
    FACTOR_G = 1
    """As many g as the factor that the start was answered with."""


@dataclass(frozen=True, slots=True)
class EcgFrame:
    """Consecutive samples of one lead."""

    last_ns: int
    """Of the last sample, nanoseconds since 2000-01-01 by the device's clock."""
    microvolts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AccelerationFrame:
    """Consecutive samples of three axes."""

    last_ns: int
    """As of an ECG."""
    unit: AccelerationUnit
    steps: tuple[tuple[int, int, int], ...]


def decode_pmd_frame(frame: bytes) -> EcgFrame | AccelerationFrame:
    """Decode one notification of the data characteristic.

    Raises:
        DecodeError: it is short, holds no whole samples or none, or is of a kind or type that is not known here.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if len(frame) <= _HEADER_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes and no sample")
    measurement, frame_type, content = frame[0], frame[_HEADER_BYTES - 1], frame[_HEADER_BYTES:]
    last_ns = int.from_bytes(frame[1 : _HEADER_BYTES - 1], "little")
    if measurement == PmdMeasurement.ECG and frame_type == 0:
        return EcgFrame(last_ns, _numbers(content, size=_ECG_BYTES, axes=1))
    if measurement == PmdMeasurement.ACCELERATION:
        if frame_type in {0, 1, 2}:
            numbers = _numbers(content, size=1 + frame_type, axes=_AXES)
            return AccelerationFrame(last_ns, AccelerationUnit.MILLI_G, _by_axes(numbers))
        if frame_type in {_COMPRESSED, _COMPRESSED | 1}:
            unit = AccelerationUnit.MILLI_G if frame_type & 1 else AccelerationUnit.FACTOR_G
            return AccelerationFrame(last_ns, unit, _by_axes(_decompressed(content)))
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"measurement {measurement}, frame type {frame_type}")


def milli_g(frame: AccelerationFrame, factor: Fraction) -> tuple[tuple[int, int, int], ...]:
    """Its samples in thousandths of g; what a factor puts between two is cut towards zero, as the SDK does."""
    if frame.unit is AccelerationUnit.MILLI_G:
        return frame.steps
    scale = factor * _MILLI
    return tuple((int(x * scale), int(y * scale), int(z * scale)) for x, y, z in frame.steps)


def _numbers(content: bytes, *, size: int, axes: int) -> tuple[int, ...]:
    if len(content) % (size * axes):
        raise DecodeError(DecodeReason.SHORT, f"{len(content)} bytes are no whole samples of {size * axes}")
    return tuple(int.from_bytes(content[at : at + size], "little", signed=True) for at in range(0, len(content), size))


def _decompressed(content: bytes) -> tuple[int, ...]:
    """The numbers of all axes, sample by sample."""
    at = _AXES * _REFERENCE_BYTES
    if len(content) < at:
        raise DecodeError(DecodeReason.SHORT, f"{len(content)} bytes are no reference sample")
    numbers = list(_numbers(content[:at], size=_REFERENCE_BYTES, axes=_AXES))
    while at < len(content):
        if len(content) < at + 2:
            raise DecodeError(DecodeReason.SHORT, "a block without its count")
        width, count = content[at], content[at + 1]
        at += 2
        if not 0 < width <= _WIDEST_BITS:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"differences of {width} bits")
        size = (width * count * _AXES + 7) // 8
        if len(content) < at + size:
            raise DecodeError(DecodeReason.SHORT, f"a block has {len(content) - at} of {size} bytes")
        bits = int.from_bytes(content[at : at + size], "little")
        at += size
        for _ in range(count * _AXES):
            difference = bits & (1 << width) - 1
            numbers.append(numbers[-_AXES] + difference - (difference >> width - 1 << width))
            bits >>= width
    return tuple(numbers)


def _by_axes(numbers: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    return tuple(zip(numbers[0::_AXES], numbers[1::_AXES], numbers[2::_AXES], strict=True))
