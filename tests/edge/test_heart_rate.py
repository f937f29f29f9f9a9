"""Heart Rate Measurement: published frames, own frames, and what a zero means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityLevel, QualityReason
from kanhu.edge.codecs.heart_rate import decode_heart_rate, observe_heart_rate
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("heart_rate"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    if "error" in vector.expected:
        with pytest.raises(DecodeError):
            decode_heart_rate(vector.frame)
        return
    record = decode_heart_rate(vector.frame)
    assert record.rate_bpm == vector.expected["heart_rate_bpm"]
    assert record.contact == vector.expected["contact"]
    assert record.energy_kj == vector.expected["energy_kj"]
    assert list(record.intervals_1024th_s) == (vector.expected["rr_1024"] or [])


def frame_of(*, rate: int, wide: bool, contact: bool | None, energy: int | None, intervals: list[int]) -> bytes:
    flags = int(wide) | {None: 0, False: 0b100, True: 0b110}[contact]
    body = rate.to_bytes(2 if wide else 1, "little")
    if energy is not None:
        flags |= 0x08
        body += energy.to_bytes(2, "little")
    if intervals:
        flags |= 0x10
        body += b"".join(interval.to_bytes(2, "little") for interval in intervals)
    return bytes([flags]) + body


@given(
    rate=st.integers(1, 255),
    wide=st.booleans(),
    contact=st.none() | st.booleans(),
    energy=st.none() | st.integers(0, 65535),
    intervals=st.lists(st.integers(0, 65535), max_size=9),
)
def test_every_field_is_read_back_exactly(
    *, rate: int, wide: bool, contact: bool | None, energy: int | None, intervals: list[int]
) -> None:
    frame = frame_of(rate=rate, wide=wide, contact=contact, energy=energy, intervals=intervals)
    record = decode_heart_rate(frame)
    assert (record.rate_bpm, record.contact, record.energy_kj) == (rate, contact, energy)
    observation = observe_heart_rate(record, subject=RESIDENT, device="strap", times=TIMES)
    assert observation.series("heart_rate") == (rate,)
    assert observation.series("rr_interval") == tuple(interval * 125 for interval in intervals)
    assert (observation.quality.level is QualityLevel.OK) == (contact is not False)


@given(st.integers(1, 9), st.integers(1, 65535))
def test_a_frame_cut_anywhere_is_refused_as_short(count: int, interval: int) -> None:
    frame = frame_of(rate=70, wide=True, contact=True, energy=3, intervals=[interval] * count)
    for length in (0, 1, 2, 3, 4, 5, len(frame) - 1):
        with pytest.raises(DecodeError) as refused:
            decode_heart_rate(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


def test_one_1024th_of_a_second_is_kept_exactly() -> None:
    observation = observe_heart_rate(
        decode_heart_rate(frame_of(rate=60, wide=False, contact=None, energy=None, intervals=[1024])),
        subject=RESIDENT,
        device="strap",
        times=TIMES,
    )
    assert observation.value("rr_interval") == 1000


@pytest.mark.parametrize(
    ("contact", "reason"),
    [(False, DecodeReason.NO_CONTACT), (True, DecodeReason.NO_VALUE), (None, DecodeReason.NO_VALUE)],
)
def test_a_rate_of_zero_is_never_a_reading(contact: bool | None, reason: DecodeReason) -> None:
    record = decode_heart_rate(frame_of(rate=0, wide=False, contact=contact, energy=None, intervals=[]))
    with pytest.raises(DecodeError) as refused:
        observe_heart_rate(record, subject=RESIDENT, device="strap", times=TIMES)
    assert refused.value.reason is reason


def test_a_value_without_contact_is_questionable() -> None:
    record = decode_heart_rate(frame_of(rate=88, wide=False, contact=False, energy=None, intervals=[]))
    observation = observe_heart_rate(record, subject=RESIDENT, device="strap", times=TIMES)
    assert observation.quality.reasons == (QualityReason.NO_CONTACT,)
    assert observation.quality.level is QualityLevel.QUESTIONABLE


def test_the_contact_bit_alone_means_nothing() -> None:
    assert decode_heart_rate(bytes([0b010, 70])).contact is None
