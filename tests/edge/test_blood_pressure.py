"""Blood Pressure Measurement: published frames with their quirks, own frames, and numbers that are none."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityLevel, QualityReason
from kanhu.edge.codecs.blood_pressure import (
    BloodPressure,
    decode_blood_pressure,
    decode_cuff_pressure,
    observe_blood_pressure,
)
from kanhu.edge.codecs.sfloat import decode_sfloat
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_KPA = Decimal("7.50062")


def of_kind(kind: str) -> list[Vector]:
    return [vector for vector in vectors("blood_pressure") if vector.given["kind"] == kind]


@pytest.mark.parametrize("vector", of_kind("measurement"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    expected = vector.expected
    if "error" in expected:
        with pytest.raises(DecodeError):
            decode_blood_pressure(vector.frame)
        return
    record = decode_blood_pressure(vector.frame)
    factor = _KPA if expected["unit"] == "kPa" else Decimal(1)
    assert record.systolic_mmhg == expected["systolic"] * factor
    assert record.diastolic_mmhg == expected["diastolic"] * factor
    if "mean" in expected:
        assert record.mean_mmhg == expected["mean"] * factor
    else:
        assert record.mean_mmhg is None
    assert record.pulse_bpm == expected["pulse_bpm"]
    assert record.user == expected["user_id"]
    assert record.measured_at_ms == instant_ms(expected["timestamp"])
    if "status" in expected:
        status = expected["status"]
        assert record.status == expected["status_raw"]
        assert record.body_moved == status["body_movement"]
        assert record.cuff_loose == status["cuff_too_loose"]
        assert record.irregular_pulse == status["irregular_pulse"]
        assert record.pulse_out_of_range == (status["pulse_range"] != "in range")
        assert record.improper_position == status["improper_position"]
    assert record.irregular_pulse == expected.get("irregular_pulse", record.irregular_pulse)


def instant_ms(stamp: dict[str, Any] | None) -> int | None:
    if stamp is None or stamp["year"] is None:
        return None
    return int(datetime(**stamp, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("vector", of_kind("cuff_pressure"), ids=name_of)
def test_published_cuff_pressures(vector: Vector) -> None:
    assert decode_cuff_pressure(vector.frame) == vector.expected["cuff_pressure"]


@pytest.mark.parametrize("vector", of_kind("sfloat"), ids=name_of)
def test_published_short_floats(vector: Vector) -> None:
    assert decode_sfloat(vector.frame, 0, field="value") == vector.expected["value"]


@given(st.integers(-2046, 2045), st.integers(-8, 7))
def test_a_short_float_is_an_exact_decimal(mantissa: int, exponent: int) -> None:
    word = (exponent & 0xF) << 12 | mantissa & 0xFFF
    if word in {0x07FE, 0x07FF, 0x0800, 0x0801, 0x0802}:
        return
    assert decode_sfloat(word.to_bytes(2, "little"), 0, field="x") == Decimal(mantissa).scaleb(exponent)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (0x07FF, DecodeReason.NOT_A_NUMBER),
        (0x0800, DecodeReason.NOT_AT_THIS_RESOLUTION),
        (0x07FE, DecodeReason.INFINITE),
        (0x0802, DecodeReason.INFINITE),
        (0x0801, DecodeReason.RESERVED_VALUE),
    ],
)
@pytest.mark.parametrize("offset", [1, 3])
def test_an_error_code_is_never_a_pressure(word: int, reason: DecodeReason, offset: int) -> None:
    frame = bytearray(frame_of(120, 80))
    frame[offset : offset + 2] = word.to_bytes(2, "little")
    with pytest.raises(DecodeError) as refused:
        decode_blood_pressure(bytes(frame))
    assert refused.value.reason is reason


def frame_of(
    systolic: int,
    diastolic: int,
    *,
    mean: int = 0x07FF,
    when: tuple[int, ...] | None = None,
    pulse: int | None = None,
    user: int | None = None,
    status: int | None = None,
) -> bytes:
    def word(value: int) -> bytes:
        return value.to_bytes(2, "little")

    flags = 0
    body = word(systolic) + word(diastolic) + word(mean)
    if when is not None:
        flags |= 0x02
        body += word(when[0]) + bytes(when[1:])
    if pulse is not None:
        flags |= 0x04
        body += word(pulse)
    if user is not None:
        flags |= 0x08
        body += bytes([user])
    if status is not None:
        flags |= 0x10
        body += word(status)
    return bytes([flags]) + body


@given(
    systolic=st.integers(0, 2045),
    diastolic=st.integers(0, 2045),
    when=st.none() | st.just((2026, 11, 22, 8, 30, 15)),
    pulse=st.none() | st.integers(1, 2045),
    user=st.none() | st.integers(0, 255),
    status=st.none() | st.integers(0, 65535),
    padding=st.binary(max_size=3),
)
def test_every_field_is_read_back_exactly(
    *,
    systolic: int,
    diastolic: int,
    when: tuple[int, ...] | None,
    pulse: int | None,
    user: int | None,
    status: int | None,
    padding: bytes,
) -> None:
    frame = frame_of(systolic, diastolic, when=when, pulse=pulse, user=user, status=status)
    record = decode_blood_pressure(frame + padding)
    assert record == BloodPressure(
        systolic_mmhg=Decimal(systolic),
        diastolic_mmhg=Decimal(diastolic),
        mean_mmhg=None,
        pulse_bpm=None if pulse is None else Decimal(pulse),
        measured_at_ms=None if when is None else 1795336215000,
        clock_unset=False,
        user=None if user == 0xFF else user,
        status=status,
    )
    observation = observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.value("systolic") == systolic
    assert observation.times.device_ms == record.measured_at_ms
    assert observation.times.arrival_ms == TIMES.arrival_ms
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_blood_pressure(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0x01, QualityReason.MOTION),
        (0x02, QualityReason.CUFF_LOOSE),
        (0x08, QualityReason.PULSE_OUT_OF_RANGE),
        (0x10, QualityReason.PULSE_OUT_OF_RANGE),
        (0x20, QualityReason.POSITION),
    ],
)
def test_what_the_cuff_doubts_makes_its_reading_questionable(status: int, reason: QualityReason) -> None:
    record = decode_blood_pressure(frame_of(150, 90, status=status))
    quality = observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES).quality
    assert quality.level is QualityLevel.QUESTIONABLE
    assert quality.reasons == (reason,)


@pytest.mark.parametrize("status", [0x00, 0x04, 0x18])
def test_an_irregular_pulse_or_a_reserved_bit_is_no_doubt(status: int) -> None:
    record = decode_blood_pressure(frame_of(150, 90, status=status))
    assert observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES).quality.reasons == ()


@pytest.mark.parametrize("when", [(2015, 1, 1, 0, 0, 9), (0, 4, 17, 20, 41, 59), (2026, 13, 1, 0, 0, 0)])
def test_an_unset_clock_is_named_and_lowers_nothing(when: tuple[int, ...]) -> None:
    record = decode_blood_pressure(frame_of(150, 90, when=when))
    observation = observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK
    assert observation.times.arrival_ms == TIMES.arrival_ms


@pytest.mark.parametrize("absent", [0x0000, 0x07FF, 0x0800, 0x07FE])
def test_a_mean_or_pulse_that_is_none_is_absent(absent: int) -> None:
    record = decode_blood_pressure(frame_of(150, 90, mean=absent, pulse=absent))
    observation = observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert [part.metric for part in observation.parts] == ["systolic", "diastolic"]


def test_kilopascal_is_rounded_to_a_hundredth_of_a_millimetre() -> None:
    frame = bytes([0x01]) + bytes.fromhex("bdf00b009ff0")
    observation = observe_blood_pressure(decode_blood_pressure(frame), subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.value("systolic") == Decimal("141.76")
    assert observation.value("diastolic") == Decimal("82.51")
