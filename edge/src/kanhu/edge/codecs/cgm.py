"""Decode the Bluetooth SIG Continuous Glucose Monitoring values: measurement 0x2AA7, feature, status, session.

A measurement value holds one or more records: size, flags, glucose in mg/dL, minutes since the session began, [status
octets], [trend], [quality], [E2E-CRC]. Whether there are CRCs is told by the feature word alone.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntFlag

from msgspec.structs import replace

from kanhu.contract import Observation, Quality, QualityLevel, QualityReason, Subject, Times
from kanhu.edge.codecs.crc import CRC_BYTES, E2eCrc, check_e2e_crc
from kanhu.edge.codecs.date_time import DATE_TIME_BYTES, decode_date_time
from kanhu.edge.codecs.glucose import (
    FIRST_PLAUSIBLE_MS,
    MG_PER_DL_IN_ONE_MMOL_PER_L,
    Beyond,
    GlucoseSample,
    SampleSite,
    beyond_of_word,
    decode_sample_and_site,
    glucose_part,
    metric_of,
)
from kanhu.edge.codecs.sfloat import decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000181f-0000-1000-8000-00805f9b34fb"
MEASUREMENT_UUID = "00002aa7-0000-1000-8000-00805f9b34fb"
FEATURE_UUID = "00002aa8-0000-1000-8000-00805f9b34fb"
STATUS_UUID = "00002aa9-0000-1000-8000-00805f9b34fb"
SESSION_START_UUID = "00002aaa-0000-1000-8000-00805f9b34fb"
SESSION_RUN_TIME_UUID = "00002aab-0000-1000-8000-00805f9b34fb"

_HAS_TREND = 0x01
_HAS_QUALITY = 0x02
_HAS_WARNING = 0x20
_HAS_CALIBRATION = 0x40
_HAS_STATUS = 0x80
_LEAST_RECORD_BYTES = 6

_CRC_SUPPORTED = 1 << 12
_MAX_BYTES = 512  # the longest attribute value in ATT
_MS_IN_ONE_MINUTE = 60_000

_ZONE_UNKNOWN = -128
_ZONE_STEP_MIN = 15
_DAYLIGHT_MIN = {0: 0, 2: 30, 4: 60, 8: 120}  # Bluetooth SIG DST Offset; 255 is unknown


class CgmStatus(IntFlag):
    """The sensor's three octets in one number, status lowest; an octet that is not sent has nothing to say."""

    SESSION_STOPPED = 1 << 0
    BATTERY_LOW = 1 << 1
    SENSOR_TYPE = 1 << 2
    SENSOR_MALFUNCTION = 1 << 3
    DEVICE_ALERT = 1 << 4
    GENERAL_FAULT = 1 << 5
    TIME_SYNC_REQUIRED = 1 << 8
    CALIBRATION_NOT_ALLOWED = 1 << 9
    CALIBRATION_RECOMMENDED = 1 << 10
    CALIBRATION_REQUIRED = 1 << 11
    TOO_HOT = 1 << 12
    TOO_COLD = 1 << 13
    BELOW_PATIENT_LOW = 1 << 16
    ABOVE_PATIENT_HIGH = 1 << 17
    BELOW_HYPO = 1 << 18
    ABOVE_HYPER = 1 << 19
    FALLS_FAST = 1 << 20
    RISES_FAST = 1 << 21
    BELOW_RANGE = 1 << 22
    ABOVE_RANGE = 1 << 23


# With any of these the specification calls the result no valid one.
_FAULTS = (
    CgmStatus.SESSION_STOPPED
    | CgmStatus.SENSOR_TYPE
    | CgmStatus.SENSOR_MALFUNCTION
    | CgmStatus.GENERAL_FAULT
    | CgmStatus.TOO_HOT
    | CgmStatus.TOO_COLD
)


@dataclass(frozen=True, slots=True)
class CgmMeasurement:
    """One record; None is not sent or not measured."""

    glucose_mg_per_dl: Decimal | None
    beyond: Beyond | None
    time_offset_min: int  # since the session began
    status: CgmStatus
    trend_mg_per_dl_per_min: Decimal | None
    quality_percent: Decimal | None
    has_crc: bool  # one that is wrong is refused


@dataclass(frozen=True, slots=True)
class CgmFeature:
    """What a monitor can do, and what it measures in."""

    features: int  # bits as the specification numbers them
    crc: E2eCrc
    sample: GlucoseSample | None
    site: SampleSite | None


@dataclass(frozen=True, slots=True)
class CgmSensorStatus:
    """How the sensor is now."""

    time_offset_min: int
    status: CgmStatus
    has_crc: bool  # one that is wrong is refused


@dataclass(frozen=True, slots=True)
class CgmSessionStart:
    """When the session began, by the monitor's clock; None is unknown."""

    local_ms: int | None  # as if local time were UTC
    zone_min: int | None
    daylight_min: int | None


def decode_cgm_measurements(frame: bytes, *, crc: E2eCrc) -> tuple[CgmMeasurement, ...]:
    """Decode all records of one 0x2AA7 value, in the order sent.

    Raises:
        DecodeError: a record is shorter than its size or its flags say, or its CRC is wrong.
    """
    _bound(frame)
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no record")
    records: list[CgmMeasurement] = []
    at = 0
    while at < len(frame):
        size = frame[at]
        if size < _LEAST_RECORD_BYTES:
            raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"a record of {size} bytes")
        if at + size > len(frame):
            raise DecodeError(DecodeReason.SHORT, f"record of {size} bytes at {at}, got {len(frame)}")
        records.append(_record(frame[at : at + size], crc))
        at += size
    return tuple(records)


def decode_cgm_feature(frame: bytes) -> CgmFeature:
    """Decode 0x2AA8; its CRC field is always there, and means something where the feature word says so.

    Raises:
        DecodeError: it is short, or its CRC is wrong.
    """
    _bound(frame)
    if len(frame) < 4 + CRC_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"the feature has 6 bytes, got {len(frame)}")
    features = int.from_bytes(frame[:3], "little")
    crc = E2eCrc.PRESENT if features & _CRC_SUPPORTED else E2eCrc.ABSENT
    check_e2e_crc(frame, 4, crc=crc)
    sample, site = decode_sample_and_site(frame[3])
    return CgmFeature(features, crc, sample, site)


def decode_cgm_status(frame: bytes, *, crc: E2eCrc) -> CgmSensorStatus:
    """Decode 0x2AA9.

    Raises:
        DecodeError: it is short, or its CRC is wrong.
    """
    has_crc = check_e2e_crc(frame, 5, crc=crc)
    status = CgmStatus(int.from_bytes(frame[2:5], "little"))
    return CgmSensorStatus(int.from_bytes(frame[:2], "little"), status, has_crc)


def decode_cgm_session_start(frame: bytes, *, crc: E2eCrc) -> CgmSessionStart:
    """Decode 0x2AAA; a reserved daylight code is unknown, too.

    Raises:
        DecodeError: it is short, or its CRC is wrong.
    """
    check_e2e_crc(frame, DATE_TIME_BYTES + 2, crc=crc)
    zone = int.from_bytes(frame[DATE_TIME_BYTES : DATE_TIME_BYTES + 1], "little", signed=True)
    return CgmSessionStart(
        local_ms=decode_date_time(frame),
        zone_min=None if zone == _ZONE_UNKNOWN else zone * _ZONE_STEP_MIN,
        daylight_min=_DAYLIGHT_MIN.get(frame[DATE_TIME_BYTES + 1]),
    )


def decode_cgm_run_time_h(frame: bytes, *, crc: E2eCrc) -> int:
    """Decode 0x2AAB: hours that a session of this sensor lasts.

    Raises:
        DecodeError: it is short, or its CRC is wrong.
    """
    check_e2e_crc(frame, 2, crc=crc)
    return int.from_bytes(frame[:2], "little")


def observe_cgm(
    record: CgmMeasurement,
    *,
    subject: Subject,
    device: str,
    times: Times,
    sample: GlucoseSample | None,
    session_start_ms: int | None,
) -> Observation:
    """One reading, rounded to a hundredth of mmol/L; sample by the feature, start by the session start, if read.

    A value outside the sensor's range without a number stands at the end of the metric's range.

    Raises:
        DecodeError: a fault, no value, or a sample that no metric is for.
    """
    faults = record.status & _FAULTS
    if faults:
        raise DecodeError(DecodeReason.NO_VALUE, f"the sensor reports {faults.name}")
    code = metric_of(sample)
    told = record.glucose_mg_per_dl
    part, reasons = glucose_part(code, None if told is None else told / MG_PER_DL_IN_ONE_MMOL_PER_L, record.beyond)
    at_ms = None if session_start_ms is None else session_start_ms + record.time_offset_min * _MS_IN_ONE_MINUTE
    if record.status & CgmStatus.TIME_SYNC_REQUIRED or (at_ms is not None and at_ms < FIRST_PLAUSIBLE_MS):
        reasons += (QualityReason.DEVICE_CLOCK_UNSET,)
    return Observation(
        metric=code,
        parts=(part,),
        subject=subject,
        device=device,
        times=replace(times, device_ms=at_ms),
        quality=Quality(QualityLevel.OK, reasons),
    )


def _record(record: bytes, crc: E2eCrc) -> CgmMeasurement:
    flags = record[1]
    octets = [bool(flags & flag) for flag in (_HAS_STATUS, _HAS_CALIBRATION, _HAS_WARNING)]
    fields = _LEAST_RECORD_BYTES + sum(octets) + 2 * (bool(flags & _HAS_TREND) + bool(flags & _HAS_QUALITY))
    if crc is E2eCrc.PRESENT:
        # Fields of later versions stand before the CRC, which is the last of the record.
        fields = max(fields, len(record) - CRC_BYTES)
    has_crc = check_e2e_crc(record, fields, crc=crc)
    at = _LEAST_RECORD_BYTES
    status = 0
    for place, sent in enumerate(octets):
        if sent:
            status |= record[at] << 8 * place
            at += 1
    trend: Decimal | None = None
    if flags & _HAS_TREND:
        trend = decode_sfloat_or_absent(record, at, field="trend")
        at += 2
    quality = decode_sfloat_or_absent(record, at, field="quality") if flags & _HAS_QUALITY else None
    return CgmMeasurement(
        glucose_mg_per_dl=decode_sfloat_or_absent(record, 2, field="glucose"),
        beyond=_beyond(CgmStatus(status)) or beyond_of_word(record[2:4]),
        time_offset_min=int.from_bytes(record[4:6], "little"),
        status=CgmStatus(status),
        trend_mg_per_dl_per_min=trend,
        quality_percent=quality,
        has_crc=has_crc,
    )


def _beyond(status: CgmStatus) -> Beyond | None:
    above, below = bool(status & CgmStatus.ABOVE_RANGE), bool(status & CgmStatus.BELOW_RANGE)
    if above is below:
        return None
    return Beyond.ABOVE if above else Beyond.BELOW


def _bound(frame: bytes) -> None:
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
