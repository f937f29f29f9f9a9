"""MicRadar's radars: frames, what they mean, which of it is a measure, and the stream they come in."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.micradar import MicradarFrame, decode_micradar, decode_micradar_frame
from kanhu.edge.codecs.micradar_frames import MicradarFraming
from kanhu.edge.codecs.radar_report import observe_radar, steps_of_radar
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import micradar as wire
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_NAMES = {
    "present": "was_present",
    "breath_avg": "average_respiration_per_min",
    "heart_avg": "average_heart_bpm",
    "large_move_pct": "large_movement_percent",
    "small_move_pct": "small_movement_percent",
    "apnoea": "apnoeas",
}
_NOT_VALUES = {"checksum_ok", "control", "command", "data", "meaning"}
_HEART_66 = wire.heart_rate(66)

_frames = st.builds(wire.micradar_frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=64))


def value(frame: bytes, name: str) -> object:
    """Of a frame that tells this name, even where it has no value."""
    report = decode_micradar(frame)
    assert name in {one.name for one in report.values}
    return report.get(name)


def reason_of(frame: bytes) -> DecodeReason:
    with pytest.raises(DecodeError) as refused:
        decode_micradar(frame)
    return refused.value.reason


@pytest.mark.parametrize("vector", vectors("micradar"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    opened = decode_micradar_frame(vector.frame)
    report = decode_micradar(vector.frame)
    said = {"control": opened.control, "command": opened.command, "data": opened.data.hex()}
    for name, expected in vector.expected.items():
        if name in said:
            assert said[name] == expected
        elif name not in _NOT_VALUES:
            assert report.get(_NAMES.get(name, name)) == expected
    if "meaning" in vector.expected:
        assert vector.expected["meaning"] == f"{report.name}{' query' if report.query else ''}"


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=64))
def test_a_simulated_frame_is_opened_again(control: int, command: int, data: bytes) -> None:
    assert decode_micradar_frame(wire.micradar_frame(control, command, data)) == MicradarFrame(control, command, data)


@given(*[st.integers(-0x3FFF, 0x3FFF)] * 3)
def test_a_simulated_place_is_read_back(x_cm: int, y_cm: int, z_cm: int) -> None:
    report = decode_micradar(wire.position(x_cm, y_cm, z_cm))
    assert [report.get(name) for name in ("x_cm", "y_cm", "z_cm")] == [x_cm, y_cm, z_cm]


@given(st.integers(1, 35), st.integers(1, 120), st.integers(0, 100), st.integers(0, 0xFFFF), st.booleans())
def test_simulated_values_are_read_back(breath: int, heart: int, movement: int, distance: int, yes: bool) -> None:
    assert value(wire.breath_rate(breath), "respiration_per_min") == breath
    assert value(wire.heart_rate(heart), "heart_bpm") == heart
    assert value(wire.body_movement(movement), "body_movement") == movement
    assert value(wire.distance(distance), "distance_cm") == distance
    assert value(wire.presence(yes), "present") is yes
    assert value(wire.fall(yes), "fall") is yes


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_decoded(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_micradar(frame)


@given(_frames)
def test_any_sound_frame_is_refused_or_decoded(frame: bytes) -> None:
    with suppress(DecodeError):
        steps_of_radar(decode_micradar(frame))


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
        ("5459800100010130" + "5443", DecodeReason.NOT_SYNCHRONISED),
        ("53598001000101305444", DecodeReason.NOT_SYNCHRONISED),
        ("53598001000101305443", DecodeReason.CHECKSUM_WRONG),
        ("53598001000201305443", DecodeReason.SHORT),
        ("53598001000001305443", DecodeReason.TOO_LONG),
    ],
)
def test_a_frame_that_is_none_is_refused_by_name(frame: str, reason: DecodeReason) -> None:
    assert reason_of(bytes.fromhex(frame)) is reason


def test_data_beyond_what_a_radar_sends_are_refused() -> None:
    assert reason_of(wire.micradar_frame(0x80, 1, bytes(65))) is DecodeReason.TOO_LONG


def test_data_shorter_than_the_message_needs_are_refused() -> None:
    assert reason_of(wire.micradar_frame(0x84, 0x0C, bytes(7))) is DecodeReason.SHORT


@pytest.mark.parametrize(
    ("control", "command", "name", "words"),
    [
        (0x80, 0x02, "motion", ("none", "still", "active")),
        (0x80, 0x0B, "approach", ("none", "close", "away")),
        (0x84, 0x01, "bed", ("left bed", "in bed", "none")),
        (0x84, 0x02, "sleep", ("deep", "light", "awake", "none")),
        (0x84, 0x0E, "sleep_anomaly", ("under 4 h", "over 12 h", "long absence", "none")),
        (0x84, 0x0F, "mode", ("real time", "sleep")),
        (0x84, 0x10, "rating", ("none", "good", "average", "poor")),
        (0x84, 0x11, "struggle", ("none", "normal", "abnormal")),
        (0x84, 0x12, "no_one", ("none", "normal", "abnormal")),
        (0x84, 0x1A, "sensitivity", ("low", "middle", "high")),
    ],
)
def test_each_state_has_its_word_and_the_next_number_is_reserved(
    control: int, command: int, name: str, words: tuple[str, ...]
) -> None:
    told = [value(wire.micradar_frame(control, command, bytes([index])), name) for index in range(len(words))]
    assert told == list(words)
    beyond = wire.micradar_frame(control, command, bytes([len(words)]))
    assert reason_of(beyond) is DecodeReason.RESERVED_VALUE


def test_breath_has_four_states_and_0_is_none_of_them() -> None:
    told = [value(wire.micradar_frame(0x81, 1, bytes([index])), "breath_state") for index in (1, 2, 3, 4)]
    assert told == ["normal", "high", "low", "none"]
    for reserved in (0, 5):
        assert reason_of(wire.micradar_frame(0x81, 1, bytes([reserved]))) is DecodeReason.RESERVED_VALUE


def test_a_rate_of_0_is_absent_and_no_measure() -> None:
    for frame, name in ((wire.heart_rate(0), "heart_bpm"), (wire.breath_rate(0), "respiration_per_min")):
        assert value(frame, name) is None
        assert steps_of_radar(decode_micradar(frame)) == {}
        with pytest.raises(DecodeError) as refused:
            observe_radar(decode_micradar(frame), subject=RESIDENT, device="radar-1", times=TIMES)
        assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_rate_beyond_the_radars_own_range_is_refused() -> None:
    assert value(wire.heart_rate(120), "heart_bpm") == 120
    assert reason_of(wire.heart_rate(121)) is DecodeReason.INFINITE
    assert value(wire.breath_rate(35), "respiration_per_min") == 35
    assert reason_of(wire.breath_rate(36)) is DecodeReason.INFINITE


def test_a_place_with_the_bit_that_no_place_has_is_refused() -> None:
    assert value(wire.micradar_frame(0x80, 5, bytes.fromhex("800100000000")), "x_cm") == -1
    assert reason_of(wire.micradar_frame(0x80, 5, bytes.fromhex("400100000000"))) is DecodeReason.RESERVED_VALUE


def test_a_night_is_read_in_full() -> None:
    report = decode_micradar(wire.micradar_frame(0x84, 0x0D, bytes.fromhex("5501c20a3c1e0502090f4203")))
    assert {one.name: one.value for one in report.values} == {
        "sleep_score": 85,
        "total_min": 450,
        "awake_percent": 10,
        "light_percent": 60,
        "deep_percent": 30,
        "out_of_bed_min": 5,
        "out_of_bed_times": 2,
        "turns": 9,
        "average_respiration_per_min": 15,
        "average_heart_bpm": 66,
        "apnoeas": 3,
    }


def test_averages_and_presence_of_the_last_ten_minutes_are_no_measures_of_now() -> None:
    report = decode_micradar(wire.micradar_frame(0x84, 0x0C, bytes.fromhex("01010f4202031401")))
    assert report.get("average_heart_bpm") == 66
    assert steps_of_radar(report) == {}


def test_the_24_ghz_radar_tells_half_metres_and_a_speed_about_ten() -> None:
    report = decode_micradar(wire.micradar_frame(0x08, 0x01, bytes([40, 3, 20, 5, 7])))
    assert [one.value for one in report.values] == [40, Decimal("1.5"), 20, Decimal("2.5"), Decimal("-1.5")]
    assert value(wire.micradar_frame(0x08, 0x8C, bytes.fromhex("000003e8")), "motion_trigger_ms") == 1000


def test_a_wave_is_five_samples_and_a_name_is_text() -> None:
    assert value(wire.micradar_frame(0x85, 5, bytes([128, 130, 0, 255, 1])), "heart_wave") == (128, 130, 0, 255, 1)
    assert value(wire.micradar_frame(0x02, 0xA1, b"R60ABD1\0"), "product_model") == "R60ABD1"


@pytest.mark.parametrize(
    ("command", "name"),
    [(0x8C, "sleep mode"), (0x8D, "sleep summary"), (0x8E, "sleep anomaly"), (0x8F, "night report"), (0x81, "bed")],
)
def test_a_query_of_sleep_asks_for_the_report_it_is_for_and_tells_nothing(command: int, name: str) -> None:
    report = decode_micradar(wire.micradar_frame(0x84, command, b"\x0f"))
    assert (report.name, report.query, report.values) == (name, True, ())


def test_an_answer_tells_what_the_report_does() -> None:
    answer = decode_micradar(wire.micradar_frame(0x85, 0x82, bytes([66])))
    assert answer == decode_micradar(_HEART_66)


def test_an_answer_that_might_be_a_query_tells_nothing() -> None:
    assert steps_of_radar(decode_micradar(wire.micradar_frame(0x81, 0x82, bytes([15])))) == {}
    assert steps_of_radar(decode_micradar(wire.breath_rate(15))) == {"respiration": 150}


def test_a_message_that_no_table_names_is_told_as_such() -> None:
    report = decode_micradar(wire.micradar_frame(0x77, 0x01, b"\x01"))
    assert (report.name, report.values) == (None, ())


@pytest.mark.parametrize(
    ("frame", "steps"),
    [
        (wire.presence(True), {"presence": 1}),
        (wire.presence(False), {"presence": 0}),
        (wire.motion(wire.NO_MOTION), {"motion": 0}),
        (wire.motion(wire.STILL), {"motion": 0}),
        (wire.motion(wire.ACTIVE), {"motion": 1}),
        (wire.bed(wire.OUT_OF_BED), {"bed_occupancy": 0}),
        (wire.bed(wire.IN_BED), {"bed_occupancy": 1}),
        (wire.bed(wire.BED_UNKNOWN), {}),
        (wire.breath_rate(15), {"respiration": 150}),
        (_HEART_66, {"heart_rate_radar": 66}),
        (wire.fall(True), {"fall": 1}),
        (wire.fall(False), {"fall": 0}),
        (wire.micradar_frame(0x83, 0x01, b"\x02"), {"fall": 1}),
        (wire.micradar_frame(0x83, 0x05, b"\x01"), {}),
        (wire.sleep_state(wire.DEEP), {}),
        (wire.heartbeat(), {}),
    ],
)
def test_what_is_a_measure_and_what_is_none(frame: bytes, steps: dict[str, int]) -> None:
    report = decode_micradar(frame)
    assert steps_of_radar(report) == steps
    if steps:
        (reading,) = observe_radar(report, subject=RESIDENT, device="radar-1", times=TIMES)
        assert {reading.metric: reading.series(reading.metric)[0]} == steps
        assert (reading.subject, reading.device, reading.times) == (RESIDENT, "radar-1", TIMES)


def cut(stream: bytes, step: int) -> tuple[list[bytes], int]:
    """The frames of a stream that comes in pieces, and how many bytes belonged to none."""
    framing = MicradarFraming()
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    found += framing.end()
    return found, framing.bad_bytes


@given(
    st.lists(_frames, max_size=12), st.integers(1, 40), st.binary(max_size=20).filter(lambda noise: 0x53 not in noise)
)
def test_a_stream_in_any_pieces_is_the_same_frames(sent: list[bytes], step: int, noise: bytes) -> None:
    assert cut(noise + b"".join(sent), step) == (sent, len(noise))


@given(st.binary(max_size=400), st.integers(1, 40))
def test_every_byte_belongs_to_a_frame_or_is_counted(stream: bytes, step: int) -> None:
    found, bad_bytes = cut(stream, step)
    assert sum(map(len, found)) + bad_bytes == len(stream)


@pytest.mark.parametrize("wrong", ["5359850200400042", "53598502ffff42", "53598502000142005443", "53", "535985"])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_the_next_frame_is_not_lost_nor_late_behind_a_wrong_length_or_sum(wrong: str, step: int) -> None:
    framing = MicradarFraming()
    stream = bytes.fromhex(wrong) + _HEART_66
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    assert found == [_HEART_66]
    assert framing.bad_bytes == len(bytes.fromhex(wrong))


@given(st.binary(max_size=2000))
def test_no_more_than_one_frame_is_held(stream: bytes) -> None:
    framing = MicradarFraming()
    found = framing.feed(stream * 3)
    assert 3 * len(stream) - framing.bad_bytes - sum(map(len, found)) < 73
