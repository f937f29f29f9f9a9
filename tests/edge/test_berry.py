"""Berry oximeters: packets, and the stream they come in."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Quality, QualityLevel, QualityReason
from kanhu.edge.codecs.berry import BerryPacket, decode_berry
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.folding import OximeterWindow
from kanhu.edge.framing import Cms50dFraming
from kanhu.firmware_sim.wire.berry import BerryOximeterPacket, berry_packet
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_GOOD = BerryOximeterPacket(spo2_percent=98, pulse_bpm=80, pleth=55, bar=9)

_packets = st.builds(
    BerryOximeterPacket,
    spo2_percent=st.integers(1, 100),
    pulse_bpm=st.integers(1, 254),
    signal_strength=st.integers(0, 8),
    pleth=st.integers(1, 100),
    bar=st.integers(0, 15),
    no_signal=st.booleans(),
    probe_unplugged=st.booleans(),
    beep=st.booleans(),
    no_finger=st.booleans(),
    searching=st.booleans(),
)


@pytest.mark.parametrize("vector", vectors("berry"), ids=name_of)
def test_published_packets(vector: Vector) -> None:
    packet = decode_berry(vector.frame)
    names = {"signal_strength": "signal", "spo2_pct": "spo2_percent"}
    for name, value in vector.expected.items():
        assert getattr(packet, names.get(name, name)) == value
    assert packet.valid


@given(_packets)
def test_a_simulated_packet_is_read_back(sent: BerryOximeterPacket) -> None:
    assert decode_berry(berry_packet(sent)) == BerryPacket(
        signal=sent.signal_strength,
        no_signal=sent.no_signal,
        probe_unplugged=sent.probe_unplugged,
        beep=sent.beep,
        pleth=sent.pleth,
        bar=sent.bar,
        no_finger=sent.no_finger,
        searching=sent.searching,
        pulse_bpm=sent.pulse_bpm,
        spo2_percent=sent.spo2_percent,
    )


@pytest.mark.parametrize(
    ("frame", "told", "reason"),
    [
        ("9637095062", "no_signal", QualityReason.WEAK_SIGNAL),
        ("a637095062", "probe_unplugged", QualityReason.FINGER_OUT),
        ("8637195062", "no_finger", QualityReason.FINGER_OUT),
        ("8637295062", "searching", QualityReason.SEARCHING),
    ],
)
def test_each_doubt_has_its_own_bit_and_ends_validity(frame: str, told: str, reason: QualityReason) -> None:
    packet = decode_berry(bytes.fromhex(frame))
    doubts = ("no_signal", "probe_unplugged", "no_finger", "searching")
    assert [name for name in doubts if getattr(packet, name)] == [told]
    assert packet.doubt is reason
    assert not packet.valid


def test_bit_7_of_the_pulse_comes_from_the_third_byte() -> None:
    assert decode_berry(bytes.fromhex("8637490262")).pulse_bpm == 130


@pytest.mark.parametrize("spo2", [0, 101, 127])
def test_a_saturation_that_is_none_is_absent(spo2: int) -> None:
    packet = decode_berry(berry_packet(replace(_GOOD, spo2_percent=spo2)))
    assert packet.spo2_percent is None
    assert not packet.valid


@pytest.mark.parametrize("pulse", [0, 255])
def test_a_pulse_that_is_none_is_absent(pulse: int) -> None:
    packet = decode_berry(berry_packet(replace(_GOOD, pulse_bpm=pulse)))
    assert packet.pulse_bpm is None
    assert not packet.valid


def test_a_wave_of_zero_is_absent_and_no_doubt() -> None:
    packet = decode_berry(berry_packet(replace(_GOOD, pleth=0)))
    assert packet.pleth is None
    assert packet.valid


@given(st.binary(max_size=12))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        assert len(decode_berry(frame)) == 10


@given(_packets, st.integers(0, 4), st.integers(0, 39))
def test_a_packet_cut_short_or_out_of_step_is_refused(sent: BerryOximeterPacket, length: int, bit: int) -> None:
    frame = berry_packet(sent)
    with pytest.raises(DecodeError) as short:
        decode_berry(frame[:length])
    assert short.value.reason is DecodeReason.SHORT
    flipped = bytearray(frame)
    flipped[bit // 8] ^= 1 << bit % 8
    if bit % 8 == 7:
        with pytest.raises(DecodeError) as unsynchronised:
            decode_berry(bytes(flipped))
        assert unsynchronised.value.reason is DecodeReason.NOT_SYNCHRONISED
    else:
        decode_berry(bytes(flipped))


@given(st.lists(_packets, max_size=30), st.integers(1, 20))
def test_a_stream_in_any_pieces_is_the_same_packets(sent: list[BerryOximeterPacket], step: int) -> None:
    frames = [berry_packet(one) for one in sent]
    stream = b"\x01\x02" + b"".join(frames)
    framing = Cms50dFraming()
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    framing.end()
    assert found == frames
    assert framing.bad_bytes == 2


@pytest.mark.parametrize(
    ("doubtful", "reasons"),
    [
        (_GOOD, ()),
        (replace(_GOOD, no_finger=True), (QualityReason.FINGER_OUT,)),
        (replace(_GOOD, no_signal=True), (QualityReason.WEAK_SIGNAL,)),
    ],
)
def test_ten_seconds_are_one_reading_and_one_doubt_makes_it_questionable(
    doubtful: BerryOximeterPacket, reasons: tuple[QualityReason, ...]
) -> None:
    window = OximeterWindow(packets=1000)
    full = []
    for one in [doubtful] + [_GOOD] * 999:
        window.add(decode_berry(berry_packet(one)))
        full.append(window.full)
    assert full == [False] * 999 + [True]
    reading = window.fold(subject=RESIDENT, device="ox-04", times=TIMES)
    assert [(part.metric, part.steps) for part in reading.parts] == [("spo2", (980,)), ("pulse_oximeter", (800,))]
    assert reading.quality == (Quality(QualityLevel.QUESTIONABLE, reasons) if reasons else Quality())


def test_a_window_without_a_finger_is_never_a_reading() -> None:
    window = OximeterWindow(packets=1000)
    for _ in range(1000):
        window.add(decode_berry(berry_packet(replace(_GOOD, no_finger=True))))
    with pytest.raises(DecodeError) as refused:
        window.fold(subject=RESIDENT, device="ox-04", times=TIMES)
    assert refused.value.reason is DecodeReason.NO_VALID_PACKETS
