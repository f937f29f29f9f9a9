"""Glucose Measurement: published frames, own frames, HI and LO, control solution, and numbers that are none."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Meal, Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.glucose import (
    Beyond,
    ConcentrationUnit,
    Glucose,
    GlucoseSample,
    GlucoseStatus,
    SampleSite,
    decode_glucose,
    observe_glucose,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.glucose import (
    GlucoseUnit,
    MeterResult,
    MeterStatus,
    SampleLocation,
    SampleType,
    glucose_measurement,
)
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000

results = st.builds(
    MeterResult,
    sequence=st.integers(0, 0xFFFF),
    base_time=st.just(_AT),
    offset_min=st.none() | st.integers(-0x8000, 0x7FFF),
    concentration=st.none() | st.integers(0, 2045).map(lambda raw: Decimal(raw).scaleb(-5)),
    unit=st.sampled_from(GlucoseUnit),
    sample_type=st.sampled_from(SampleType),
    location=st.sampled_from(SampleLocation),
    status=st.none() | st.integers(0, 0x0FFF).map(MeterStatus),
    context_follows=st.booleans(),
)


def measured(
    value: str | SfloatSpecial | None,
    *,
    unit: GlucoseUnit = GlucoseUnit.MOL_PER_L,
    sample: SampleType = SampleType.CAPILLARY_WHOLE_BLOOD,
    location: SampleLocation = SampleLocation.FINGER,
    status: MeterStatus | None = None,
    at: datetime = _AT,
) -> Glucose:
    concentration = Decimal(value) if isinstance(value, str) else value
    result = MeterResult(
        1, at, concentration=concentration, unit=unit, sample_type=sample, location=location, status=status
    )
    return decode_glucose(glucose_measurement(result))


def observed(record: Glucose, *, meal: Meal | None = None) -> Observation:
    return observe_glucose(record, subject=RESIDENT, device="meter", times=TIMES, meal=meal)


@pytest.mark.parametrize("vector", vectors("glucose"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    expected = vector.expected
    record = decode_glucose(vector.frame)
    assert record.sequence == expected["sequence"]
    assert record.base_time_ms == int(datetime(**expected["base_time"], tzinfo=UTC).timestamp()) * 1000
    assert record.time_offset_min == expected["time_offset_min"]
    assert record.concentration == expected["concentration"]
    assert record.unit == expected["unit"]
    assert record.sample is not None
    assert record.sample.name.lower().replace("_", " ") == expected["type"]
    assert record.site is not None
    assert record.site.name.lower() == expected["location"]
    assert record.status == expected["status_raw"]
    assert record.context_follows == expected["context_follows"]


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        observed(decode_glucose(frame))


@given(results, st.integers(0, 200), st.integers(0, 7))
def test_a_spoiled_frame_decodes_or_is_refused(result: MeterResult, place: int, bit: int) -> None:
    frame = bytearray(glucose_measurement(result))
    frame[place % len(frame)] ^= 1 << bit
    with suppress(DecodeError):
        observed(decode_glucose(bytes(frame)))


@given(results, st.binary(max_size=3))
def test_a_simulated_meter_is_read_back_exactly(result: MeterResult, padding: bytes) -> None:
    frame = glucose_measurement(result)
    record = decode_glucose(frame + padding)
    sent = result.concentration is not None
    assert record.sequence == result.sequence
    assert record.base_time_ms == _AT_MS
    assert record.time_offset_min == result.offset_min
    assert record.measured_at_ms == _AT_MS + (result.offset_min or 0) * 60_000
    assert record.concentration == result.concentration
    assert record.unit == (result.unit.value if sent else None)
    assert (record.sample.value if record.sample else None) == (result.sample_type if sent else None)
    assert (record.site.value if record.site else None) == (result.location if sent else None)
    assert record.status == (None if result.status is None else int(result.status))
    assert record.context_follows == result.context_follows
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_glucose(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


def test_a_frame_by_the_specification() -> None:
    # flags: concentration, mol/L; 5.6 mmol/L is mantissa 56, exponent -4
    record = decode_glucose(bytes.fromhex("06 0500 ea07 0b 16 08 1e 0f 38c0 11"))
    assert record == Glucose(
        sequence=5,
        base_time_ms=_AT_MS,
        time_offset_min=None,
        concentration=Decimal("0.0056"),
        unit=ConcentrationUnit.MOL_PER_L,
        sample=GlucoseSample.CAPILLARY_WHOLE_BLOOD,
        site=SampleSite.FINGER,
        status=None,
        beyond=None,
        context_follows=False,
    )
    observation = observed(record, meal=Meal.FASTING)
    assert observation.metric == "glucose_capillary"
    assert observation.value("glucose_capillary") == Decimal("5.6")
    assert observation.quality.level is QualityLevel.OK
    assert observation.quality.reasons == ()
    assert observation.context.meal is Meal.FASTING
    assert observation.times.device_ms == _AT_MS
    assert observation.times.arrival_ms == TIMES.arrival_ms


@pytest.mark.parametrize(
    ("kg_per_l", "mmol_per_l"), [("0.00100", "5.55"), ("0.00070", "3.89"), ("0.00180", "9.99"), ("0.00054", "3.00")]
)
def test_a_mass_is_converted_by_18_016(kg_per_l: str, mmol_per_l: str) -> None:
    record = measured(kg_per_l, unit=GlucoseUnit.KG_PER_L)
    assert record.unit is ConcentrationUnit.KG_PER_L
    assert observed(record).value("glucose_capillary") == Decimal(mmol_per_l)


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (SampleType.CAPILLARY_WHOLE_BLOOD, "glucose_capillary"),
        (SampleType.CAPILLARY_PLASMA, "glucose_plasma"),
        (SampleType.INTERSTITIAL_FLUID, "glucose_interstitial"),
    ],
)
def test_each_sample_has_its_own_metric(sample: SampleType, code: str) -> None:
    assert observed(measured("0.0061", sample=sample)).metric == code


@pytest.mark.parametrize("sample", [SampleType(value) for value in range(3, 9)])
def test_a_sample_without_metric_is_decoded_and_not_observed(sample: SampleType) -> None:
    record = measured("0.0061", sample=sample)
    assert record.mmol_per_l == Decimal("6.1")
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    ("sample", "location"),
    [
        (SampleType.CONTROL_SOLUTION, SampleLocation.FINGER),
        (SampleType.CAPILLARY_WHOLE_BLOOD, SampleLocation.CONTROL_SOLUTION),
    ],
)
def test_control_solution_is_nobodys_glucose(sample: SampleType, location: SampleLocation) -> None:
    record = measured("0.0061", sample=sample, location=location)
    assert record.is_control
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


_ENDS = {
    Beyond.ABOVE: ("33.3", QualityReason.ABOVE_RANGE),
    Beyond.BELOW: ("0.6", QualityReason.BELOW_RANGE),
}


@pytest.mark.parametrize(
    ("value", "status", "beyond"),
    [
        (SfloatSpecial.NOT_A_NUMBER, MeterStatus.RESULT_TOO_HIGH, Beyond.ABOVE),
        (SfloatSpecial.NOT_A_NUMBER, MeterStatus.RESULT_TOO_LOW, Beyond.BELOW),
        (SfloatSpecial.NOT_AT_THIS_RESOLUTION, MeterStatus.RESULT_TOO_LOW, Beyond.BELOW),
        (SfloatSpecial.POSITIVE_INFINITY, None, Beyond.ABOVE),
        (SfloatSpecial.NEGATIVE_INFINITY, None, Beyond.BELOW),
        (SfloatSpecial.POSITIVE_INFINITY, MeterStatus.BATTERY_LOW, Beyond.ABOVE),
        (None, MeterStatus.RESULT_TOO_HIGH, Beyond.ABOVE),
    ],
)
def test_hi_and_lo_without_a_number_are_a_reading_at_the_end_of_the_range(
    value: SfloatSpecial | None, status: MeterStatus | None, beyond: Beyond
) -> None:
    record = measured(value, status=status)
    assert record.beyond is beyond
    assert record.concentration is None
    observation = observed(record)
    bound, reason = _ENDS[beyond]
    assert observation.value("glucose_capillary") == Decimal(bound)
    assert (observation.quality.level, observation.quality.reasons) == (QualityLevel.OK, (reason,))


def test_hi_with_the_meters_limit_keeps_the_limit_and_says_so() -> None:
    record = measured("0.0333", status=MeterStatus.RESULT_TOO_HIGH)
    assert record.beyond is Beyond.ABOVE
    observation = observed(record)
    assert observation.value("glucose_capillary") == Decimal("33.3")
    assert observation.quality.level is QualityLevel.OK
    assert observation.quality.reasons == (QualityReason.ABOVE_RANGE,)


def test_hi_and_lo_at_once_is_no_value() -> None:
    record = measured("0.0061", status=MeterStatus.RESULT_TOO_HIGH | MeterStatus.RESULT_TOO_LOW)
    assert record.beyond is None
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("bit", [1, 2, 3, 4, 7, 8, 9, 10])
def test_a_result_that_the_meter_calls_faulty_is_none(bit: int) -> None:
    record = measured("0.0061", status=MeterStatus(1 << bit))
    assert record.status == GlucoseStatus(1 << bit)
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_low_battery_is_no_doubt() -> None:
    assert observed(measured("0.0061", status=MeterStatus.BATTERY_LOW)).quality.reasons == ()


@pytest.mark.parametrize(
    ("at", "status"),
    [(datetime(2015, 1, 1, tzinfo=UTC), None), (_AT, MeterStatus.TIME_FAULT)],
)
def test_an_unset_clock_is_named_and_lowers_nothing(at: datetime, status: MeterStatus | None) -> None:
    observation = observed(measured("0.0061", status=status, at=at))
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


def test_a_clock_without_year_has_no_time() -> None:
    record = decode_glucose(bytes.fromhex("07 0500 0000 0b 16 08 1e 0f 3c00 38c0 11"))
    assert record.base_time_ms is None
    assert record.time_offset_min == 60
    assert record.measured_at_ms is None
    assert observed(record).times.device_ms is None


@pytest.mark.parametrize("octet", ["00", "0b", "51"])
def test_a_reserved_type_or_site_is_unknown(octet: str) -> None:
    record = decode_glucose(bytes.fromhex("06 0500 ea07 0b 16 08 1e 0f 38c0") + bytes.fromhex(octet))
    assert record.sample is None or record.site is None
    if record.sample is None:
        with pytest.raises(DecodeError):
            observed(record)


def test_a_reserved_number_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_glucose(bytes.fromhex("06 0500 ea07 0b 16 08 1e 0f 0108 11"))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


@pytest.mark.parametrize("value", [None, SfloatSpecial.NOT_A_NUMBER])
def test_a_record_without_concentration_is_no_reading(value: SfloatSpecial | None) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(measured(value))
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_more_than_a_value_can_hold_is_refused() -> None:
    assert decode_glucose(glucose_measurement(MeterResult(1, _AT)).ljust(512, b"\x00")).sequence == 1
    with pytest.raises(DecodeError) as refused:
        decode_glucose(bytes(513))
    assert refused.value.reason is DecodeReason.TOO_LONG
