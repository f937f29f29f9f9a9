"""ThermoPro hygrometers: published frames, batteries in halves, and the kind whose company is data."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.codecs.thermopro import decode_thermopro
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.sensor_thermopro import KIND
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire.thermopro import tp357_frame, tp357s_frame
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("thermopro"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    assert differences(decode_thermopro(vector.frame), vector) == {}


@given(
    st.integers(-32_768, 32_767), st.integers(0, 100), st.integers(0, 2), st.sampled_from([tp357_frame, tp357s_frame])
)
def test_simulated_hygrometers_are_read_back(
    tenths: int, percent: int, halves: int, make: Callable[[int, int, int], bytes]
) -> None:
    told = decode_thermopro(make(tenths, percent, halves))
    assert told.get("temperature_c") == Decimal(tenths) / 10
    assert told.get("humidity_percent") == percent
    assert told.get("battery_halves") == halves


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xc2"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_thermopro(head + frame)


@given(st.integers(0, 55))
def test_a_flipped_bit_decodes_or_is_refused(bit: int) -> None:
    flipped = int.from_bytes(tp357s_frame(213, 44, 2), "big") ^ 1 << bit
    with suppress(DecodeError):
        decode_thermopro(flipped.to_bytes(7, "big"))


@given(st.integers(0, 5))
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_thermopro(tp357_frame(213, 44, 2)[:length])
    assert refused.value.reason is DecodeReason.SHORT


def test_a_thermometer_for_meat_is_no_hygrometer() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_thermopro(bytes.fromhex("0035006c0d3600"))
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


def test_a_humidity_above_all_and_a_battery_above_full_are_not_told() -> None:
    told = decode_thermopro(bytes.fromhex("c2d50065032c"))
    assert [one.name for one in told.values] == ["temperature_c"]


def test_frost_is_below_zero() -> None:
    assert decode_thermopro(bytes.fromhex("c2ceff32022c")).get("temperature_c") == Decimal(-5)


def test_the_kind_takes_its_data_from_the_company() -> None:
    told = KIND.decode(Heard({}, {0xD5C2: bytes.fromhex("002c022c")}), key=None, address=bytes(6))
    assert told is not None
    assert steps_of(told.values) == {"room_temperature": 2130, "room_humidity": 4400}


def test_the_kind_passes_over_data_of_another_device() -> None:
    assert KIND.decode(Heard({}, {0x004C: bytes(20)}), key=None, address=bytes(6)) is None


def test_an_old_company_still_held_by_the_radio_gives_no_reading() -> None:
    both = {0xD5C2: bytes.fromhex("002c022c"), 0xD6C2: bytes.fromhex("002c022c")}
    with pytest.raises(DecodeError) as refused:
        KIND.decode(Heard({}, both), key=None, address=bytes(6))
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED
