"""Jaalee: published beacons, its service data, and beacons of others."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.jaalee import decode_jaalee, decode_jaalee_service
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.jaalee import jaalee_frame, jaalee_service
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("f00d0000000a")
_WORDS = st.integers(0, 65_535)


@pytest.mark.parametrize("vector", vectors("jaalee"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_jaalee(vector.frame)
    assert told.get("battery_percent") == vector.expected["batt"]
    for name, key in (("temperature_c", "tempc"), ("humidity_percent", "hum")):
        value = told.get(name)
        assert value is not None
        assert round(value, 8) == vector.expected[key]  # published with eight digits


@given(_WORDS, _WORDS, st.integers(0, 100))
def test_both_simulated_forms_are_read_back(warmth: int, damp: int, charge: int) -> None:
    by_service = decode_jaalee_service(jaalee_service(_ADDRESS, warmth, damp, charge))
    by_beacon = decode_jaalee(jaalee_frame(warmth, damp, charge))
    assert by_service.address == _ADDRESS
    assert by_service.values == by_beacon.values
    assert by_beacon.get("temperature_c") == Decimal(175 * warmth) / 65_535 - 45
    assert by_beacon.get("humidity_percent") == Decimal(100 * damp) / 65_535
    assert by_beacon.get("battery_percent") == charge


def test_the_ends_of_a_word_are_the_ends_of_the_range() -> None:
    low, high = decode_jaalee(jaalee_frame(0, 0, 5)), decode_jaalee(jaalee_frame(65_535, 65_535, 5))
    assert [low.get("temperature_c"), high.get("temperature_c")] == [-45, 130]
    assert [low.get("humidity_percent"), high.get("humidity_percent")] == [0, 100]


@given(st.binary(max_size=300), st.sampled_from([b"", jaalee_frame(1, 2, 3)[:18]]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    for decode in (decode_jaalee, decode_jaalee_service):
        with suppress(DecodeError):
            decode(head + frame)


@given(st.integers(0, 191))
def test_a_flipped_bit_decodes_or_is_refused(bit: int) -> None:
    flipped = int.from_bytes(jaalee_frame(26_000, 20_000, 100), "big") ^ 1 << bit
    with suppress(DecodeError):
        decode_jaalee(flipped.to_bytes(24, "big"))


@pytest.mark.parametrize("length", [0, 1, 2, 22, 23])
def test_a_cut_beacon_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_jaalee(jaalee_frame(26_000, 20_000, 100)[:length])
    assert refused.value.reason is DecodeReason.SHORT


@pytest.mark.parametrize(("length", "reason"), [(10, DecodeReason.SHORT), (12, DecodeReason.TOO_LONG)])
def test_service_data_of_another_length_is_refused(length: int, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_jaalee_service((jaalee_service(_ADDRESS, 26_000, 20_000, 100) + b"\x00")[:length])
    assert refused.value.reason is reason


def test_the_beacon_of_another_maker_is_refused() -> None:
    frame = bytearray(jaalee_frame(26_000, 20_000, 100))
    frame[17] ^= 1
    with pytest.raises(DecodeError) as refused:
        decode_jaalee(bytes(frame))
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_jaalee(jaalee_frame(26_000, 20_000, 101)).get("battery_percent") is None
