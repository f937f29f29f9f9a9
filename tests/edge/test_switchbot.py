"""SwitchBot thermometers, contact and motion sensors: published frames and each bit of their states."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import Advertisement
from kanhu.edge.codecs.switchbot import decode_switchbot, decode_switchbot_manufacturer
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.switchbot import contact_frame, motion_frame, thermometer_frame
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors


def told_by(vector: Vector) -> Advertisement:
    if vector.given["kind"].startswith("service"):
        return decode_switchbot(vector.frame).told
    told = decode_switchbot_manufacturer(vector.frame)
    more = [decode_switchbot(bytes.fromhex(one["hex"])).told.values for one in vector.given.get("also", [])]
    return Advertisement((*told.values, *(value for values in more for value in values)), address=told.address)


@pytest.mark.parametrize("vector", vectors("switchbot"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    assert differences(told_by(vector), vector) == {}


@given(st.integers(-1279, 1279), st.integers(0, 100), st.integers(0, 100), st.sampled_from([b"T", b"i"]))
def test_simulated_thermometer_is_read_back(tenths_c: int, humidity: int, percent: int, model: bytes) -> None:
    frame = thermometer_frame(tenths_c, humidity_percent=humidity, battery_percent=percent, model=model)
    told = decode_switchbot(frame).told
    assert told.get("temperature_c") == Decimal(tenths_c) / 10
    assert told.get("humidity_percent") == humidity
    assert told.get("battery_percent") == percent


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2), st.integers(0, 131_071))
def test_simulated_motion_sensor_is_read_back(
    moved: bool, tested: bool, led: bool, bright: bool, distance: int, seconds: int
) -> None:
    frame = motion_frame(
        moved=moved, tested=tested, battery_percent=55, seconds=seconds, led=led, distance=distance, bright=bright
    )
    told = decode_switchbot(frame).told
    wanted = {
        "motion": moved, "scope_tested": tested, "led_on": led, "light": bright, "sensing_distance": distance,
        "since_motion_s": seconds, "battery_percent": 55,
    }  # fmt: skip  # a table reads by rows
    assert {one.name: one.value for one in told.values} == wanted


@given(
    st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 131_071), st.integers(0, 131_071),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 15)),
)  # fmt: skip  # fields by rows
def test_simulated_contact_is_read_back(
    state: int, moved: bool, bright: bool, moved_s: int, changed_s: int, counts: tuple[int, int, int]
) -> None:
    frame = contact_frame(
        state=state, moved=moved, tested=True, battery_percent=92, bright=bright, moved_s=moved_s, changed_s=changed_s,
        counts=counts,
    )  # fmt: skip  # fields by rows
    found = decode_switchbot(frame)
    assert found.left_open == (state == 2)
    entrances, exits, presses = counts
    wanted = {
        "contact_open": state > 0, "motion": moved, "light": bright, "scope_tested": True, "battery_percent": 92,
        "entrance_count": entrances, "exit_count": exits, "press_count": presses, "since_motion_s": moved_s,
        "since_contact_s": changed_s,
    }  # fmt: skip  # a table reads by rows
    assert {one.name: one.value for one in found.told.values} == wanted


def test_a_reserved_state_of_a_contact_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_switchbot(bytes.fromhex("6480d7060000000000"))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


@pytest.mark.parametrize("model", [0x00, 0x48, 0x44, 0x53, 0x74])
def test_a_model_that_is_no_sensor_or_is_being_paired_is_refused(model: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_switchbot(bytes([model]) + bytes(12))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("frame", ["6480d70200000000", "73b0370000", "6900ba0319", "7700", ""])
def test_a_cut_frame_is_refused_as_short(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_switchbot(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.SHORT


@given(st.binary(max_size=300), st.sampled_from([b"", b"T", b"d", b"s", b"w"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    for decode in (decode_switchbot, decode_switchbot_manufacturer):
        with suppress(DecodeError):
            decode(head + frame)
