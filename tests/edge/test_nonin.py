"""Nonin's format 2: what its publisher showed, what the simulator writes, missing values, doubts, and other bytes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason
from kanhu.edge.codecs.nonin import decode_nonin_frame, decode_nonin_packet
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.nonin import nonin_frame, nonin_packet

# pez-globo/pufferfish-vent-software@55a9e0e
_PUBLISHED = (
    "018101008301800148ca01800161e301800130b2018001008201800100820180010082018001008201800161e301800161e301800161e3018001"
    "00820180010082018001008201800148ca01800161e301800161e301800100820180010082018001008201800148ca018001008201800148ca01"
    "800100820180010082"
)


def test_the_published_packet_says_the_same_everywhere() -> None:
    packet = decode_nonin_packet(bytes.fromhex(_PUBLISHED))
    assert (packet.heart_rate_bpm, packet.e_heart_rate_bpm, packet.heart_rate_d_bpm) == (72, 72, 72)
    assert {packet.spo2_percent, packet.spo2_fast_percent, packet.spo2_beat_percent, packet.e_spo2_percent} == {97}
    assert (packet.revision, packet.doubts) == (48, ())


@given(rate=st.integers(0, 510), saturation=st.integers(0, 126))
def test_a_rate_of_nine_bits_and_a_saturation_are_read_back(rate: int, saturation: int) -> None:
    packet = decode_nonin_packet(nonin_packet(heart_rate_bpm=rate, spo2_percent=saturation))
    assert (packet.heart_rate_bpm, packet.e_heart_rate_d_bpm) == (rate, rate)
    assert (packet.spo2_percent, packet.e_spo2_d_percent) == (saturation, saturation)


def test_511_and_127_are_no_value() -> None:
    packet = decode_nonin_packet(nonin_packet(heart_rate_bpm=511, spo2_percent=127))
    assert (packet.heart_rate_bpm, packet.spo2_percent) == (None, None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0x40, QualityReason.NO_CONTACT),
        (0x20, QualityReason.MOTION),
        (0x10, QualityReason.SEARCHING),
        (0x08, QualityReason.FINGER_OUT),
        (0x04, QualityReason.LOW_PERFUSION),
        (0x06, QualityReason.WEAK_SIGNAL),
    ],
)
def test_what_one_frame_doubts_is_a_doubt_of_the_packet(status: int, reason: QualityReason) -> None:
    packet = decode_nonin_packet(nonin_packet(heart_rate_bpm=70, spo2_percent=95, status={17: status}))
    assert packet.doubts == (reason,)


def test_green_perfusion_is_no_doubt() -> None:
    assert decode_nonin_frame(nonin_frame(0x02, 0, 0)).doubts == ()


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("0180014", DecodeReason.SHORT),
        ("01800148cb", DecodeReason.CHECKSUM_WRONG),
        ("0100014849", DecodeReason.NOT_SYNCHRONISED),
        ("02800148cb", DecodeReason.NOT_SYNCHRONISED),
        ("01800148ca00", DecodeReason.TOO_LONG),
    ],
)
def test_what_is_no_frame_is_refused_by_name(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_nonin_frame(bytes.fromhex(frame if len(frame) % 2 == 0 else f"{frame}8"))
    assert refused.value.reason is reason


def test_a_packet_begins_with_its_first_frame_and_nowhere_else() -> None:
    whole = nonin_packet(heart_rate_bpm=70, spo2_percent=95)
    for wrong in (whole[5:] + whole[:5], nonin_packet(heart_rate_bpm=70, spo2_percent=95, status={9: 0x01})):
        with pytest.raises(DecodeError) as refused:
            decode_nonin_packet(wrong)
        assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


@given(data=st.data())
def test_any_bytes_are_decoded_or_refused(data: st.DataObject) -> None:
    packet = bytearray(nonin_packet(heart_rate_bpm=70, spo2_percent=95))
    packet[data.draw(st.integers(0, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
    for each in (bytes(packet), data.draw(st.binary(max_size=130))):
        with suppress(DecodeError):
            decode_nonin_packet(each)
        with suppress(DecodeError):
            decode_nonin_frame(each[:5])
