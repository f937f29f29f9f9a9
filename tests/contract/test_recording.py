"""A recording gives back what was put in, in order of true time, and names the place where it is damaged."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import ClockState, Envelope, Observation, Part, Subject, SubjectKind, Times, encode_envelope
from kanhu.contract.recording import (
    Reaction,
    Recorded,
    RecordingRefused,
    Silence,
    VillagePlan,
    decode_plan,
    encode_plan,
    pack_day,
    read_readings,
)
from tests.contract.golden import FINDING

_DAY_MS = 86_400_000
_EPOCH = "ab" * 16


def _reading(gateway: str, seq: int, true_ms: int) -> Recorded:
    observation = Observation(
        "help_button",
        (Part("help_button", (1,)),),
        Subject(SubjectKind.RESIDENT, "r-1"),
        "button-1",
        Times(true_ms + 7, seq, "0" * 32, ClockState.SYNCED),
    )
    return Recorded(true_ms, gateway, _EPOCH, seq, observation)


def _packed(*readings: Recorded) -> bytes:
    days = sorted({reading.true_ms // _DAY_MS for reading in readings})
    return b"".join(
        frame
        for day in days
        for frame in pack_day(day, [reading for reading in readings if reading.true_ms // _DAY_MS == day])
    )


@given(st.lists(st.tuples(st.sampled_from(["home-1", "home-2"]), st.integers(0, 3 * _DAY_MS)), max_size=60))
def test_every_reading_comes_back_in_order_of_true_time(drawn: list[tuple[str, int]]) -> None:
    readings = [
        _reading(gateway, seq, true_ms) for seq, (gateway, true_ms) in enumerate(sorted(drawn, key=lambda d: d[1]), 1)
    ]
    back = list(read_readings(io.BytesIO(_packed(*readings)), place="r"))
    assert back == sorted(readings, key=lambda reading: (reading.true_ms, reading.gateway, reading.seq))


def test_a_gateway_with_more_readings_than_a_frame_holds_is_read_whole() -> None:
    readings = [_reading("home-1", seq, seq * 10) for seq in range(1, 5001)]
    assert list(read_readings(io.BytesIO(_packed(*readings)), place="r")) == readings


@given(st.data())
def test_damage_is_named_or_harmless_and_never_anything_else(data: st.DataObject) -> None:
    whole = _packed(*(_reading("home-1", seq, seq * 1000) for seq in range(1, 40)))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from([whole[:at], whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :], whole + whole[:at]])
    )
    places = ["readings.bin"]
    try:
        list(read_readings(io.BytesIO(damaged), place="readings.bin"))
    except RecordingRefused as refused:
        places.append(refused.place)
    assert all(place.startswith("readings.bin") for place in places)


def test_days_out_of_order_are_refused() -> None:
    late, early = _reading("home-1", 2, 5 * _DAY_MS), _reading("home-1", 1, 0)
    frames = b"".join([*pack_day(5, [late]), *pack_day(0, [early])])
    with pytest.raises(RecordingRefused, match="day 0 stands after day 5"):
        list(read_readings(io.BytesIO(frames), place="r"))


def test_a_plan_comes_back_and_a_wrong_one_is_refused() -> None:
    plan = VillagePlan("v-1", (Silence("home-1", 5, 9, "link"),), ((1, 2),), (Reaction(60.0, 600.0),))
    assert decode_plan(encode_plan(plan), place="village.json") == plan
    with pytest.raises(RecordingRefused, match=r"village\.json"):
        decode_plan(b'{"village": 7}', place="village.json")


def test_a_finding_in_a_recording_is_refused() -> None:
    wire = encode_envelope(Envelope("home-1", _EPOCH, ((1, FINDING),)))
    frame = msgspec.msgpack.encode((0, [1], wire))
    with pytest.raises(RecordingRefused, match="unjudged"):
        list(read_readings(io.BytesIO(len(frame).to_bytes(4, "big") + frame), place="r"))
