"""Decode the Bluetooth SIG Blood Pressure Measurement and Intermediate Cuff Pressure (0x2A35, 0x2A36).

Field order and flags follow the Blood Pressure Service specification: flags, systolic, diastolic, mean, [time],
[pulse], [user], [status]. Pressures come in mmHg or kPa; both leave here as mmHg.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.codecs.date_time_fields import DATE_TIME_BYTES, DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.sfloat import decode_sfloat, decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00001810-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a35-0000-1000-8000-00805f9b34fb"
INTERMEDIATE_UUID = "00002a36-0000-1000-8000-00805f9b34fb"

MMHG_IN_ONE_KPA = Decimal("7.50062")

_IN_KPA = 0x01
_HAS_TIME = 0x02
_HAS_PULSE = 0x04
_HAS_USER = 0x08
_HAS_STATUS = 0x10

_UNKNOWN_USER = 0xFF
_MAX_BYTES = 512  # the longest attribute value in ATT


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the fields behind the time are sent."""

    has_user: bool
    tail_order: str


# Beurer BM85, from two recorded frames: the user id is always there although its flag is not set, and pulse and
# status come big endian. Told apart by its flags, which use a reserved bit, and by its length.
_QUIRKS = {(0x56, 19): _Layout(has_user=True, tail_order="big")}


class PressureUnit(StrEnum):
    """What a number on the wire counts."""

    MMHG = "mmHg"
    KPA = "kPa"


class PulseRange(StrEnum):
    """Where the pulse lay in what this cuff can follow."""

    IN_RANGE = "in range"
    ABOVE = "above upper"
    BELOW = "below lower"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class CuffFrame:
    """The fields of one frame as the cuff sent them, pressures in its own unit; None is not sent or no number."""

    pressures: tuple[Decimal | None, Decimal | None, Decimal | None]  # systolic, diastolic, mean; or cuff, none, none
    unit: PressureUnit
    sent_at: DateTimeFields | None
    pulse_bpm: Decimal | None
    user: int | None
    status: int | None

    @property
    def pulse_range(self) -> PulseRange | None:
        """From the status; None where none was sent."""
        return None if self.status is None else tuple(PulseRange)[self.status >> 3 & 0x03]


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """One cuff measurement; None is not sent or not measured."""

    systolic_mmhg: Decimal
    diastolic_mmhg: Decimal
    mean_mmhg: Decimal | None
    pulse_bpm: Decimal | None
    measured_at_ms: int | None  # the cuff's own clock as if it were UTC; it has no zone
    clock_unset: bool  # a time was sent that no cuff in use can mean
    user: int | None
    status: int | None

    @property
    def body_moved(self) -> bool:
        """The person moved while the cuff measured."""
        return bool((self.status or 0) & 0x01)

    @property
    def cuff_loose(self) -> bool:
        """The cuff sat too loosely."""
        return bool((self.status or 0) & 0x02)

    @property
    def irregular_pulse(self) -> bool:
        """The cuff noticed an irregular pulse."""
        return bool((self.status or 0) & 0x04)

    @property
    def pulse_out_of_range(self) -> bool:
        """The pulse was above or below what this cuff can follow."""
        return (self.status or 0) >> 3 & 0x03 in {1, 2}

    @property
    def improper_position(self) -> bool:
        """The arm was not held as this cuff needs it."""
        return bool((self.status or 0) & 0x20)


def decode_blood_pressure(frame: bytes) -> BloodPressure:
    """Decode one 0x2A35 frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or systolic or diastolic stands for no number.
    """
    flags = _flags(frame)
    unit = MMHG_IN_ONE_KPA if flags & _IN_KPA else Decimal(1)
    systolic = decode_sfloat(frame, 1, field="systolic") * unit
    diastolic = decode_sfloat(frame, 3, field="diastolic") * unit
    sent = decode_cuff_frame(frame)
    mean = sent.pressures[2]
    return BloodPressure(
        systolic_mmhg=systolic,
        diastolic_mmhg=diastolic,
        mean_mmhg=mean * unit if mean else None,  # a cuff that has no mean sends 0 or no number
        pulse_bpm=sent.pulse_bpm or None,  # the same
        measured_at_ms=sent.sent_at.local_ms if sent.sent_at else None,
        clock_unset=sent.sent_at is not None and sent.sent_at.clock_unset,
        user=sent.user,
        status=sent.status,
    )


def decode_cuff_frame(frame: bytes) -> CuffFrame:
    """Decode all fields of one 0x2A35 or 0x2A36 frame, without a word on what a reading needs.

    Raises:
        DecodeError: the frame is shorter than its flags say, or a number is a reserved one.
    """
    flags = _flags(frame)
    first = decode_sfloat_or_absent(frame, 1, field="first pressure")
    second = decode_sfloat_or_absent(frame, 3, field="second pressure")
    third = decode_sfloat_or_absent(frame, 5, field="mean pressure")
    offset = 7
    sent_at: DateTimeFields | None = None
    if flags & _HAS_TIME:
        sent_at = date_time_fields_as_sent(frame, offset)
        offset += DATE_TIME_BYTES
    layout = _QUIRKS.get((flags, len(frame)), _Layout(has_user=bool(flags & _HAS_USER), tail_order="little"))
    pulse: Decimal | None = None
    if flags & _HAS_PULSE:
        word = _bytes(frame, offset, 2)
        pulse = decode_sfloat_or_absent(word if layout.tail_order == "little" else word[::-1], 0, field="pulse")
        offset += 2
    user: int | None = None
    if layout.has_user:
        user = _bytes(frame, offset, 1)[0]
        offset += 1
    status: int | None = None
    if flags & _HAS_STATUS:
        word = _bytes(frame, offset, 2)
        status = int.from_bytes(word if layout.tail_order == "little" else word[::-1], "little")
    return CuffFrame(
        pressures=(first, second, third),
        unit=PressureUnit.KPA if flags & _IN_KPA else PressureUnit.MMHG,
        sent_at=sent_at,
        pulse_bpm=pulse,
        user=None if user == _UNKNOWN_USER else user,
        status=status,
    )


def decode_cuff_pressure(frame: bytes) -> Decimal:
    """Decode the pressure in mmHg of one 0x2A36 frame, sent while the cuff inflates; the rest of it is unused.

    Raises:
        DecodeError: the frame is short, or the pressure stands for no number.
    """
    unit = MMHG_IN_ONE_KPA if _flags(frame) & _IN_KPA else Decimal(1)
    return decode_sfloat(frame, 1, field="cuff pressure") * unit


def observe_blood_pressure(record: BloodPressure, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading; pressures between two steps of the metric are rounded to even."""
    parts = [_part("systolic", record.systolic_mmhg), _part("diastolic", record.diastolic_mmhg)]
    if record.mean_mmhg is not None:
        parts.append(_part("mean_pressure", record.mean_mmhg))
    if record.pulse_bpm is not None:
        parts.append(_part("pulse_cuff", record.pulse_bpm))
    lowering = tuple(
        reason
        for reason, reported in (
            (QualityReason.MOTION, record.body_moved),
            (QualityReason.CUFF_LOOSE, record.cuff_loose),
            (QualityReason.POSITION, record.improper_position),
            (QualityReason.PULSE_OUT_OF_RANGE, record.pulse_out_of_range),
        )
        if reported
    )
    # A wrong clock says nothing about the pressure: arrival time is used, and the reason stays visible.
    unset = (QualityReason.DEVICE_CLOCK_UNSET,) if record.clock_unset else ()
    level = QualityLevel.QUESTIONABLE if lowering else QualityLevel.OK
    return Observation(
        metric="bp",
        parts=tuple(parts),
        subject=subject,
        device=device,
        times=replace(times, device_ms=record.measured_at_ms),
        quality=Quality(level, lowering + unset),
    )


def _flags(frame: bytes) -> int:
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    return frame[0]


def _bytes(frame: bytes, offset: int, count: int) -> bytes:
    if offset + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"flags 0x{frame[0]:02X} need {offset + count} bytes, got {len(frame)}")
    return frame[offset : offset + count]


def _part(code: str, value: Decimal) -> Part:
    steps = (value * metric(code).steps_per_unit).to_integral_value(ROUND_HALF_EVEN)
    return Part(code, (int(steps),))
