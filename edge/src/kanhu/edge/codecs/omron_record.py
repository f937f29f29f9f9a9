"""Decode one record of the memory of Omron cuffs: 14 bytes, in one of two layouts that the model decides.

By the readings of eigger/hass-omron and obniz. What is not told here (position, the cuff bit, bytes 8 and 9) has no
meaning that two sources agree on.
"""

from dataclasses import dataclass
from enum import Enum

from kanhu.contract import Observation, QualityReason, Subject, Times
from kanhu.edge.codecs.cuff_reading import local_ms, observe_cuff_reading
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.errors import DecodeError, DecodeReason

RECORD_BYTES = 14

_SYSTOLIC_FROM_MMHG = 25
_LARGEST_SYSTOLIC = 0xE1  # above it a slot of the little layout is empty
_FIRST_YEAR = 2000
_LAST_SECOND = 59  # 60 to 63 were seen
_EMPTY = (bytes(RECORD_BYTES), b"\xff" * RECORD_BYTES)


class OmronLayout(Enum):
    """How a model packs its records."""

    LITTLE = "little"
    """Byte aligned: systolic, diastolic, pulse, year, then two words little endian."""
    BIG = "big"
    """One number of 112 bits, highest first: diastolic, systolic, year, pulse, then bits."""


@dataclass(frozen=True, slots=True)
class OmronRecord:
    """One stored measurement."""

    systolic_mmhg: int
    diastolic_mmhg: int
    pulse_bpm: int | None
    measured_at_ms: int | None  # the cuff's own clock as if it were UTC; None where it names no moment
    irregular_pulse: bool
    body_moved: bool
    sequence: int | None  # grows with each record; only the little layout has it


def decode_omron_record(record: bytes, *, layout: OmronLayout) -> OmronRecord:
    """Decode one slot.

    Raises:
        DecodeError: it has not 14 bytes, or NO_VALUE: no measurement is stored there.
    """
    check_length(record, RECORD_BYTES)
    if record in _EMPTY:
        raise DecodeError(DecodeReason.NO_VALUE, "empty slot")
    decoded = _little(record) if layout is OmronLayout.LITTLE else _big(record)
    if not decoded.diastolic_mmhg:
        raise DecodeError(DecodeReason.NO_VALUE, "diastolic 0")
    return decoded


def observe_omron_record(record: OmronRecord, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading; a body that moved makes it questionable."""
    return observe_cuff_reading(
        systolic_mmhg=record.systolic_mmhg,
        diastolic_mmhg=record.diastolic_mmhg,
        pulse_bpm=record.pulse_bpm,
        measured_at_ms=record.measured_at_ms,
        doubts=(QualityReason.MOTION,) if record.body_moved else (),
        subject=subject,
        device=device,
        times=times,
    )


def _little(record: bytes) -> OmronRecord:
    systolic, diastolic, pulse, year = record[:4]
    if systolic > _LARGEST_SYSTOLIC or not any(record[1:8]):  # a slot that was only begun is zero but for the first
        raise DecodeError(DecodeReason.NO_VALUE, "empty slot")
    day_word = int.from_bytes(record[4:6], "little")
    time_word = int.from_bytes(record[6:8], "little")
    return OmronRecord(
        systolic_mmhg=systolic + _SYSTOLIC_FROM_MMHG,
        diastolic_mmhg=diastolic,
        pulse_bpm=pulse or None,
        measured_at_ms=local_ms(
            _FIRST_YEAR + (year & 0x3F),
            day_word >> 10 & 0x0F,
            day_word >> 5 & 0x1F,
            day_word & 0x1F,
            time_word >> 6 & 0x3F,
            min(time_word & 0x3F, _LAST_SECOND),
        ),
        irregular_pulse=bool(day_word & 1 << 14),
        body_moved=bool(day_word & 1 << 15),
        sequence=int.from_bytes(record[10:12], "little"),
    )


def _big(record: bytes) -> OmronRecord:
    diastolic, systolic, year, pulse = record[:4]
    day_word = int.from_bytes(record[4:6], "big")  # bits 32 to 47 of the whole
    time_word = int.from_bytes(record[6:8], "big")  # bits 48 to 63
    return OmronRecord(
        systolic_mmhg=systolic + _SYSTOLIC_FROM_MMHG,
        diastolic_mmhg=diastolic,
        pulse_bpm=pulse or None,
        measured_at_ms=local_ms(
            _FIRST_YEAR + year,
            day_word >> 10 & 0x0F,
            day_word >> 5 & 0x1F,
            day_word & 0x1F,
            time_word >> 6 & 0x3F,
            min(time_word & 0x3F, _LAST_SECOND),
        ),
        irregular_pulse=bool(day_word & 1 << 14),
        body_moved=bool(day_word & 1 << 15),
        sequence=None,
    )
