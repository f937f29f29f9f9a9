"""Oria T301: published frames, frost, and what is no reading."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.oria import decode_oria
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.oria import oria_frame
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("f00d0000000a")
_FRAME = oria_frame(_ADDRESS, 2130, 4400, 80)


@pytest.mark.parametrize("vector", vectors("oria"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    assert differences(decode_oria(vector.frame), vector) == {}


@given(st.integers(-32_768, 32_767), st.integers(0, 10_000), st.integers(0, 100))
def test_a_simulated_sensor_is_read_back(warmth: int, damp: int, charge: int) -> None:
    told = decode_oria(oria_frame(_ADDRESS, warmth, damp, charge))
    assert told.address == _ADDRESS
    assert told.get("temperature_c") == Decimal(warmth) / 100
    assert told.get("humidity_percent") == Decimal(damp) / 100
    assert told.get("battery_percent") == charge


@given(st.binary(max_size=300) | st.binary(min_size=17, max_size=17))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_oria(frame)


@given(st.integers(0, 135))
def test_a_flipped_bit_decodes_or_is_refused(bit: int) -> None:
    with suppress(DecodeError):
        decode_oria((int.from_bytes(_FRAME, "big") ^ 1 << bit).to_bytes(17, "big"))


@pytest.mark.parametrize("length", [0, 8, 16])
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_oria(_FRAME[:length])
    assert refused.value.reason is DecodeReason.SHORT


def test_a_longer_frame_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_oria(_FRAME + b"\x00")
    assert refused.value.reason is DecodeReason.TOO_LONG


def test_another_message_is_no_reading() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_oria(_FRAME[:8] + b"\x02" + _FRAME[9:])
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


def test_a_humidity_above_all_and_a_battery_above_full_are_not_told() -> None:
    told = decode_oria(oria_frame(_ADDRESS, -500, 10_001, 101))
    assert {one.name: one.value for one in told.values} == {"temperature_c": Decimal(-5)}
