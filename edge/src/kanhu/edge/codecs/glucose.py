"""Decode the Bluetooth SIG Glucose Measurement (characteristic 0x2A18).

Field order and flags follow the Glucose Service specification: flags, sequence, base time, [offset in minutes],
[concentration, type and site], [status]. Concentrations stay in the meter's unit, kg/L or mol/L, exactly.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum, IntFlag, StrEnum

from msgspec.structs import replace

from kanhu.contract import (
    Context,
    Meal,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    Times,
    metric,
)
from kanhu.edge.codecs.date_time import DATE_TIME_BYTES, decode_date_time
from kanhu.edge.codecs.sfloat import decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00001808-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a18-0000-1000-8000-00805f9b34fb"

MG_PER_DL_IN_ONE_MMOL_PER_L = Decimal("18.016")  # molar mass of glucose, 180.16 g/mol
_MG_PER_DL_IN_ONE_KG_PER_L = 100_000
_MMOL_IN_ONE_MOL = 1000

_HAS_OFFSET = 0x01
_HAS_CONCENTRATION = 0x02
_IN_MOL_PER_L = 0x04
_HAS_STATUS = 0x08
_CONTEXT_FOLLOWS = 0x10

_POSITIVE_INFINITY, _NEGATIVE_INFINITY = 0x07FE, 0x0802
_MAX_BYTES = 512  # the longest attribute value in ATT
_MS_IN_ONE_MINUTE = 60_000

# Meters fall back to a default year between 2010 and 2020 when their battery is changed.
FIRST_PLAUSIBLE_MS = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()) * 1000


class ConcentrationUnit(StrEnum):
    """What the number on the wire counts."""

    KG_PER_L = "kg/L"
    MOL_PER_L = "mol/L"


class GlucoseSample(Enum):
    """What was measured in."""

    CAPILLARY_WHOLE_BLOOD = 1
    CAPILLARY_PLASMA = 2
    VENOUS_WHOLE_BLOOD = 3
    VENOUS_PLASMA = 4
    ARTERIAL_WHOLE_BLOOD = 5
    ARTERIAL_PLASMA = 6
    UNDETERMINED_WHOLE_BLOOD = 7
    UNDETERMINED_PLASMA = 8
    INTERSTITIAL_FLUID = 9
    CONTROL_SOLUTION = 10


class SampleSite(Enum):
    """Where the sample was taken."""

    FINGER = 1
    ALTERNATE_SITE = 2
    EARLOBE = 3
    CONTROL_SOLUTION = 4
    NOT_AVAILABLE = 15


class GlucoseStatus(IntFlag):
    """What the meter noticed while it measured."""

    BATTERY_LOW = 1 << 0
    MALFUNCTION = 1 << 1
    SAMPLE_TOO_SMALL = 1 << 2
    STRIP_INSERTION = 1 << 3
    STRIP_TYPE = 1 << 4
    ABOVE_RANGE = 1 << 5
    BELOW_RANGE = 1 << 6
    TOO_HOT = 1 << 7
    TOO_COLD = 1 << 8
    READ_INTERRUPTED = 1 << 9
    GENERAL_FAULT = 1 << 10
    TIME_FAULT = 1 << 11


class Beyond(StrEnum):
    """The true value lies outside what the device can measure; it shows HI or LO."""

    ABOVE = "above"
    BELOW = "below"


_BEYOND_REASONS = {Beyond.ABOVE: QualityReason.ABOVE_RANGE, Beyond.BELOW: QualityReason.BELOW_RANGE}

# With any of these the specification calls the result no valid one.
_FAULTS = (
    GlucoseStatus.MALFUNCTION
    | GlucoseStatus.SAMPLE_TOO_SMALL
    | GlucoseStatus.STRIP_INSERTION
    | GlucoseStatus.STRIP_TYPE
    | GlucoseStatus.TOO_HOT
    | GlucoseStatus.TOO_COLD
    | GlucoseStatus.READ_INTERRUPTED
    | GlucoseStatus.GENERAL_FAULT
)

_CONTRADICTION = GlucoseStatus.ABOVE_RANGE | GlucoseStatus.BELOW_RANGE

_SAMPLES = {sample.value: sample for sample in GlucoseSample}
_SITES = {site.value: site for site in SampleSite}
_METRICS = {
    GlucoseSample.CAPILLARY_WHOLE_BLOOD: "glucose_capillary",
    GlucoseSample.CAPILLARY_PLASMA: "glucose_plasma",
    GlucoseSample.INTERSTITIAL_FLUID: "glucose_interstitial",
}


@dataclass(frozen=True, slots=True)
class Glucose:
    """One stored measurement; None is not sent or not measured."""

    sequence: int
    base_time_ms: int | None  # the meter's own clock as if it were UTC; it has no zone
    time_offset_min: int | None  # what the person set the clock by since
    concentration: Decimal | None  # in `unit`
    unit: ConcentrationUnit | None  # None: the meter sent no concentration
    sample: GlucoseSample | None
    site: SampleSite | None
    status: GlucoseStatus | None
    beyond: Beyond | None
    context_follows: bool

    @property
    def measured_at_ms(self) -> int | None:
        """Base time and offset together."""
        if self.base_time_ms is None:
            return None
        return self.base_time_ms + (self.time_offset_min or 0) * _MS_IN_ONE_MINUTE

    @property
    def clock_unset(self) -> bool:
        """The meter doubts its clock, or shows a time that no meter in use can mean."""
        at_ms = self.measured_at_ms
        return at_ms is None or at_ms < FIRST_PLAUSIBLE_MS or bool((self.status or 0) & GlucoseStatus.TIME_FAULT)

    @property
    def is_control(self) -> bool:
        """A test of the meter with control solution, nobody's blood."""
        return self.sample is GlucoseSample.CONTROL_SOLUTION or self.site is SampleSite.CONTROL_SOLUTION

    @property
    def mmol_per_l(self) -> Decimal | None:
        """To 28 digits; 1 mmol/L is 18.016 mg/dL."""
        if self.concentration is None or self.unit is ConcentrationUnit.MOL_PER_L:
            return None if self.concentration is None else self.concentration * _MMOL_IN_ONE_MOL
        return self.concentration * _MG_PER_DL_IN_ONE_KG_PER_L / MG_PER_DL_IN_ONE_MMOL_PER_L


def decode_glucose(frame: bytes) -> Glucose:
    """Decode one 0x2A18 frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or the number is a reserved one.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    flags = frame[0]
    sequence = int.from_bytes(_bytes(frame, 1, 2), "little")
    base_time_ms = decode_date_time(_bytes(frame, 3, DATE_TIME_BYTES))
    at = 3 + DATE_TIME_BYTES
    offset_min: int | None = None
    if flags & _HAS_OFFSET:
        offset_min = int.from_bytes(_bytes(frame, at, 2), "little", signed=True)
        at += 2
    concentration: Decimal | None = None
    unit: ConcentrationUnit | None = None
    beyond: Beyond | None = None
    sample: GlucoseSample | None = None
    site: SampleSite | None = None
    if flags & _HAS_CONCENTRATION:
        unit = ConcentrationUnit.MOL_PER_L if flags & _IN_MOL_PER_L else ConcentrationUnit.KG_PER_L
        beyond = beyond_of_word(_bytes(frame, at, 2))
        concentration = decode_sfloat_or_absent(frame, at, field="concentration")
        sample, site = decode_sample_and_site(_bytes(frame, at + 2, 1)[0])
        at += 3
    status: GlucoseStatus | None = None
    if flags & _HAS_STATUS:
        status = GlucoseStatus(int.from_bytes(_bytes(frame, at, 2), "little"))
        beyond = _beyond_of_status(status) or beyond
    return Glucose(
        sequence=sequence,
        base_time_ms=base_time_ms,
        time_offset_min=offset_min,
        concentration=concentration,
        unit=unit,
        sample=sample,
        site=site,
        status=status,
        beyond=beyond,
        context_follows=bool(flags & _CONTEXT_FOLLOWS),
    )


def observe_glucose(
    record: Glucose, *, subject: Subject, device: str, times: Times, meal: Meal | None = None
) -> Observation:
    """One reading, rounded to a hundredth of mmol/L; HI and LO without a number stand at the end of the metric's range.

    Raises:
        DecodeError: control solution, a fault, no value, or a sample that no metric is for.
    """
    if record.is_control:
        raise DecodeError(DecodeReason.NO_VALUE, "control solution")
    faults = (record.status or GlucoseStatus(0)) & _FAULTS
    if faults:
        raise DecodeError(DecodeReason.NO_VALUE, f"the meter reports {faults.name}")
    if record.status is not None and _CONTRADICTION in record.status:
        raise DecodeError(DecodeReason.NO_VALUE, "the meter says HI and LO at once")
    sample = record.sample
    if record.beyond is not None and record.unit is None:
        sample = GlucoseSample.CAPILLARY_WHOLE_BLOOD  # HI without a word of what: what strips of such meters take
    code = metric_of(sample)
    part, reasons = glucose_part(code, record.mmol_per_l, record.beyond)
    if record.clock_unset:  # a wrong clock says nothing about the blood
        reasons += (QualityReason.DEVICE_CLOCK_UNSET,)
    return Observation(
        metric=code,
        parts=(part,),
        subject=subject,
        device=device,
        times=replace(times, device_ms=record.measured_at_ms),
        quality=Quality(QualityLevel.OK, reasons),
        context=Context(meal=meal),
    )


def beyond_of_word(word: bytes) -> Beyond | None:
    """Whether this SFLOAT is one of the two infinities."""
    value = int.from_bytes(word, "little")
    return {_POSITIVE_INFINITY: Beyond.ABOVE, _NEGATIVE_INFINITY: Beyond.BELOW}.get(value)


def decode_sample_and_site(octet: int) -> tuple[GlucoseSample | None, SampleSite | None]:
    """Low nibble and high nibble; None where reserved, which no metric takes."""
    return _SAMPLES.get(octet & 0x0F), _SITES.get(octet >> 4)


def metric_of(sample: GlucoseSample | None) -> str:
    """The metric for a sample.

    Raises:
        DecodeError: there is none; its numbers must not stand beside those of capillary blood.
    """
    code = _METRICS.get(sample) if sample is not None else None
    if code is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"no metric for {sample.name if sample else 'an unknown sample'}")
    return code


def glucose_part(
    code: str, mmol_per_l: Decimal | None, beyond: Beyond | None
) -> tuple[Part, tuple[QualityReason, ...]]:
    """The value in steps, rounded to even, and why it is only a bound: with HI and LO the truth lies further out.

    Raises:
        DecodeError: there is no value.
    """
    row = metric(code)
    if beyond is Beyond.ABOVE and row.high is not None:
        mmol_per_l = row.high if mmol_per_l is None else min(mmol_per_l, row.high)
    elif beyond is Beyond.BELOW and row.low is not None:
        mmol_per_l = row.low if mmol_per_l is None else max(mmol_per_l, row.low)
    if mmol_per_l is None:
        raise DecodeError(DecodeReason.NO_VALUE, "no concentration")
    steps = (mmol_per_l * row.steps_per_unit).to_integral_value(ROUND_HALF_EVEN)
    return Part(code, (int(steps),)), () if beyond is None else (_BEYOND_REASONS[beyond],)


def _beyond_of_status(status: GlucoseStatus) -> Beyond | None:
    """None where neither bit is set, or both."""
    above, below = bool(status & GlucoseStatus.ABOVE_RANGE), bool(status & GlucoseStatus.BELOW_RANGE)
    if above is below:
        return None
    return Beyond.ABOVE if above else Beyond.BELOW


def _bytes(frame: bytes, at: int, count: int) -> bytes:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"flags 0x{frame[0]:02X} need {at + count} bytes, got {len(frame)}")
    return frame[at : at + count]
