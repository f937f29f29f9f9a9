"""Records of Omron cuffs: published slots in both layouts, empty slots, clamped seconds, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityLevel, QualityReason
from kanhu.edge.codecs.omron_record import OmronLayout, OmronRecord, decode_omron_record, observe_omron_record
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading
from kanhu.firmware_sim.wire.omron_record import omron_big_record, omron_little_record
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_SLOT = "6558541a331ade1800004c00ba00"

readings = st.builds(
    StoredCuffReading,
    systolic=st.integers(25, 250),
    diastolic=st.integers(1, 255),
    pulse=st.integers(1, 255),
    measured_at=st.datetimes(datetime(2000, 1, 1), datetime(2063, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # as hypothesis wants them
    irregular=st.booleans(),
    moved=st.booleans(),
)


@pytest.mark.parametrize("vector", vectors("omron_record"), ids=name_of)
def test_published_slots(vector: Vector) -> None:
    layout = OmronLayout(vector.given["layout"])
    expected = vector.expected
    if "error" in expected:
        with pytest.raises(DecodeError) as refused:
            decode_omron_record(vector.frame, layout=layout)
        assert refused.value.reason is DecodeReason.NO_VALUE
        return
    record = decode_omron_record(vector.frame, layout=layout)
    assert record.systolic_mmhg == expected["systolic_mmHg"]
    assert record.diastolic_mmhg == expected["diastolic_mmHg"]
    assert record.pulse_bpm == expected["pulse_bpm"]
    if "timestamp" in expected:
        assert record.measured_at_ms == milliseconds(datetime.fromisoformat(expected["timestamp"]).replace(tzinfo=UTC))
    if "record_id" in expected:
        assert record.sequence == expected["record_id"]


def milliseconds(moment: datetime) -> int:
    return int(moment.replace(microsecond=0).timestamp()) * 1000


@given(readings, st.integers(0, 0xFFFF))
def test_a_simulated_cuff_is_read_back_in_both_layouts(reading: StoredCuffReading, sequence: int) -> None:
    expected = OmronRecord(
        systolic_mmhg=reading.systolic,
        diastolic_mmhg=reading.diastolic,
        pulse_bpm=reading.pulse,
        measured_at_ms=milliseconds(reading.measured_at),
        irregular_pulse=reading.irregular,
        body_moved=reading.moved,
        sequence=sequence,
    )
    little = omron_little_record(reading, sequence=sequence)
    assert decode_omron_record(little, layout=OmronLayout.LITTLE) == expected
    big = decode_omron_record(omron_big_record(reading), layout=OmronLayout.BIG)
    assert big.sequence is None
    assert big == OmronRecord(
        expected.systolic_mmhg, expected.diastolic_mmhg, expected.pulse_bpm, expected.measured_at_ms,
        expected.irregular_pulse, expected.body_moved, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        (bytes(14), OmronLayout.LITTLE),
        (bytes(14), OmronLayout.BIG),
        (b"\xff" * 14, OmronLayout.LITTLE),
        (b"\xff" * 14, OmronLayout.BIG),
        (bytes([0x65]) + bytes(13), OmronLayout.LITTLE),
        (bytes([0, 0x65]) + bytes(12), OmronLayout.BIG),
    ],
)
def test_a_slot_that_was_never_filled_is_empty(record: bytes, layout: OmronLayout) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_omron_record(record, layout=layout)
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_systolic_above_0xe1_marks_an_empty_slot_of_the_little_layout() -> None:
    highest = bytes([0xE1]) + bytes.fromhex(_SLOT)[1:]
    assert decode_omron_record(highest, layout=OmronLayout.LITTLE).systolic_mmhg == 250
    with pytest.raises(DecodeError) as refused:
        decode_omron_record(bytes([0xE2]) + highest[1:], layout=OmronLayout.LITTLE)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("second", [60, 63])
def test_seconds_past_the_minute_are_its_last(second: int) -> None:
    slot = bytearray.fromhex(_SLOT)
    slot[6] = slot[6] & 0xC0 | second
    expected = milliseconds(datetime(2026, 6, 17, 19, 35, 59, tzinfo=UTC))
    assert decode_omron_record(bytes(slot), layout=OmronLayout.LITTLE).measured_at_ms == expected


def test_a_date_that_names_no_moment_is_a_clock_never_set() -> None:
    slot = bytearray.fromhex(_SLOT)
    slot[4:6] = b"\x00\x00"
    record = decode_omron_record(bytes(slot), layout=OmronLayout.LITTLE)
    assert record.measured_at_ms is None
    observation = observe_omron_record(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


def test_a_slot_is_one_reading() -> None:
    record = decode_omron_record(bytes.fromhex(_SLOT), layout=OmronLayout.LITTLE)
    observation = observe_omron_record(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.metric == "bp"
    assert [observation.value(code) for code in ("systolic", "diastolic", "pulse_cuff")] == [126, 88, 84]
    assert observation.times.device_ms == record.measured_at_ms
    assert observation.quality.reasons == ()


@pytest.mark.parametrize(
    ("bit", "level", "reasons"),
    [(14, QualityLevel.OK, ()), (15, QualityLevel.QUESTIONABLE, (QualityReason.MOTION,))],
)
def test_a_moved_body_is_a_doubt_and_an_irregular_pulse_is_none(
    bit: int, level: QualityLevel, reasons: tuple[QualityReason, ...]
) -> None:
    slot = bytearray.fromhex(_SLOT)
    slot[5] |= 1 << bit - 8
    record = decode_omron_record(bytes(slot), layout=OmronLayout.LITTLE)
    assert record.irregular_pulse == (bit == 14)
    quality = observe_omron_record(record, subject=RESIDENT, device="cuff", times=TIMES).quality
    assert quality.level is level
    assert quality.reasons == reasons


@pytest.mark.parametrize("layout", OmronLayout)
def test_a_pulse_of_zero_and_a_diastolic_of_zero_are_none(layout: OmronLayout) -> None:
    places = {OmronLayout.LITTLE: (2, 1), OmronLayout.BIG: (3, 0)}
    pulse, diastolic = places[layout]
    slot = bytearray.fromhex(_SLOT)
    slot[pulse] = 0
    assert decode_omron_record(bytes(slot), layout=layout).pulse_bpm is None
    slot[diastolic] = 0
    with pytest.raises(DecodeError) as refused:
        decode_omron_record(bytes(slot), layout=layout)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("layout", OmronLayout)
@pytest.mark.parametrize(("length", "reason"), [(13, DecodeReason.SHORT), (15, DecodeReason.TOO_LONG)])
def test_another_length_is_refused(layout: OmronLayout, length: int, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_omron_record(bytes(length), layout=layout)
    assert refused.value.reason is reason


@given(st.binary(max_size=20) | st.binary(min_size=14, max_size=14), st.sampled_from(OmronLayout))
def test_any_bytes_decode_or_are_refused(record: bytes, layout: OmronLayout) -> None:
    with suppress(DecodeError):
        decoded = decode_omron_record(record, layout=layout)
        observe_omron_record(decoded, subject=RESIDENT, device="cuff", times=TIMES)
