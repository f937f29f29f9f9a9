"""Radars that speak TinyFrame: frames, what they mean, which of it is a measure, and the stream they come in."""

import struct
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.radar_report import Target, observe_radar, steps_of_radar
from kanhu.edge.codecs.tinyframe import TinyFrame, decode_tinyframe, decode_tinyframe_frame
from kanhu.edge.codecs.tinyframe_frames import TinyFrameFraming
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import tinyframe as wire
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_NAMES = {"person_present": "present", "breath_rate": "respiration_per_min"}
_FALL = wire.fall(True)
_METRES = Decimal("0.0000002")  # a 32-bit float of a few metres is at most so far from what was printed

_floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
_KINDS = "010e 0a04 0a08 0a13 0a14 0a15 0a16 0e02 0e04 0e06 0e08 0e0a 0e0c 0e0e 0f09 2110 ffff 7777"
_kinds = st.sampled_from([int(kind, 16) for kind in _KINDS.split()])
_frames = st.builds(
    lambda kind, data, number: wire.tinyframe(kind, data, frame_id=number),
    _kinds,
    st.binary(max_size=100),
    st.integers(0, 0xFFFF),
)


def values(frame: bytes) -> dict[str, object]:
    return {one.name: one.value for one in decode_tinyframe(frame).values}


def reason_of(frame: bytes) -> DecodeReason:
    with pytest.raises(DecodeError) as refused:
        decode_tinyframe(frame)
    return refused.value.reason


@pytest.mark.parametrize("vector", vectors("tinyframe"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    assert f"{decode_tinyframe_frame(vector.frame).type:04x}" == vector.expected["type"]
    told = values(vector.frame)
    for name, expected in vector.expected.items():
        if name in {"type", "meaning", "header_checksum_ok"}:
            continue
        found = told[_NAMES.get(name, name)]
        if isinstance(expected, Decimal):
            assert isinstance(found, Decimal)
            assert abs(found - expected) < _METRES * 10
        else:
            assert found == expected
    if "meaning" in vector.expected:
        assert decode_tinyframe(vector.frame).query


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=512))
def test_a_simulated_frame_is_opened_again(number: int, kind: int, data: bytes) -> None:
    assert decode_tinyframe_frame(wire.tinyframe(kind, data, frame_id=number)) == TinyFrame(number, kind, data)


@given(_floats, _floats, _floats)
def test_simulated_phases_are_read_back_exactly(total: float, breath: float, heart: float) -> None:
    assert values(wire.phases(total, breath, heart)) == {
        "total_phase": Decimal(total),
        "breath_phase": Decimal(breath),
        "heart_phase": Decimal(heart),
    }


_rates = st.floats(1, 300, width=32)


@given(_rates, _rates, st.booleans(), st.one_of(st.none(), _floats))
def test_simulated_values_are_read_back(breath: float, heart: float, yes: bool, range_cm: float | None) -> None:
    assert values(wire.breath_rate(breath)) == {"respiration_per_min": Decimal(breath)}
    assert values(wire.heart_rate(heart)) == {"heart_bpm": Decimal(heart)}
    assert values(wire.fall(yes)) == {"fall": yes}
    assert values(wire.presence(yes)) == {"present": yes}
    told = values(wire.target_range(range_cm))
    assert told["range_cm"] == (None if range_cm is None else Decimal(range_cm))


@given(st.lists(st.tuples(_floats, _floats, *[st.integers(-(2**31), 2**31 - 1)] * 2), max_size=31))
def test_simulated_targets_are_read_back(targets: list[tuple[float, float, int, int]]) -> None:
    assert values(wire.point_cloud(targets)) == {
        "targets": tuple(Target(Decimal(x), Decimal(y), doppler, cluster) for x, y, doppler, cluster in targets)
    }


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_decoded(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_tinyframe(frame)


@given(_frames)
def test_any_sound_frame_is_refused_or_decoded(frame: bytes) -> None:
    with suppress(DecodeError):
        steps_of_radar(decode_tinyframe(frame))


@given(_frames, st.data())
def test_a_frame_cut_short_or_with_a_flipped_bit_is_refused(frame: bytes, data: st.DataObject) -> None:
    assert reason_of(frame[: data.draw(st.integers(0, len(frame) - 1))])
    flipped = bytearray(frame)
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    assert reason_of(bytes(flipped))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", DecodeReason.SHORT),
        ("02000000010e02f001fe", DecodeReason.NOT_SYNCHRONISED),
        ("01000000010e02f201fe", DecodeReason.CHECKSUM_WRONG),
        ("01000000010e02f301ff", DecodeReason.CHECKSUM_WRONG),
        ("01000000010e02f301", DecodeReason.SHORT),
        ("01000000010e02f301fe00", DecodeReason.TOO_LONG),
        ("010000000021" + "10cf00", DecodeReason.CHECKSUM_WRONG),
        ("010000000021" + "10cfffff", DecodeReason.TOO_LONG),
    ],
)
def test_a_frame_that_is_none_is_refused_by_name(frame: str, reason: DecodeReason) -> None:
    assert reason_of(bytes.fromhex(frame)) is reason


def test_more_data_than_a_radar_sends_are_refused() -> None:
    assert reason_of(wire.tinyframe(0x0E02, bytes(513))) is DecodeReason.TOO_LONG


def test_a_command_may_carry_the_checksum_of_nothing() -> None:
    assert decode_tinyframe(bytes.fromhex("01000000002110cfff")) == decode_tinyframe(bytes.fromhex("01000000002110cf"))


@pytest.mark.parametrize(("word", "reason"), [("nan", DecodeReason.NOT_A_NUMBER), ("inf", DecodeReason.INFINITE)])
def test_a_float_that_is_no_number_is_refused(word: str, reason: DecodeReason) -> None:
    assert reason_of(wire.heart_rate(float(word))) is reason
    assert reason_of(wire.target_height(float(word))) is reason


@pytest.mark.parametrize("rate", [-1.0, 300.5, 3e38])
def test_a_rate_of_no_living_person_is_refused(rate: float) -> None:
    assert reason_of(wire.heart_rate(rate)) is DecodeReason.INFINITE
    assert reason_of(wire.breath_rate(rate)) is DecodeReason.INFINITE


def test_a_rate_of_0_is_not_found_yet_and_no_measure() -> None:
    for frame, name in ((wire.heart_rate(0.0), "heart_bpm"), (wire.breath_rate(0.0), "respiration_per_min")):
        assert values(frame) == {name: None}
        assert steps_of_radar(decode_tinyframe(frame)) == {}


def test_a_range_whose_flag_is_not_1_is_none_whatever_stands_there() -> None:
    for flag in (0, 2):
        frame = wire.tinyframe(0x0A16, struct.pack("<If", flag, float("nan")))
        assert values(frame) == {"flag": flag, "range_cm": None}
    assert values(wire.tinyframe(0x0A16, struct.pack("<If", 1, 85.5))) == {"flag": 1, "range_cm": Decimal("85.5")}
    assert reason_of(wire.tinyframe(0x0A16, bytes(4))) is DecodeReason.SHORT


def test_a_list_that_promises_more_targets_than_it_has_is_refused() -> None:
    one = wire.point_cloud([(0.0, 0.0, 0, 0)])
    assert reason_of(wire.tinyframe(0x0A08, b"\x02" + one[9:-1])) is DecodeReason.SHORT
    assert reason_of(wire.tinyframe(0x0A04, b"\xff\xff\xff\xff")) is DecodeReason.SHORT


def test_a_setting_is_a_value_from_the_host_and_a_yes_or_no_from_the_radar() -> None:
    assert values(wire.tinyframe(0x0E04, struct.pack("<f", 2.5))) == {"install_height_m": Decimal("2.5")}
    assert values(wire.tinyframe(0x0E08, struct.pack("<f", 0.5))) == {"height_threshold_m": Decimal("0.5")}
    assert values(wire.tinyframe(0x0E0A, struct.pack("<I", 3))) == {"sensitivity": 3}
    for kind in (0x0E04, 0x0E08, 0x0E0A, 0x0E0C):
        assert values(wire.tinyframe(kind, b"\x01")) == {"accepted": True}
        assert values(wire.tinyframe(kind, b"\x00")) == {"accepted": False}


def test_parameters_end_before_the_alarm_area_or_behind_it() -> None:
    short = wire.parameters(2.5, 0.5, 15)
    told = {"install_height_m": Decimal("2.5"), "height_threshold_m": Decimal("0.5"), "sensitivity": 15}
    assert values(short) == told
    area = {"area_left_m": 1, "area_right_m": 2, "area_front_m": 3, "area_back_m": 4}
    assert values(wire.tinyframe(0x0E06, short[8:-1] + struct.pack("<ffff", 1, 2, 3, 4))) == told | area
    assert reason_of(wire.tinyframe(0x0E06, short[8:-2])) is DecodeReason.SHORT


def test_firmware_is_four_numbers() -> None:
    names = ("project", "major_version", "sub_version", "modified_version")
    assert values(wire.tinyframe(0xFFFF, bytes([3, 1, 6, 9]))) == dict(zip(names, (3, 1, 6, 9), strict=True))


def test_a_type_that_no_table_names_is_told_as_such() -> None:
    report = decode_tinyframe(wire.tinyframe(0x7777, b"\x01"))
    assert (report.name, report.values, report.query) == (None, (), False)


@pytest.mark.parametrize(
    ("frame", "steps"),
    [
        (_FALL, {"fall": 1}),
        (wire.fall(False), {"fall": 0}),
        (wire.tinyframe(0x0E02, b"\x02"), {"fall": 1}),
        (wire.tinyframe(0x0E02), {}),
        (wire.presence(True), {"presence": 1}),
        (wire.presence(False), {"presence": 0}),
        (wire.breath_rate(20.34), {"respiration": 203}),
        (wire.heart_rate(65.5), {"heart_rate_radar": 66}),
        (wire.heart_rate(66.5), {"heart_rate_radar": 66}),
        (wire.target_height(0.2), {}),
        (wire.target_range(80.0), {}),
    ],
)
def test_what_is_a_measure_and_what_is_none(frame: bytes, steps: dict[str, int]) -> None:
    report = decode_tinyframe(frame)
    assert steps_of_radar(report) == steps
    if steps:
        (reading,) = observe_radar(report, subject=RESIDENT, device="radar-1", times=TIMES)
        assert {reading.metric: reading.series(reading.metric)[0]} == steps


def cut(stream: bytes, step: int) -> tuple[list[bytes], int]:
    """The frames of a stream that comes in pieces, and how many bytes belonged to none."""
    framing = TinyFrameFraming()
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    found += framing.end()
    return found, framing.bad_bytes


@given(st.lists(_frames, max_size=12), st.integers(1, 40), st.binary(max_size=20).filter(lambda noise: 1 not in noise))
def test_a_stream_in_any_pieces_is_the_same_frames(sent: list[bytes], step: int, noise: bytes) -> None:
    assert cut(noise + b"".join(sent), step) == (sent, len(noise))


@given(st.binary(max_size=400), st.integers(1, 40))
def test_every_byte_belongs_to_a_frame_or_is_counted(stream: bytes, step: int) -> None:
    found, bad_bytes = cut(stream, step)
    assert sum(map(len, found)) + bad_bytes == len(stream)


@pytest.mark.parametrize("wrong", ["01000000010e02f301ff", "01000000010e02f201fe", "0100000201a0082d", "01", "0100"])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_the_next_frame_is_not_lost_behind_a_wrong_length_or_checksum(wrong: str, step: int) -> None:
    found, bad_bytes = cut(bytes.fromhex(wrong) + _FALL, step)
    assert found == [_FALL]
    assert bad_bytes == len(bytes.fromhex(wrong))


def test_frames_swallowed_by_one_that_lost_bytes_come_as_soon_as_it_should_be_whole() -> None:
    framing = TinyFrameFraming()
    overrun = wire.point_cloud([(0.5, 0.5, 2, 2)] * 2)[:20]
    assert framing.feed(overrun + _FALL) == []
    assert framing.feed(_FALL) == []
    assert framing.feed(_FALL) == [_FALL] * 3
    assert framing.bad_bytes == len(overrun)


@given(st.binary(max_size=2000))
def test_no_more_than_one_frame_is_held(stream: bytes) -> None:
    framing = TinyFrameFraming()
    found = framing.feed(stream * 3)
    assert 3 * len(stream) - framing.bad_bytes - sum(map(len, found)) < 521
