"""Decode the Bluetooth SIG Weight Measurement and Weight Scale Feature (0x2A9D, 0x2A9E).

Field order and flags follow the Weight Scale Service specification: flags, weight, [time], [user], [body mass index,
height]. Weights come in 0.005 kg or 0.01 lb, heights in mm or 0.1 in; all leave here metric, exactly.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.codecs.date_time_fields import DATE_TIME_BYTES, DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000181d-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a9d-0000-1000-8000-00805f9b34fb"
FEATURE_UUID = "00002a9e-0000-1000-8000-00805f9b34fb"

KG_IN_ONE_LB = Decimal("0.45359237")  # international pound, exact
M_IN_ONE_INCH = Decimal("0.0254")  # international inch, exact
UNSUCCESSFUL = 0xFFFF
UNKNOWN_USER = 0xFF

_IMPERIAL = 0x01
_HAS_TIME = 0x02
_HAS_USER = 0x04
_HAS_INDEX_AND_HEIGHT = 0x08

_FEATURE_BYTES = 4
_MAX_BYTES = 512  # the longest attribute value in ATT


class ScaleUnits(StrEnum):
    """What the scale is switched to."""

    METRIC = "kg"
    IMPERIAL = "lb"


@dataclass(frozen=True, slots=True)
class Weight:
    """One weighing; None is not sent or not measured."""

    weight_kg: Decimal | None  # None: the scale says that it did not succeed
    units: ScaleUnits
    sent_at: DateTimeFields | None  # the scale's own clock; it has no zone
    user: int | None
    bmi: Decimal | None
    height_m: Decimal | None


@dataclass(frozen=True, slots=True)
class WeightFeature:
    """What this scale can do; a resolution is what it shows, never the wire's step."""

    sends_time: bool
    knows_users: bool
    sends_bmi: bool
    weight_resolution: int  # 0 not told, 1 (0.5 kg) to 7 (0.005 kg)
    height_resolution: int  # 0 not told, 1 (0.01 m) to 3 (0.001 m)


def decode_weight(frame: bytes) -> Weight:
    """Decode one 0x2A9D frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or longer than any can be.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    flags = frame[0]
    units = ScaleUnits.IMPERIAL if flags & _IMPERIAL else ScaleUnits.METRIC
    word = _number(frame, 1, 2)
    at = 3
    sent_at: DateTimeFields | None = None
    if flags & _HAS_TIME:
        sent_at = date_time_fields_as_sent(frame, at)
        at += DATE_TIME_BYTES
    user: int | None = None
    if flags & _HAS_USER:
        user = _number(frame, at, 1)
        at += 1
    bmi: Decimal | None = None
    height_m: Decimal | None = None
    if flags & _HAS_INDEX_AND_HEIGHT:
        bmi = Decimal(_number(frame, at, 2)).scaleb(-1)
        height_m = height_of(_number(frame, at + 2, 2), units)
    return Weight(
        weight_kg=None if word == UNSUCCESSFUL else mass_of(word, units),
        units=units,
        sent_at=sent_at,
        user=None if user == UNKNOWN_USER else user,
        bmi=bmi,
        height_m=height_m,
    )


def decode_weight_feature(frame: bytes) -> WeightFeature:
    """Decode the 0x2A9E value.

    Raises:
        DecodeError: it has not four bytes.
    """
    check_length(frame, _FEATURE_BYTES)
    word = int.from_bytes(frame, "little")
    return WeightFeature(
        sends_time=bool(word & 0x01),
        knows_users=bool(word & 0x02),
        sends_bmi=bool(word & 0x04),
        weight_resolution=word >> 3 & 0x0F,
        height_resolution=word >> 7 & 0x07,
    )


def observe_weight(record: Weight, *, subject: Subject, device: str, times: Times) -> Observation:
    """One weighing, rounded to a gram.

    Raises:
        DecodeError: the scale did not succeed, or nobody stood on it.
    """
    if not record.weight_kg:
        raise DecodeError(DecodeReason.NO_VALUE, "the scale has no weight")
    return scale_observation(
        "weight", record.weight_kg, sent_at=record.sent_at, subject=subject, device=device, times=times
    )


def scale_observation(
    code: str, value: Decimal, *, sent_at: DateTimeFields | None, subject: Subject, device: str, times: Times
) -> Observation:
    """One value of a scale; between two steps of the metric it is rounded to even."""
    steps = (value * metric(code).steps_per_unit).to_integral_value(ROUND_HALF_EVEN)
    clock_unset = sent_at is not None and sent_at.clock_unset
    return Observation(
        metric=code,
        parts=(Part(code, (int(steps),)),),
        subject=subject,
        device=device,
        times=replace(times, device_ms=sent_at.local_ms if sent_at else None),
        quality=Quality(QualityLevel.OK, (QualityReason.DEVICE_CLOCK_UNSET,) if clock_unset else ()),
    )


def mass_of(word: int, units: ScaleUnits) -> Decimal:
    """Kilograms of a mass on the wire: 0.005 kg or 0.01 lb a step."""
    if units is ScaleUnits.IMPERIAL:
        return Decimal(word).scaleb(-2) * KG_IN_ONE_LB
    return Decimal(word * 5).scaleb(-3)


def height_of(word: int, units: ScaleUnits) -> Decimal:
    """Metres of a height on the wire: 0.001 m or 0.1 in a step."""
    if units is ScaleUnits.IMPERIAL:
        return Decimal(word).scaleb(-1) * M_IN_ONE_INCH
    return Decimal(word).scaleb(-3)


def _number(frame: bytes, at: int, count: int) -> int:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"flags 0x{frame[0]:02X} need {at + count} bytes, got {len(frame)}")
    return int.from_bytes(frame[at : at + count], "little")
