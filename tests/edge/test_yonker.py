"""Results of Yonker cuffs: the published frame, own frames, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityLevel, QualityReason
from kanhu.edge.codecs.yonker import YonkerResult, decode_yonker, observe_yonker
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading
from kanhu.firmware_sim.wire.yonker import yonker_result
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_FRAME = "818367510000190b18131200000000"


@pytest.mark.parametrize("vector", vectors("yonker"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    expected = vector.expected
    if "error" in expected:
        with pytest.raises(DecodeError):
            decode_yonker(vector.frame)
        return
    at = datetime(**expected["timestamp"], tzinfo=UTC)
    result = YonkerResult(
        expected["systolic"], expected["diastolic"], expected["pulse_bpm"], int(at.timestamp()) * 1000
    )
    assert decode_yonker(vector.frame) == result


@given(
    st.builds(
        StoredCuffReading,
        systolic=st.integers(1, 255),
        diastolic=st.integers(1, 255),
        pulse=st.integers(1, 255),
        measured_at=st.datetimes(datetime(2000, 1, 1), datetime(2255, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # as hypothesis wants them
    )
)
def test_a_simulated_cuff_is_read_back_to_the_minute(reading: StoredCuffReading) -> None:
    minute = reading.measured_at.replace(second=0, microsecond=0)
    frame = yonker_result(reading)
    expected = YonkerResult(reading.systolic, reading.diastolic, reading.pulse, int(minute.timestamp()) * 1000)
    assert decode_yonker(frame) == expected
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_yonker(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


def test_a_result_is_one_reading() -> None:
    observation = observe_yonker(decode_yonker(bytes.fromhex(_FRAME)), subject=RESIDENT, device="cuff", times=TIMES)
    assert [observation.value(code) for code in ("systolic", "diastolic", "pulse_cuff")] == [131, 103, 81]
    assert observation.quality.reasons == ()
    assert observation.times.device_ms == int(datetime(2024, 11, 25, 19, 18, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(("place", "value"), [(7, 0), (8, 15)])
def test_a_clock_that_was_never_set_is_named_and_lowers_nothing(place: int, value: int) -> None:
    frame = bytearray.fromhex(_FRAME)
    frame[place] = value
    observation = observe_yonker(decode_yonker(bytes(frame)), subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


def test_a_pulse_of_zero_is_none() -> None:
    record = decode_yonker(bytes.fromhex(_FRAME.replace("51", "00")))
    assert record.pulse_bpm is None
    observation = observe_yonker(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert [part.metric for part in observation.parts] == ["systolic", "diastolic"]


@pytest.mark.parametrize("place", [1, 2])
def test_a_pressure_of_zero_is_no_value(place: int) -> None:
    frame = bytearray.fromhex(_FRAME)
    frame[place] = 0
    with pytest.raises(DecodeError) as refused:
        decode_yonker(bytes(frame))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("82" + _FRAME[2:], DecodeReason.NOT_SYNCHRONISED),
        (_FRAME + "00", DecodeReason.TOO_LONG),
        ("", DecodeReason.SHORT),
    ],
)
def test_what_is_no_result_is_refused(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_yonker(bytes.fromhex(frame))
    assert refused.value.reason is reason


@given(st.binary(max_size=30) | st.binary(min_size=14, max_size=14).map(lambda rest: b"\x81" + rest))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        observe_yonker(decode_yonker(frame), subject=RESIDENT, device="cuff", times=TIMES)
