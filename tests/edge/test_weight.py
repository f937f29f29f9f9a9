"""Weight Scale: both systems, every optional field, a weighing that failed, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.weight import (
    ScaleUnits,
    Weight,
    WeightFeature,
    decode_weight,
    decode_weight_feature,
    observe_weight,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.weight import UNSUCCESSFUL_STEPS, ScaleReading, ScaleSystem, weight_measurement
from tests.edge.readings import RESIDENT, TIMES

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000

words = st.integers(0, 0xFFFF)
readings = st.builds(
    ScaleReading,
    weight_steps=words,
    system=st.sampled_from(ScaleSystem),
    measured_at=st.none() | st.just(_AT),
    user=st.none() | st.integers(0, 0xFF),
    index_and_height_steps=st.none() | st.tuples(words, words),
)


def observed(record: Weight) -> Observation:
    return observe_weight(record, subject=RESIDENT, device="scale", times=TIMES)


@given(readings, st.binary(max_size=3))
def test_a_simulated_weighing_is_read_back_exactly(reading: ScaleReading, padding: bytes) -> None:
    frame = weight_measurement(reading)
    record = decode_weight(frame + padding)
    imperial = reading.system is ScaleSystem.IMPERIAL
    step_kg = Decimal("0.0045359237") if imperial else Decimal("0.005")
    step_m = Decimal("0.00254") if imperial else Decimal("0.001")
    failed = reading.weight_steps == UNSUCCESSFUL_STEPS
    assert record.weight_kg == (None if failed else reading.weight_steps * step_kg)
    assert record.units is (ScaleUnits.IMPERIAL if imperial else ScaleUnits.METRIC)
    assert (record.sent_at.local_ms if record.sent_at else None) == (_AT_MS if reading.measured_at else None)
    assert record.user == (None if reading.user == 0xFF else reading.user)
    sizes = reading.index_and_height_steps
    assert record.bmi == (None if sizes is None else Decimal(sizes[0]) / 10)
    assert record.height_m == (None if sizes is None else sizes[1] * step_m)
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_weight(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with suppress(DecodeError):
        observed(record)


def test_a_hand_made_frame_with_every_field() -> None:
    record = decode_weight(bytes.fromhex("0ec836ea070b16081e0f02f600a406"))
    assert record.weight_kg == Decimal("70.12")
    assert record.user == 2
    assert record.bmi == Decimal("24.6")
    assert record.height_m == Decimal("1.7")
    observation = observed(record)
    assert observation.metric == "weight"
    assert observation.value("weight") == Decimal("70.12")
    assert observation.times.device_ms == _AT_MS
    assert observation.quality.reasons == ()


def test_pounds_are_rounded_to_a_gram() -> None:
    observation = observed(decode_weight(bytes.fromhex("01983a")))  # 150.00 lb
    assert observation.value("weight") == Decimal("68.039")


@pytest.mark.parametrize("frame", ["00ffff", "000000"])
def test_a_weighing_that_failed_or_found_nobody_is_never_observed(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(decode_weight(bytes.fromhex(frame)))
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_an_unset_clock_is_named_and_lowers_nothing() -> None:
    observation = observed(decode_weight(bytes.fromhex("02c83600000101000000")))
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


def test_the_feature_tells_what_the_scale_shows() -> None:
    feature = decode_weight_feature((0x01 | 0x04 | 6 << 3 | 3 << 7).to_bytes(4, "little"))
    assert feature == WeightFeature(
        sends_time=True, knows_users=False, sends_bmi=True, weight_resolution=6, height_resolution=3
    )


@given(st.binary(max_size=24) | st.binary(min_size=500, max_size=520))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        observed(decode_weight(frame))
    if len(frame) == 4:
        decode_weight_feature(frame)
    else:
        with pytest.raises(DecodeError):
            decode_weight_feature(frame)
    if len(frame) > 512:
        with pytest.raises(DecodeError) as refused:
            decode_weight(frame)
        assert refused.value.reason is DecodeReason.TOO_LONG


@given(readings, st.integers(0, 319))
def test_a_frame_with_a_flipped_bit_decodes_or_is_refused(reading: ScaleReading, bit: int) -> None:
    frame = bytearray(weight_measurement(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(decode_weight(bytes(frame)))
