"""Pulse Oximeter: every field of both measurements, every status, no number, and hostile bytes."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.pulse_oximeter import (
    Plx,
    PlxFeatures,
    PlxPair,
    decode_plx_continuous,
    decode_plx_features,
    decode_plx_spot_check,
    observe_plx,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.pulse_oximeter import ContinuousResult, Pair, SpotCheck, plx_continuous, plx_spot_check
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial
from tests.edge.readings import RESIDENT, TIMES

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000
_VALUES = (Decimal(97), Decimal(72))

numbers = st.integers(0, 2045).map(lambda raw: Decimal(raw).scaleb(-1)) | st.sampled_from(SfloatSpecial)
pairs = st.tuples(numbers, numbers)
status = st.none() | st.integers(0, 0xFFFF)
sensor = st.none() | st.integers(0, 0xFFFFFF)
spot_checks = st.builds(
    SpotCheck,
    values=pairs,
    measured_at=st.none() | st.just(_AT),
    measurement_status=status,
    sensor_status=sensor,
    amplitude_percent=st.none() | numbers,
    clock_not_set=st.booleans(),
)
live_results = st.builds(
    ContinuousResult,
    values=pairs,
    fast=st.none() | pairs,
    slow=st.none() | pairs,
    measurement_status=status,
    sensor_status=sensor,
    amplitude_percent=st.none() | numbers,
)


def observed(record: Plx) -> Observation:
    return observe_plx(record, subject=RESIDENT, device="oximeter", times=TIMES)


def number(sent: Decimal | SfloatSpecial | None) -> Decimal | None:
    return None if isinstance(sent, SfloatSpecial) else sent


def pair(sent: Pair | None) -> PlxPair | None:
    return None if sent is None else PlxPair(number(sent[0]), number(sent[1]))


@given(spot_checks, st.binary(max_size=3))
def test_a_simulated_spot_check_is_read_back_exactly(reading: SpotCheck, padding: bytes) -> None:
    frame = plx_spot_check(reading)
    record = decode_plx_spot_check(frame + padding)
    assert record.normal == pair(reading.values)
    assert record.fast is record.slow is None
    assert (record.sent_at.local_ms if record.sent_at else None) == (_AT_MS if reading.measured_at else None)
    assert record.clock_unset is reading.clock_not_set
    assert record.measurement == reading.measurement_status
    assert record.sensor == reading.sensor_status
    assert record.amplitude_percent == number(reading.amplitude_percent)
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_plx_spot_check(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with suppress(DecodeError):
        observed(record)


@given(live_results, st.binary(max_size=3))
def test_a_simulated_continuous_result_is_read_back_exactly(reading: ContinuousResult, padding: bytes) -> None:
    frame = plx_continuous(reading)
    record = decode_plx_continuous(frame + padding)
    assert record.normal == pair(reading.values)
    assert record.fast == pair(reading.fast)
    assert record.slow == pair(reading.slow)
    assert record.sent_at is None
    assert not record.clock_unset
    assert record.measurement == reading.measurement_status
    assert record.sensor == reading.sensor_status
    assert record.amplitude_percent == number(reading.amplitude_percent)
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_plx_continuous(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with suppress(DecodeError):
        observed(record)


def test_a_hand_made_spot_check_with_every_field() -> None:
    record = decode_plx_spot_check(bytes.fromhex("0f61004800ea070b16081e0f000100000015f0"))
    assert record.amplitude_percent == Decimal("2.1")
    observation = observed(record)
    assert observation.metric == "oximetry"
    assert observation.value("spo2") == 97
    assert observation.value("pulse_oximeter") == 72
    assert observation.value("perfusion") == Decimal("2.1")
    assert observation.times.device_ms == _AT_MS
    assert observation.quality.level is QualityLevel.OK
    assert observation.quality.reasons == ()


def test_a_hand_made_continuous_result_shows_the_normal_filter() -> None:
    record = decode_plx_continuous(bytes.fromhex("0361004800600047005f004600"))
    assert record.fast == PlxPair(Decimal(96), Decimal(71))
    assert record.slow == PlxPair(Decimal(95), Decimal(70))
    assert observed(record).value("spo2") == 97


@pytest.mark.parametrize("bit", [10, 11, 12, 13, 15])
def test_what_was_not_measured_on_a_person_is_never_observed(bit: int) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(decode_plx_spot_check(plx_spot_check(SpotCheck(_VALUES, measurement_status=1 << bit))))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (1, DecodeReason.NO_VALUE),
        (11, DecodeReason.NO_CONTACT),
        (12, DecodeReason.NO_VALUE),
        (14, DecodeReason.NO_VALUE),
        (15, DecodeReason.NO_CONTACT),
    ],
)
def test_a_held_value_without_finger_or_sensor_is_never_observed(bit: int, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(decode_plx_continuous(plx_continuous(ContinuousResult(_VALUES, sensor_status=1 << bit))))
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (2, QualityReason.UNSTABLE),
        (3, QualityReason.WEAK_SIGNAL),
        (4, QualityReason.WEAK_SIGNAL),
        (5, QualityReason.LOW_PERFUSION),
        (6, QualityReason.UNSTABLE),
        (7, QualityReason.WEAK_SIGNAL),
        (8, QualityReason.UNSTABLE),
        (9, QualityReason.SEARCHING),
        (10, QualityReason.WEAK_SIGNAL),
        (13, QualityReason.POSITION),
    ],
)
def test_what_the_oximeter_doubts_makes_its_reading_questionable(bit: int, reason: QualityReason) -> None:
    quality = observed(decode_plx_continuous(plx_continuous(ContinuousResult(_VALUES, sensor_status=1 << bit)))).quality
    assert quality.level is QualityLevel.QUESTIONABLE
    assert quality.reasons == (reason,)


@pytest.mark.parametrize(
    ("bit", "level", "reasons"),
    [
        (5, QualityLevel.OK, ()),
        (6, QualityLevel.QUESTIONABLE, (QualityReason.UNSTABLE,)),
        (7, QualityLevel.OK, ()),
        (8, QualityLevel.OK, ()),
        (9, QualityLevel.OK, (QualityReason.DEVICE_CLOCK_UNSET,)),
        (14, QualityLevel.QUESTIONABLE, ()),
    ],
)
def test_an_early_a_stored_and_a_questionable_result_are_told_apart(
    bit: int, level: QualityLevel, reasons: tuple[QualityReason, ...]
) -> None:
    quality = observed(decode_plx_spot_check(plx_spot_check(SpotCheck(_VALUES, measurement_status=1 << bit)))).quality
    assert quality.level is level
    assert quality.reasons == reasons


def test_a_stored_result_with_its_time_is_simply_ok() -> None:
    quality = observed(
        decode_plx_spot_check(plx_spot_check(SpotCheck(_VALUES, measured_at=_AT, measurement_status=1 << 9)))
    ).quality
    assert quality.reasons == ()


@pytest.mark.parametrize(
    "reading", [SpotCheck(_VALUES, clock_not_set=True), SpotCheck(_VALUES, _AT.replace(year=2015))]
)
def test_an_unset_clock_is_named_and_lowers_nothing(reading: SpotCheck) -> None:
    quality = observed(decode_plx_spot_check(plx_spot_check(reading))).quality
    assert quality.level is QualityLevel.OK
    assert quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)


@pytest.mark.parametrize("absent", [Decimal(0), *SfloatSpecial])
def test_a_saturation_that_is_none_is_never_observed_and_a_pulse_that_is_none_is_left_out(
    absent: Decimal | SfloatSpecial,
) -> None:
    reading = SpotCheck((absent, Decimal(72)))
    with pytest.raises(DecodeError) as refused:
        observed(decode_plx_spot_check(plx_spot_check(reading)))
    assert refused.value.reason is DecodeReason.NO_VALUE
    without_pulse = replace(reading, values=(Decimal(97), absent))
    parts = observed(decode_plx_spot_check(plx_spot_check(without_pulse))).parts
    assert [part.metric for part in parts] == ["spo2"]


def test_a_reserved_number_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_plx_continuous(bytes.fromhex("0001084800"))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_the_features_tell_what_may_come() -> None:
    features = decode_plx_features(bytes.fromhex("4900ffff"))
    assert features == PlxFeatures.MEASUREMENT_STATUS | PlxFeatures.TIME | PlxFeatures.AMPLITUDE


@given(st.binary(max_size=40) | st.binary(min_size=500, max_size=520))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for decode in (decode_plx_spot_check, decode_plx_continuous):
        with suppress(DecodeError):
            observed(decode(frame))
        if len(frame) > 512:
            with pytest.raises(DecodeError) as refused:
                decode(frame)
            assert refused.value.reason is DecodeReason.TOO_LONG
    with suppress(DecodeError):
        decode_plx_features(frame)


@given(spot_checks, st.integers(0, 319))
def test_a_frame_with_a_flipped_bit_decodes_or_is_refused(reading: SpotCheck, bit: int) -> None:
    frame = bytearray(plx_spot_check(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(decode_plx_spot_check(bytes(frame)))


@given(live_results, st.integers(0, 319))
def test_a_continuous_frame_with_a_flipped_bit_decodes_or_is_refused(reading: ContinuousResult, bit: int) -> None:
    frame = bytearray(plx_continuous(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(decode_plx_continuous(bytes(frame)))
