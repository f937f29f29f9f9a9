"""Almendo bluSensor Mini: the published frame, and no other model guessed at."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.almendo import decode_almendo
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.almendo import almendo_mini
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_WORD = st.integers(0, 65_535)
_ESTIMATES = {"co2": "carbon_dioxide_equivalent_ppm", "tvoc": "voc_count", "aqi": "air_quality_index"}


@pytest.mark.parametrize("vector", vectors("almendo"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_almendo(vector.frame)
    assert differences(told, vector, but=_ESTIMATES) == {}
    for key, name in _ESTIMATES.items():
        assert told.get(name) == vector.expected[key]
    assert told.get("carbon_dioxide_ppm") is None, "an estimate from other gases is told as a measurement"


@given(st.integers(-32_768, 32_767), _WORD, _WORD, _WORD, st.integers(0, 255))
def test_a_simulated_mini_is_read_back(warmth: int, damp: int, co2: int, voc: int, index: int) -> None:
    told = decode_almendo(almendo_mini(hundredths_c=warmth, hundredths_percent=damp, co2=co2, voc=voc, index=index))
    assert [one.value for one in told.values] == [Decimal(warmth) / 100, Decimal(damp) / 100, co2, voc, index]


@pytest.mark.parametrize(("at", "value"), [(0, 2), (0, 0), (2, 9), (2, 11)])
def test_another_version_or_model_is_refused(at: int, value: int) -> None:
    frame = bytearray(almendo_mini(hundredths_c=2100, hundredths_percent=4000, co2=400, voc=5, index=1))
    frame[at] = value
    with pytest.raises(DecodeError) as refused:
        decode_almendo(bytes(frame))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("length", [0, 2, 3, 15])
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    frame = almendo_mini(hundredths_c=2100, hundredths_percent=4000, co2=400, voc=5, index=1)
    with pytest.raises(DecodeError) as refused:
        decode_almendo(frame[:length])
    assert refused.value.reason is DecodeReason.SHORT


@given(st.binary(max_size=300), st.sampled_from([b"", b"\1\x0a\x0a"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_almendo(head + frame)
