"""Qingping sensors: published frames, the door and motion of a dwelling, and values that are not known."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.qingping import decode_qingping
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import qingping as wire
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("582d34601075")
# Its publisher tells the address of the sender; within the frame stands another.
_OTHER_SENDER = {"test_qingping_CGDN1_2"}


@pytest.mark.parametrize("vector", vectors("qingping"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_qingping(vector.frame)
    # Theengs tells no counter, the other publisher the word for none.
    but = {"mac"} if vector.name in _OTHER_SENDER else set()
    assert differences(told.told, vector, but=but) == {}
    assert told.unknown == ()


@given(st.integers(-400, 1000), st.integers(0, 1000), st.integers(0, 100), st.integers(0, 255))
def test_simulated_climate_is_read_back(tenths_c: int, tenths_percent: int, percent: int, counter: int) -> None:
    values = wire.climate_value(tenths_c, tenths_percent) + wire.battery_value(percent)
    told = decode_qingping(
        wire.qingping_frame(wire.CLIMATE_MODEL, address=_ADDRESS, counter=counter, values=values)
    ).told
    assert (told.address, told.packet) == (_ADDRESS, counter)
    assert told.get("temperature_c") == Decimal(tenths_c) / 10
    assert told.get("humidity_percent") == Decimal(tenths_percent) / 10
    assert told.get("battery_percent") == percent


@given(st.booleans(), st.integers(0, 2**24 - 1), st.integers(0, 65_535))
def test_simulated_motion_and_air_are_read_back(moved: bool, lux: int, number: int) -> None:
    values = wire.motion_value(moved, lux) + wire.air_value(number, 1, 2)
    told = decode_qingping(wire.qingping_frame(wire.MOTION_MODEL, address=_ADDRESS, counter=1, values=values)).told
    assert told.get("motion") == int(moved)
    assert told.get("illuminance_lx") == lux
    assert told.get("pm25_ug_m3") == number
    assert told.get("pm10_ug_m3") == 1
    assert told.get("carbon_dioxide_ppm") == 2


@pytest.mark.parametrize(("state", "opened"), [(0, 1), (1, 0), (2, 1), (3, None)])
def test_a_door_left_open_is_open_and_a_reserved_state_tells_nothing(state: int, opened: int | None) -> None:
    frame = wire.qingping_frame(wire.CONTACT_MODEL, address=_ADDRESS, counter=9, values=wire.door_value(state))
    assert decode_qingping(frame).told.get("contact_open") == opened


def test_a_door_value_of_a_sensor_that_is_none_is_not_believed() -> None:
    frame = wire.qingping_frame(wire.CLIMATE_MODEL, address=_ADDRESS, counter=9, values=wire.door_value(1))
    assert decode_qingping(frame).told.get("contact_open") is None
    assert decode_qingping(frame).unknown == (0x04,)


def test_unknown_values_are_passed_over_and_named() -> None:
    found = decode_qingping(bytes.fromhex("0807b24410342d587703010203020138"))
    assert found.unknown == (0x77,)
    assert found.told.get("battery_percent") == Decimal(0x38)


def test_a_battery_on_external_power_is_told_without_its_flag() -> None:
    assert decode_qingping(bytes.fromhex("080caffd50342d580201aa")).told.get("battery_percent") == Decimal(42)


@pytest.mark.parametrize("length", [*range(8), 9, 10, 13])
def test_a_frame_cut_within_its_head_or_a_value_is_refused_as_short(length: int) -> None:
    frame = bytes.fromhex("080caffd50342d580104d10029010201aa")
    with pytest.raises(DecodeError) as refused:
        decode_qingping(frame[:length])
    assert refused.value.reason is DecodeReason.SHORT


@given(st.binary(max_size=300), st.sampled_from([b"", bytes.fromhex("0804751060342d58")]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_qingping(head + frame)
