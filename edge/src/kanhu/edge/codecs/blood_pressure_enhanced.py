"""Decode the Enhanced Blood Pressure Measurement and Intermediate Cuff Pressure (0x2B34, 0x2B35). Experimental.

Blood Pressure Service 1.1: as 0x2A35, but the time counts seconds from an epoch, and a time for the person's eyes may
follow. No published frame was found; the place of that second time, behind the status, has no second source.
"""

from datetime import UTC, datetime
from decimal import Decimal

from kanhu.edge.codecs.blood_pressure import MMHG_IN_ONE_KPA, BloodPressure
from kanhu.edge.codecs.date_time_fields import FIRST_PLAUSIBLE_MS
from kanhu.edge.codecs.sfloat import decode_sfloat, decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

CHARACTERISTIC_UUID = "00002b34-0000-1000-8000-00805f9b34fb"
INTERMEDIATE_UUID = "00002b35-0000-1000-8000-00805f9b34fb"

_IN_KPA = 0x01
_HAS_TIME = 0x02
_HAS_PULSE = 0x04
_HAS_USER = 0x08
_HAS_STATUS = 0x10
_HAS_FACING_TIME = 0x20
_FROM_2000 = 0x40

_UNKNOWN_USER = 0xFF
_MAX_BYTES = 512  # the longest attribute value in ATT
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE_1900_MS = int((datetime(1900, 1, 1, tzinfo=UTC) - _UNIX_EPOCH).total_seconds()) * 1000
_SINCE_2000_MS = int((datetime(2000, 1, 1, tzinfo=UTC) - _UNIX_EPOCH).total_seconds()) * 1000


def decode_enhanced_blood_pressure(frame: bytes) -> BloodPressure:
    """Decode one 0x2B34 frame to the record of 0x2A35; its time is the one the cuff shows, else the one it counts.

    Raises:
        DecodeError: the frame is shorter than its flags say, or systolic or diastolic stands for no number.
    """
    flags = _flags(frame)
    unit = MMHG_IN_ONE_KPA if flags & _IN_KPA else Decimal(1)
    systolic = decode_sfloat(frame, 1, field="systolic") * unit
    diastolic = decode_sfloat(frame, 3, field="diastolic") * unit
    mean = decode_sfloat_or_absent(frame, 5, field="mean pressure")
    at = 7
    seconds: int | None = None
    if flags & _HAS_TIME:
        seconds = _number(frame, at, 4)
        at += 4
    pulse: Decimal | None = None
    if flags & _HAS_PULSE:
        pulse = decode_sfloat_or_absent(frame, at, field="pulse")
        at += 2
    user: int | None = None
    if flags & _HAS_USER:
        user = _number(frame, at, 1)
        at += 1
    status: int | None = None
    if flags & _HAS_STATUS:
        status = _number(frame, at, 2)
        at += 2
    if flags & _HAS_FACING_TIME:
        seconds = _number(frame, at, 4)
    epoch_ms = _SINCE_2000_MS if flags & _FROM_2000 else _SINCE_1900_MS
    measured_at_ms = None if seconds is None else epoch_ms + seconds * 1000
    return BloodPressure(
        systolic_mmhg=systolic,
        diastolic_mmhg=diastolic,
        mean_mmhg=mean * unit if mean else None,  # a cuff that has no mean sends 0 or no number
        pulse_bpm=pulse or None,  # the same
        measured_at_ms=measured_at_ms,
        clock_unset=measured_at_ms is not None and measured_at_ms < FIRST_PLAUSIBLE_MS,
        user=None if user == _UNKNOWN_USER else user,
        status=status,
    )


def decode_enhanced_cuff_pressure(frame: bytes) -> Decimal:
    """Decode the pressure in mmHg of one 0x2B35 frame, sent while the cuff inflates; the rest of it is not read.

    Raises:
        DecodeError: the frame is short, or the pressure stands for no number.
    """
    unit = MMHG_IN_ONE_KPA if _flags(frame) & _IN_KPA else Decimal(1)
    return decode_sfloat(frame, 1, field="cuff pressure") * unit


def _flags(frame: bytes) -> int:
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    return _number(frame, 0, 1)


def _number(frame: bytes, at: int, count: int) -> int:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"frame {frame[:1].hex()} needs {at + count} bytes, got {len(frame)}")
    return int.from_bytes(frame[at : at + count], "little")
