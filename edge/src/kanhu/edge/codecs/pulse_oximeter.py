"""Decode the Bluetooth SIG PLX Spot-Check, Continuous and Features (0x2A5E, 0x2A5F, 0x2A60).

Field order and flags follow the Pulse Oximeter Service specification. Spot-check: flags, saturation, pulse, [time],
[measurement status], [sensor status], [amplitude]. Continuous: [fast pair], [slow pair] in place of the time.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import IntFlag

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.codecs.date_time_fields import DATE_TIME_BYTES, DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.sfloat import decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00001822-0000-1000-8000-00805f9b34fb"
SPOT_CHECK_UUID = "00002a5e-0000-1000-8000-00805f9b34fb"
CONTINUOUS_UUID = "00002a5f-0000-1000-8000-00805f9b34fb"
FEATURES_UUID = "00002a60-0000-1000-8000-00805f9b34fb"

_SPOT_HAS_TIME = 0x01
_SPOT_HAS_MEASUREMENT = 0x02
_SPOT_HAS_SENSOR = 0x04
_SPOT_HAS_AMPLITUDE = 0x08
_SPOT_CLOCK_UNSET = 0x10
_LIVE_HAS_FAST = 0x01
_LIVE_HAS_SLOW = 0x02
_LIVE_HAS_MEASUREMENT = 0x04
_LIVE_HAS_SENSOR = 0x08
_LIVE_HAS_AMPLITUDE = 0x10

_MAX_BYTES = 512  # the longest attribute value in ATT


class PlxMeasurementStatus(IntFlag):
    """What kind of result this is."""

    ONGOING = 1 << 5
    EARLY_ESTIMATE = 1 << 6
    VALIDATED = 1 << 7
    FULLY_QUALIFIED = 1 << 8
    FROM_STORAGE = 1 << 9
    DEMONSTRATION = 1 << 10
    TESTING = 1 << 11
    CALIBRATION = 1 << 12
    UNAVAILABLE = 1 << 13
    QUESTIONABLE = 1 << 14
    INVALID = 1 << 15


class PlxSensorStatus(IntFlag):
    """What the oximeter says of itself and its sensor."""

    EXTENDED_DISPLAY = 1 << 0
    EQUIPMENT_MALFUNCTION = 1 << 1
    PROCESSING_IRREGULARITY = 1 << 2
    INADEQUATE_SIGNAL = 1 << 3
    POOR_SIGNAL = 1 << 4
    LOW_PERFUSION = 1 << 5
    ERRATIC_SIGNAL = 1 << 6
    NON_PULSATILE_SIGNAL = 1 << 7
    QUESTIONABLE_PULSE = 1 << 8
    ANALYSIS_ONGOING = 1 << 9
    INTERFERENCE = 1 << 10
    NO_FINGER = 1 << 11
    UNKNOWN_SENSOR = 1 << 12
    SENSOR_DISPLACED = 1 << 13
    SENSOR_MALFUNCTION = 1 << 14
    SENSOR_DISCONNECTED = 1 << 15


class PlxFeatures(IntFlag):
    """What this oximeter can send."""

    MEASUREMENT_STATUS = 1 << 0
    SENSOR_STATUS = 1 << 1
    STORAGE = 1 << 2
    TIME = 1 << 3
    FAST = 1 << 4
    SLOW = 1 << 5
    AMPLITUDE = 1 << 6
    SEVERAL_BONDS = 1 << 7


# Nothing measured on a person, or nothing to be believed.
_NO_RESULT = (
    PlxMeasurementStatus.DEMONSTRATION
    | PlxMeasurementStatus.TESTING
    | PlxMeasurementStatus.CALIBRATION
    | PlxMeasurementStatus.UNAVAILABLE
    | PlxMeasurementStatus.INVALID
)
_NO_SENSOR = PlxSensorStatus.EQUIPMENT_MALFUNCTION | PlxSensorStatus.UNKNOWN_SENSOR | PlxSensorStatus.SENSOR_MALFUNCTION
# Oximeters keep showing the last value for some seconds after the finger has left.
_NO_TOUCH = PlxSensorStatus.NO_FINGER | PlxSensorStatus.SENSOR_DISCONNECTED
_DOUBTS = (
    (
        QualityReason.WEAK_SIGNAL,
        PlxSensorStatus.INADEQUATE_SIGNAL
        | PlxSensorStatus.POOR_SIGNAL
        | PlxSensorStatus.NON_PULSATILE_SIGNAL
        | PlxSensorStatus.INTERFERENCE,
    ),
    (QualityReason.LOW_PERFUSION, PlxSensorStatus.LOW_PERFUSION),
    (
        QualityReason.UNSTABLE,
        PlxSensorStatus.PROCESSING_IRREGULARITY | PlxSensorStatus.ERRATIC_SIGNAL | PlxSensorStatus.QUESTIONABLE_PULSE,
    ),
    (QualityReason.SEARCHING, PlxSensorStatus.ANALYSIS_ONGOING),
    (QualityReason.POSITION, PlxSensorStatus.SENSOR_DISPLACED),
)


@dataclass(frozen=True, slots=True)
class PlxPair:
    """Saturation and pulse as one filter of the oximeter sees them; None is no number."""

    spo2_percent: Decimal | None
    pulse_bpm: Decimal | None


@dataclass(frozen=True, slots=True)
class Plx:
    """One spot-check or one continuous result; None is not sent."""

    normal: PlxPair
    fast: PlxPair | None
    slow: PlxPair | None
    sent_at: DateTimeFields | None  # the oximeter's own clock; it has no zone
    clock_unset: bool  # the oximeter says so, or a time was sent that none in use can mean
    measurement: PlxMeasurementStatus | None
    sensor: PlxSensorStatus | None
    amplitude_percent: Decimal | None  # pulse amplitude index; None also where it is no number


def decode_plx_spot_check(frame: bytes) -> Plx:
    """Decode one 0x2A5E frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or a number is a reserved one.
    """
    flags = _flags(frame)
    normal = _pair(frame, 1)
    at = 5
    sent_at: DateTimeFields | None = None
    if flags & _SPOT_HAS_TIME:
        sent_at = date_time_fields_as_sent(frame, at)
        at += DATE_TIME_BYTES
    measurement: PlxMeasurementStatus | None = None
    if flags & _SPOT_HAS_MEASUREMENT:
        measurement = PlxMeasurementStatus(_number(frame, at, 2))
        at += 2
    sensor: PlxSensorStatus | None = None
    if flags & _SPOT_HAS_SENSOR:
        sensor = PlxSensorStatus(_number(frame, at, 3))
        at += 3
    amplitude = decode_sfloat_or_absent(frame, at, field="amplitude") if flags & _SPOT_HAS_AMPLITUDE else None
    unset = bool(flags & _SPOT_CLOCK_UNSET) or (sent_at is not None and sent_at.clock_unset)
    return Plx(normal, None, None, sent_at, unset, measurement, sensor, amplitude)


def decode_plx_continuous(frame: bytes) -> Plx:
    """Decode one 0x2A5F frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or a number is a reserved one.
    """
    flags = _flags(frame)
    normal = _pair(frame, 1)
    at = 5
    fast: PlxPair | None = None
    if flags & _LIVE_HAS_FAST:
        fast = _pair(frame, at)
        at += 4
    slow: PlxPair | None = None
    if flags & _LIVE_HAS_SLOW:
        slow = _pair(frame, at)
        at += 4
    measurement: PlxMeasurementStatus | None = None
    if flags & _LIVE_HAS_MEASUREMENT:
        measurement = PlxMeasurementStatus(_number(frame, at, 2))
        at += 2
    sensor: PlxSensorStatus | None = None
    if flags & _LIVE_HAS_SENSOR:
        sensor = PlxSensorStatus(_number(frame, at, 3))
        at += 3
    amplitude = decode_sfloat_or_absent(frame, at, field="amplitude") if flags & _LIVE_HAS_AMPLITUDE else None
    return Plx(normal, fast, slow, None, False, measurement, sensor, amplitude)


def decode_plx_features(frame: bytes) -> PlxFeatures:
    """Decode the 0x2A60 value; the status masks that may follow it are left unread.

    Raises:
        DecodeError: it is shorter than two bytes, or longer than any can be.
    """
    _flags(frame)
    return PlxFeatures(_number(frame, 0, 2))


def observe_plx(record: Plx, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading of the normal filter; values between two steps of the metric are rounded to even.

    Raises:
        DecodeError: demonstration, test, calibration, invalid, no finger, a broken sensor, or no saturation.
    """
    measurement = record.measurement or PlxMeasurementStatus(0)
    sensor = record.sensor or PlxSensorStatus(0)
    if measurement & _NO_RESULT:
        raise DecodeError(DecodeReason.NO_VALUE, f"the oximeter reports {(measurement & _NO_RESULT).name}")
    if sensor & _NO_TOUCH:
        raise DecodeError(DecodeReason.NO_CONTACT, f"the oximeter reports {(sensor & _NO_TOUCH).name}")
    if sensor & _NO_SENSOR:
        raise DecodeError(DecodeReason.NO_VALUE, f"the oximeter reports {(sensor & _NO_SENSOR).name}")
    if not record.normal.spo2_percent:
        raise DecodeError(DecodeReason.NO_VALUE, "no saturation")
    parts = [_part("spo2", record.normal.spo2_percent)]
    if record.normal.pulse_bpm:
        parts.append(_part("pulse_oximeter", record.normal.pulse_bpm))
    if record.amplitude_percent is not None:
        parts.append(_part("perfusion", record.amplitude_percent))
    reasons = tuple(reason for reason, bits in _DOUBTS if sensor & bits)
    if measurement & PlxMeasurementStatus.EARLY_ESTIMATE and QualityReason.UNSTABLE not in reasons:
        reasons += (QualityReason.UNSTABLE,)
    doubtful = bool(reasons) or bool(measurement & PlxMeasurementStatus.QUESTIONABLE)  # which has no named reason
    stored_without_time = bool(measurement & PlxMeasurementStatus.FROM_STORAGE) and record.sent_at is None
    if record.clock_unset or stored_without_time:  # a wrong clock says nothing about the blood
        reasons += (QualityReason.DEVICE_CLOCK_UNSET,)
    return Observation(
        metric="oximetry",
        parts=tuple(parts),
        subject=subject,
        device=device,
        times=replace(times, device_ms=record.sent_at.local_ms if record.sent_at else None),
        quality=Quality(QualityLevel.QUESTIONABLE if doubtful else QualityLevel.OK, reasons),
    )


def _flags(frame: bytes) -> int:
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    return _number(frame, 0, 1)


def _pair(frame: bytes, at: int) -> PlxPair:
    spo2 = decode_sfloat_or_absent(frame, at, field="saturation")
    return PlxPair(spo2, decode_sfloat_or_absent(frame, at + 2, field="pulse"))


def _number(frame: bytes, at: int, count: int) -> int:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"frame {frame[:1].hex()} needs {at + count} bytes, got {len(frame)}")
    return int.from_bytes(frame[at : at + count], "little")


def _part(code: str, value: Decimal) -> Part:
    steps = (value * metric(code).steps_per_unit).to_integral_value(ROUND_HALF_EVEN)
    return Part(code, (int(steps),))
