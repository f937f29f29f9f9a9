"""Encode requests for the control point of the Polar Measurement Data service, and decode what it answers.

A request is an operation, a kind of measurement, and to start one its settings; an answer is F0, the operation, the
kind of measurement, a code, and where that is 0 whether more follows and the parameters. Settings are a list of type,
count, values, little endian.

Sources: "Polar Measurement Data Specification for 3rd Party" (polar-ble-sdk, technical_documentation), which shows an
H10's answers byte by byte; the SDK's own parser and its tests; and a transcript of a real H10 (phdiethelm/h10_ecg),
which agrees. Where they part: one byte behind a successful start, 01 in the specification and 00 in the transcript, is
reserved and no setting. The unasked-for word that a measurement has stopped (01 and the kinds) is in the SDK alone: it
needs a second source.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL_UUID = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
"""Written to; answers by indication."""

_MAX_BYTES = 512  # the longest attribute value in ATT
_ANSWER = 0xF0
_STOPPED = 0x01
_FEATURES = 0x0F
_CODE_AT = 3
_PARAMETERS_AT = 5


class PmdOperation(IntEnum):
    """What is asked for."""

    SETTINGS = 1
    START = 2
    STOP = 3


class PmdMeasurement(IntEnum):
    """What is measured; an H10 has these two."""

    ECG = 0
    ACCELERATION = 2


class PmdSetting(IntEnum):
    """How it is measured."""

    RATE_HZ = 0
    RESOLUTION_BITS = 1
    RANGE_G = 2
    RANGE_MILLIUNIT = 3
    """No device uses it any more (polar-ble-sdk, issue 691)."""
    CHANNELS = 4
    FACTOR = 5
    """Of what each step of a compressed frame is; answered by a start, never asked for."""


class PmdCode(IntEnum):
    """How a request ended."""

    SUCCESS = 0
    INVALID_OPERATION = 1
    INVALID_MEASUREMENT = 2
    NOT_SUPPORTED = 3
    INVALID_LENGTH = 4
    INVALID_PARAMETER = 5
    ALREADY_IN_STATE = 6
    INVALID_RESOLUTION = 7
    INVALID_RATE = 8
    INVALID_RANGE = 9
    INVALID_MTU = 10
    INVALID_CHANNELS = 11
    INVALID_STATE = 12
    IN_CHARGER = 13
    DISK_FULL = 14
    """From here on only the SDK knows; a measurement that is streamed is never answered so."""


_VALUE_BYTES: Mapping[PmdSetting, int] = {
    PmdSetting.RATE_HZ: 2,
    PmdSetting.RESOLUTION_BITS: 2,
    PmdSetting.RANGE_G: 2,
    PmdSetting.RANGE_MILLIUNIT: 4,
    PmdSetting.CHANNELS: 1,
    PmdSetting.FACTOR: 4,
}


@dataclass(frozen=True, slots=True)
class PmdAnswer:
    """To one request; `operation` and `code` may be numbers that nobody knows."""

    operation: int
    measurement: int
    code: int
    more: bool
    """A further answer to the same request follows, whose parameters are joined to these."""
    parameters: bytes


@dataclass(frozen=True, slots=True)
class PmdStopped:
    """The device ended these measurements by itself."""

    measurements: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PmdSettings:
    """What can be chosen, or was: values of each setting, as they came."""

    values: Mapping[PmdSetting, tuple[int, ...]] = field(default_factory=dict)
    factor: Fraction = Fraction(1)
    """Exactly the 32-bit float that was sent."""


def encode_pmd_settings_request(measurement: PmdMeasurement) -> bytes:
    """Which settings there are."""
    return bytes([PmdOperation.SETTINGS, measurement])


def encode_pmd_start(measurement: PmdMeasurement, chosen: Mapping[PmdSetting, int]) -> bytes:
    """Start it; an H10 refuses where a setting that it offers is left out (polar-ble-sdk, issue 124).

    Raises:
        ValueError: a value does not fit its setting, or is no whole number of it.
    """
    request = bytes([PmdOperation.START, measurement])
    for setting, value in sorted(chosen.items()):
        if setting is PmdSetting.FACTOR:
            raise ValueError("a factor is answered, not asked for")
        try:
            request += bytes([setting, 1]) + value.to_bytes(_VALUE_BYTES[setting], "little")
        except OverflowError:
            raise ValueError(f"{setting.name} {value} does not fit {_VALUE_BYTES[setting]} bytes") from None
    return request


def encode_pmd_stop(measurement: PmdMeasurement) -> bytes:
    """Stop it."""
    return bytes([PmdOperation.STOP, measurement])


def decode_pmd_control(frame: bytes) -> PmdAnswer | PmdStopped:
    """Decode one indication of the control point.

    Raises:
        DecodeError: it is short, or neither an answer nor the word that a measurement has stopped.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no byte")
    if frame[0] == _STOPPED:
        return PmdStopped(tuple(frame[1:]))
    if frame[0] != _ANSWER:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"0x{frame[0]:02X} begins no answer")
    if len(frame) <= _CODE_AT:
        raise DecodeError(DecodeReason.SHORT, f"an answer has 4 bytes at least, got {len(frame)}")
    operation, measurement, code = frame[1 : _CODE_AT + 1]
    if code != PmdCode.SUCCESS:  # an H10 sends one more byte, or none; neither means anything
        return PmdAnswer(operation, measurement, code, more=False, parameters=b"")
    more = len(frame) > _CODE_AT + 1 and frame[_CODE_AT + 1] != 0
    return PmdAnswer(operation, measurement, code, more=more, parameters=frame[_PARAMETERS_AT:])


def decode_pmd_settings(parameters: bytes) -> PmdSettings:
    """Decode the parameters of an answer; a single byte is the reserved one of a start.

    Raises:
        DecodeError: a setting is cut, unknown, named twice, or its factor is no number.
    """
    if len(parameters) > _MAX_BYTES * 4:  # answers are joined; no device has so many settings
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(parameters)} bytes of settings")
    values: dict[PmdSetting, tuple[int, ...]] = {}
    factor = Fraction(1)
    at = 0 if len(parameters) > 1 else len(parameters)
    while at < len(parameters):
        if len(parameters) < at + 2:
            raise DecodeError(DecodeReason.SHORT, "a setting without its count")
        number, count = parameters[at], parameters[at + 1]
        if number not in PmdSetting._value2member_map_:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"setting {number}")
        setting = PmdSetting(number)
        if setting in values:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"{setting.name} comes twice")
        size = _VALUE_BYTES[setting]
        at += 2
        field_bytes = parameters[at : at + count * size]
        if len(field_bytes) < count * size:
            raise DecodeError(DecodeReason.SHORT, f"{setting.name} has {len(field_bytes)} of {count * size} bytes")
        values[setting] = tuple(
            int.from_bytes(field_bytes[start : start + size], "little") for start in range(0, count * size, size)
        )
        if setting is PmdSetting.FACTOR and count:
            factor = _factor(field_bytes[:size])
        at += count * size
    return PmdSettings(values, factor)


def decode_pmd_features(value: bytes) -> frozenset[int]:
    """Decode what reading the control point gives: the kinds of measurement that the device has.

    Raises:
        DecodeError: it is short, or no such value.
    """
    if len(value) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(value)} bytes")
    if len(value) < 2:
        raise DecodeError(DecodeReason.SHORT, f"{len(value)} bytes")
    if value[0] != _FEATURES:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"0x{value[0]:02X} begins no list of features")
    bits = int.from_bytes(value[1:], "little")
    return frozenset(number for number in range(bits.bit_length()) if bits >> number & 1)


def _factor(four: bytes) -> Fraction:
    number: float
    (number,) = struct.unpack("<f", four)
    try:
        factor = Fraction(number)
    except (ValueError, OverflowError):
        raise DecodeError(DecodeReason.NOT_A_NUMBER, f"factor {four.hex()}") from None
    if factor <= 0:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"factor {number}")
    return factor
