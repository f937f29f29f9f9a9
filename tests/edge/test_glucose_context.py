"""Glucose Measurement Context: published frames, each field alone, codes that are reserved, and hostile bytes."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Meal
from kanhu.edge.codecs.glucose_context import (
    Carbohydrate,
    GlucoseContext,
    Health,
    MeasuredBy,
    Medication,
    MedicationUnit,
    decode_glucose_context,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.glucose_context import MeterContext, glucose_measurement_context
from tests.edge.vectors import Vector, name_of, vectors

_MEALS = {1: Meal.BEFORE, 2: Meal.AFTER, 3: Meal.FASTING, 4: Meal.CASUAL, 5: Meal.BEDTIME}

amounts = st.integers(0, 2045).map(lambda raw: Decimal(raw).scaleb(-3))
contexts = st.builds(
    MeterContext,
    sequence=st.integers(0, 0xFFFF),
    carbohydrate=st.none() | st.tuples(st.integers(1, 7), amounts),
    meal=st.none() | st.integers(1, 5),
    tester_and_health=st.none() | st.tuples(st.sampled_from([1, 2, 3, 15]), st.sampled_from([1, 2, 3, 4, 5, 15])),
    exercise=st.none() | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 100)),
    medication=st.none() | st.tuples(st.integers(1, 5), amounts),
    medication_in_litres=st.booleans(),
    hba1c_percent=st.none() | amounts,
    extended_flags=st.none() | st.integers(0, 0xFF),
)


def empty(sequence: int) -> GlucoseContext:
    return GlucoseContext(sequence, None, None, None, None, None, None, None, None, None, None, None)


@pytest.mark.parametrize("vector", vectors("glucose_context"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    assert vector.expected["everything_else"] is None
    assert decode_glucose_context(vector.frame) == empty(vector.expected["sequence"])


def test_a_frame_by_the_specification_with_every_field() -> None:
    frame = bytes.fromhex("ff 0700 b3 03 64d0 04 12 3c00 32 04 0cd0 41f0")
    assert decode_glucose_context(frame) == GlucoseContext(
        sequence=7,
        carbohydrate=Carbohydrate.DINNER,
        carbohydrate_kg=Decimal("0.100"),
        meal=Meal.CASUAL,
        tester=MeasuredBy.HEALTH_CARE_PROFESSIONAL,
        health=Health.MINOR_HEALTH_ISSUES,
        exercise_s=60,
        exercise_percent=50,
        medication=Medication.LONG_ACTING_INSULIN,
        medication_amount=Decimal("0.012"),
        medication_unit=MedicationUnit.LITRE,
        hba1c_percent=Decimal("6.5"),
    )


def test_the_unit_of_no_medication_is_none() -> None:
    assert decode_glucose_context(bytes.fromhex("200100")) == empty(1)


def test_medication_without_its_flag_for_litres_is_in_kilograms() -> None:
    record = decode_glucose_context(bytes.fromhex("100100010cd0"))
    assert record.medication is Medication.RAPID_ACTING_INSULIN
    assert record.medication_unit is MedicationUnit.KILOGRAM


@given(contexts, st.binary(max_size=3))
def test_a_simulated_meter_is_read_back_exactly(context: MeterContext, padding: bytes) -> None:
    frame = glucose_measurement_context(context)
    record = decode_glucose_context(frame + padding)
    assert record.sequence == context.sequence
    assert pair(record.carbohydrate, record.carbohydrate_kg) == context.carbohydrate
    assert record.meal == (None if context.meal is None else _MEALS[context.meal])
    codes = (record.tester and record.tester.value, record.health and record.health.value)
    assert codes == (context.tester_and_health or (None, None))
    assert (record.exercise_s, record.exercise_percent) == (context.exercise or (None, None))
    assert pair(record.medication, record.medication_amount) == context.medication
    assert record.hba1c_percent == context.hba1c_percent
    if context.medication is not None:
        assert (record.medication_unit is MedicationUnit.LITRE) == context.medication_in_litres
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_glucose_context(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


def pair(code: Carbohydrate | Medication | None, amount: Decimal | None) -> tuple[int, Decimal | None] | None:
    return None if code is None else (code.value, amount)


@pytest.mark.parametrize("frame", ["0101000064d0", "0101000864d0", "02010000", "02010006", "04010000", "100100090cd0"])
def test_a_reserved_code_says_nothing_and_spoils_nothing(frame: str) -> None:
    record = decode_glucose_context(bytes.fromhex(frame))
    assert record.sequence == 1
    assert {record.carbohydrate, record.meal, record.tester, record.health, record.medication} == {None}


def test_an_amount_that_is_no_number_was_not_measured() -> None:
    record = decode_glucose_context(bytes.fromhex("010100 03 ff07"))
    assert record.carbohydrate is Carbohydrate.DINNER
    assert record.carbohydrate_kg is None


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_glucose_context(frame)


@given(contexts, st.integers(0, 200), st.integers(0, 7))
def test_a_spoiled_frame_decodes_or_is_refused(context: MeterContext, place: int, bit: int) -> None:
    frame = bytearray(glucose_measurement_context(context))
    frame[place % len(frame)] ^= 1 << bit
    with suppress(DecodeError):
        decode_glucose_context(bytes(frame))


def test_more_than_a_value_can_hold_is_refused() -> None:
    assert decode_glucose_context(bytes(512)) == empty(0)
    with pytest.raises(DecodeError) as refused:
        decode_glucose_context(bytes(513))
    assert refused.value.reason is DecodeReason.TOO_LONG
