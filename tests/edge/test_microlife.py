"""Frames and records of Microlife cuffs: published ones, commands byte by byte, empty slots, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason
from kanhu.edge.codecs.microlife import (
    MicrolifeRecord,
    decode_microlife,
    decode_microlife_records,
    encode_microlife_disconnect,
    encode_microlife_get_records,
    encode_microlife_set_time,
    microlife_frame_bytes,
    observe_microlife,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading
from kanhu.firmware_sim.wire.microlife import microlife_frame, microlife_records
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

readings = st.builds(
    StoredCuffReading,
    systolic=st.integers(1, 255),
    diastolic=st.integers(1, 255),
    pulse=st.integers(1, 255),
    measured_at=st.datetimes(datetime(2000, 1, 1), datetime(2255, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # as hypothesis wants them
)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


@pytest.mark.parametrize("vector", vectors("microlife"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    expected = vector.expected
    if "error" in expected:
        with pytest.raises(DecodeError):
            decode_microlife(vector.frame)
        return
    if "payload" in expected:
        assert list(decode_microlife(vector.frame)) == expected["payload"]
        return
    records = decode_microlife_records(vector.frame)
    assert [(one.systolic_mmhg, one.diastolic_mmhg, one.pulse_bpm) for one in records] == [
        (one["systolic"], one["diastolic"], one["pulse_bpm"]) for one in expected["records"]
    ]
    assert [one.measured_at_ms for one in records] == [
        milliseconds(datetime(**one["timestamp"], tzinfo=UTC)) for one in expected["records"]
    ]


@given(st.lists(st.none() | readings, max_size=40))
def test_a_simulated_memory_is_read_back_without_its_empty_slots(slots: list[StoredCuffReading | None]) -> None:
    frame = microlife_frame(microlife_records(slots))
    assert microlife_frame_bytes(frame[:4]) == len(frame)
    expected = [
        MicrolifeRecord(
            one.systolic, one.diastolic, one.pulse, milliseconds(one.measured_at.replace(second=0, microsecond=0))
        )
        for one in slots
        if one is not None
    ]
    assert list(decode_microlife_records(decode_microlife(frame))) == expected


@given(st.binary(max_size=60))
def test_any_payload_is_read_back_and_none_cut_short(payload: bytes) -> None:
    frame = microlife_frame(payload)
    assert decode_microlife(frame) == payload
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_microlife(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with pytest.raises(DecodeError) as refused:
        decode_microlife(frame + b"\x00")
    assert refused.value.reason is DecodeReason.TOO_LONG


@given(st.binary(max_size=60), st.integers(0, 10_000))
def test_one_bit_that_flips_is_found(payload: bytes, place: int) -> None:
    frame = bytearray(microlife_frame(payload))
    bit = place % (8 * len(frame))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        decode_microlife(bytes(frame))


def test_a_frame_of_the_host_is_none_of_the_cuff() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_microlife(encode_microlife_disconnect())
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


@pytest.mark.parametrize("frame", ["4d3a0000", "4d3a000087"])
def test_a_frame_without_room_for_its_sum_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError):
        decode_microlife(bytes.fromhex(frame))


def test_the_length_is_told_once_it_has_arrived() -> None:
    assert microlife_frame_bytes(b"M:\x00") is None
    assert microlife_frame_bytes(b"M:\x00\x02") == 6
    assert microlife_frame_bytes(b"M:\x01\x00") == 260


def test_commands_are_written_as_published() -> None:
    assert encode_microlife_get_records() == bytes([77, 255, 0, 9, 0, 0, 0, 0, 0, 0, 0, 253, 82])
    assert encode_microlife_disconnect() == bytes([77, 255, 0, 2, 4, 82])
    known = milliseconds(datetime(2024, 6, 15, 14, 30, 45, tzinfo=UTC))
    assert encode_microlife_set_time(known) == bytes([77, 255, 0, 8, 13, 24, 6, 15, 14, 30, 45, 231])


def test_a_year_the_cuff_cannot_hold_is_never_set() -> None:
    with pytest.raises(ValueError, match="range"):
        encode_microlife_set_time(milliseconds(datetime(1999, 12, 31, tzinfo=UTC)))


@pytest.mark.parametrize("slot", ["7850 3c 18 00 0f 0e 1e", "7850 3c 18 02 1f 0e 1e", "7850 3c 18 06 0f 18 1e"])
def test_a_record_whose_date_names_no_moment_is_left_out(slot: str) -> None:
    assert decode_microlife_records(bytes(38) + bytes.fromhex(slot)) == ()


@pytest.mark.parametrize("slot", ["0050 3c 18 06 0f 0e 1e", "7800 3c 18 06 0f 0e 1e"])
def test_a_record_without_a_pressure_is_left_out(slot: str) -> None:
    assert decode_microlife_records(bytes(38) + bytes.fromhex(slot)) == ()


def test_a_record_is_one_reading() -> None:
    (record,) = decode_microlife_records(bytes(38) + bytes.fromhex("7850 00 18 06 0f 0e 1e"))
    observation = observe_microlife(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert [part.metric for part in observation.parts] == ["systolic", "diastolic"]
    assert observation.value("systolic") == 120
    assert observation.times.device_ms == milliseconds(datetime(2024, 6, 15, 14, 30, tzinfo=UTC))
    assert observation.quality.reasons == ()


def test_a_clock_that_was_never_set_is_named() -> None:
    (record,) = decode_microlife_records(bytes(38) + bytes.fromhex("7850 3c 0f 01 01 00 00"))
    observation = observe_microlife(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)


@given(st.binary(max_size=120))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for whole in (frame, microlife_frame(frame)):
        with suppress(DecodeError):
            for record in decode_microlife_records(decode_microlife(whole)):
                observe_microlife(record, subject=RESIDENT, device="cuff", times=TIMES)


def test_a_payload_that_no_frame_can_hold_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_microlife_records(bytes(70_000))
    assert refused.value.reason is DecodeReason.TOO_LONG


def test_a_record_counts_once_its_eight_bytes_are_there() -> None:
    payload = bytes(38) + bytes.fromhex("7850 3c 18 06 0f 0e 1e 0000 8255 46 19 01 02 03 04")
    counts = [len(decode_microlife_records(payload[:length])) for length in range(len(payload) + 1)]
    assert counts == [0] * 46 + [1] * 10 + [2]
