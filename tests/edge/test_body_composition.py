"""Body Composition: every optional word in its place, both systems, a measurement that failed, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation
from kanhu.edge.codecs.body_composition import (
    BodyComposition,
    decode_body_composition,
    decode_body_composition_feature,
    observe_body_composition,
)
from kanhu.edge.codecs.weight import ScaleUnits
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.body_composition import BodyReading, BodyWord, body_composition_measurement
from kanhu.firmware_sim.wire.weight import ScaleSystem
from tests.edge.readings import RESIDENT, TIMES

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000

readings = st.builds(
    BodyReading,
    fat_tenths_percent=st.integers(0, 0xFFFE),
    system=st.sampled_from(ScaleSystem),
    measured_at=st.none() | st.just(_AT),
    user=st.none() | st.integers(0, 0xFE),
    words=st.dictionaries(st.sampled_from(BodyWord), st.integers(0, 0xFFFE)),
)


def observed(record: BodyComposition) -> tuple[Observation, ...]:
    return observe_body_composition(record, subject=RESIDENT, device="scale", times=TIMES)


@given(readings, st.binary(max_size=3))
def test_a_simulated_measurement_is_read_back_exactly(reading: BodyReading, padding: bytes) -> None:
    frame = body_composition_measurement(reading)
    imperial = reading.system is ScaleSystem.IMPERIAL
    kg, metre = ("0.0045359237", "0.00254") if imperial else ("0.005", "0.001")

    def told(word: BodyWord, step: str) -> Decimal | None:
        return reading.words[word] * Decimal(step) if word in reading.words else None

    record = decode_body_composition(frame + padding)
    assert record.body_fat_percent == Decimal(reading.fat_tenths_percent) / 10
    assert record.units is (ScaleUnits.IMPERIAL if imperial else ScaleUnits.METRIC)
    assert (record.sent_at.local_ms if record.sent_at else None) == (_AT_MS if reading.measured_at else None)
    assert record.user == reading.user
    assert record.basal_metabolism_kj == told(BodyWord.BASAL_METABOLISM_KJ, "1")
    assert record.muscle_percent == told(BodyWord.MUSCLE_TENTHS_PERCENT, "0.1")
    assert record.muscle_mass_kg == told(BodyWord.MUSCLE_MASS, kg)
    assert record.fat_free_mass_kg == told(BodyWord.FAT_FREE_MASS, kg)
    assert record.soft_lean_mass_kg == told(BodyWord.SOFT_LEAN_MASS, kg)
    assert record.water_mass_kg == told(BodyWord.WATER_MASS, kg)
    assert record.impedance_ohm == told(BodyWord.IMPEDANCE_TENTHS_OHM, "0.1")
    assert record.weight_kg == told(BodyWord.WEIGHT, kg)
    assert record.height_m == told(BodyWord.HEIGHT, metre)
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_body_composition(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with suppress(DecodeError):
        observed(record)


def test_a_hand_made_frame_becomes_weight_and_body_fat() -> None:
    record = decode_body_composition(bytes.fromhex("0606fa00ea070b16081e0fff8813c836"))
    assert record.user is None
    assert record.impedance_ohm == 500
    weight, fat = observed(record)
    assert weight.value("weight") == Decimal("70.12")
    assert fat.value("body_fat") == 25
    assert weight.times.device_ms == fat.times.device_ms == _AT_MS


def test_a_later_packet_of_several_says_so() -> None:
    assert decode_body_composition(bytes.fromhex("0010fa00")).in_several_packets
    assert not decode_body_composition(bytes.fromhex("0000fa00")).in_several_packets


@pytest.mark.parametrize("frame", ["0000ffff", "00000000", "0004ffffffff", "000400000000"])
def test_a_measurement_that_failed_or_found_nobody_is_never_observed(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(decode_body_composition(bytes.fromhex(frame)))
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_weight_stands_where_the_fat_failed() -> None:
    (only,) = observed(decode_body_composition(bytes.fromhex("0004ffffc836")))
    assert only.metric == "weight"


def test_the_feature_names_what_the_scale_sends() -> None:
    word = 1 << 1 | 1 << 2 | 1 << 9 | 1 << 10 | 7 << 11 | 3 << 15
    feature = decode_body_composition_feature(word.to_bytes(4, "little"))
    assert not feature.sends_time
    assert feature.knows_users
    assert feature.sends == {"basal_metabolism", "weight", "height"}
    assert feature.mass_resolution == 7
    assert feature.height_resolution == 3


@given(st.binary(max_size=40) | st.binary(min_size=500, max_size=520))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        observed(decode_body_composition(frame))
    if len(frame) == 4:
        decode_body_composition_feature(frame)
    else:
        with pytest.raises(DecodeError):
            decode_body_composition_feature(frame)
    if len(frame) > 512:
        with pytest.raises(DecodeError) as refused:
            decode_body_composition(frame)
        assert refused.value.reason is DecodeReason.TOO_LONG


@given(readings, st.integers(0, 319))
def test_a_frame_with_a_flipped_bit_decodes_or_is_refused(reading: BodyReading, bit: int) -> None:
    frame = bytearray(body_composition_measurement(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(decode_body_composition(bytes(frame)))
