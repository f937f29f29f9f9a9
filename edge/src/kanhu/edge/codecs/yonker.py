"""Decode the result of Yonker cuffs: 15 bytes over a private Bluetooth service, by one recorded frame.

0x81, systolic, diastolic, pulse, two bytes unknown, then day, month, year since 2000, hour, minute; the rest unknown.
"""

from dataclasses import dataclass

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.cuff_reading import local_ms, observe_cuff_reading
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.errors import DecodeError, DecodeReason

RESULT_BYTES = 15
_RESULT = 0x81
_FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True)
class YonkerResult:
    """One measurement."""

    systolic_mmhg: int
    diastolic_mmhg: int
    pulse_bpm: int | None
    measured_at_ms: int | None  # the cuff's own clock as if it were UTC, to the minute; None where it names no moment


def decode_yonker(frame: bytes) -> YonkerResult:
    """Decode one notification.

    Raises:
        DecodeError: it has not 15 bytes, is no result, or has no pressure.
    """
    check_length(frame, RESULT_BYTES)
    if frame[0] != _RESULT:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"0x{frame[0]:02X} begins no result")
    systolic, diastolic, pulse = frame[1:4]
    if not systolic or not diastolic:
        raise DecodeError(DecodeReason.NO_VALUE, f"pressures {systolic} and {diastolic}")
    day, month, year, hour, minute = frame[6:11]
    return YonkerResult(systolic, diastolic, pulse or None, local_ms(_FIRST_YEAR + year, month, day, hour, minute))


def observe_yonker(record: YonkerResult, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading."""
    return observe_cuff_reading(
        systolic_mmhg=record.systolic_mmhg,
        diastolic_mmhg=record.diastolic_mmhg,
        pulse_bpm=record.pulse_bpm,
        measured_at_ms=record.measured_at_ms,
        doubts=(),
        subject=subject,
        device=device,
        times=times,
    )
