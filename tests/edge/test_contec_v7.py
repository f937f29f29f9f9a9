"""Contec oximeters of protocol V7: packets, commands, and the stream they come in."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason
from kanhu.edge.codecs import contec_v7
from kanhu.edge.codecs.contec_v7 import Command, V7Live, V7Packet, V7Refusal, V7Stored, V7StoredLength
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.folding import WINDOW_PACKETS, OximeterWindow
from kanhu.edge.framing import ContecV7Framing
from kanhu.firmware_sim.wire import contec_v7 as wire
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_DECODERS: list[Callable[[bytes], object]] = [
    contec_v7.decode_v7_packet,
    contec_v7.decode_v7_live,
    contec_v7.decode_v7_stored,
    contec_v7.decode_v7_stored_length,
    contec_v7.decode_v7_command,
    contec_v7.decode_v7_refusal,
    contec_v7.decode_v7_disconnected,
]

_lives = st.builds(
    wire.ContecV7Live,
    spo2_percent=st.integers(1, 100),
    pulse_bpm=st.integers(1, 254),
    signal_strength=st.integers(0, 8),
    pleth=st.integers(0, 127),
    bar=st.integers(0, 15),
    search_too_long=st.booleans(),
    spo2_low=st.booleans(),
    beep=st.booleans(),
    probe_error=st.booleans(),
    searching=st.booleans(),
    perfusion_hundredths=st.none() | st.integers(1, 0xFFFE),
)
_packets = st.tuples(st.integers(0, 0x7F), st.binary(min_size=1, max_size=7))


def live_of(data: str) -> V7Live:
    return contec_v7.decode_v7_live(wire.v7_packet(0x01, bytes.fromhex(data)))


@pytest.mark.parametrize("vector", vectors("contec_v7"), ids=name_of)
def test_published_packets(vector: Vector) -> None:
    packet = contec_v7.decode_v7_packet(vector.frame)
    assert packet.type == vector.expected["package_type"]
    if "command" in vector.expected:
        assert contec_v7.decode_v7_command(vector.frame).command == vector.expected["command"]
        assert contec_v7.encode_v7_command(Command.START_LIVE) == vector.frame
    else:
        assert list(packet.data) == vector.expected["data"]


@given(_packets)
def test_a_simulated_packet_of_any_type_is_read_back(sent: tuple[int, bytes]) -> None:
    assert contec_v7.decode_v7_packet(wire.v7_packet(*sent)) == V7Packet(*sent)


@given(_lives)
def test_simulated_live_data_are_read_back(sent: wire.ContecV7Live) -> None:
    hundredths = sent.perfusion_hundredths
    assert contec_v7.decode_v7_live(wire.v7_live(sent)) == V7Live(
        signal=sent.signal_strength,
        search_too_long=sent.search_too_long,
        spo2_low=sent.spo2_low,
        beep=sent.beep,
        probe_error=sent.probe_error,
        pleth=sent.pleth,
        searching=sent.searching,
        bar=sent.bar,
        perfusion_valid=hundredths is not None,
        pulse_bpm=sent.pulse_bpm,
        spo2_percent=sent.spo2_percent,
        perfusion_percent=None if hundredths is None else Decimal(hundredths) / 100,
    )


@given(st.sampled_from(Command), st.binary(max_size=6))
def test_a_command_is_sent_as_the_simulator_sends_it(command: Command, arguments: bytes) -> None:
    frame = contec_v7.encode_v7_command(command, arguments)
    assert frame == wire.v7_command(command, arguments)
    assert contec_v7.decode_v7_command(frame) == contec_v7.V7Command(command, arguments.ljust(6, b"\0"))


def test_arguments_that_do_not_fit_are_never_cut() -> None:
    with pytest.raises(ValueError, match="7 bytes"):
        contec_v7.encode_v7_command(Command.START_STORED, bytes(7))


@pytest.mark.parametrize(
    ("data", "told", "reason"),
    [
        ("16 32 05 48 61 ffff", "search_too_long", QualityReason.SEARCHING),
        ("86 32 05 48 61 ffff", "probe_error", QualityReason.FINGER_OUT),
        ("06 b2 05 48 61 ffff", "searching", QualityReason.SEARCHING),
    ],
)
def test_each_doubt_has_its_own_bit_and_ends_validity(data: str, told: str, reason: QualityReason) -> None:
    live = live_of(data)
    assert [name for name in ("search_too_long", "probe_error", "searching") if getattr(live, name)] == [told]
    assert live.doubt is reason
    assert not live.valid


def test_low_saturation_and_a_beat_are_no_doubt() -> None:
    assert live_of("26 32 05 48 61 ffff").spo2_low
    assert live_of("46 32 05 48 61 ffff").beep
    assert live_of("66 32 05 48 61 ffff").valid


@pytest.mark.parametrize("pulse", ["00", "ff"])
def test_a_pulse_that_is_none_is_absent(pulse: str) -> None:
    live = live_of(f"06 32 05 {pulse} 61 ffff")
    assert live.pulse_bpm is None
    assert not live.valid


@pytest.mark.parametrize("spo2", ["00", "65", "7f", "ff"])
def test_a_saturation_that_is_none_is_absent(spo2: str) -> None:
    live = live_of(f"06 32 05 48 {spo2} ffff")
    assert live.spo2_percent is None
    assert not live.valid


@pytest.mark.parametrize(
    ("third_and_perfusion", "percent"),
    [("15 7b01", Decimal("3.79")), ("15 ffff", None), ("15 0000", None), ("05 7b01", None)],
)
def test_perfusion_is_told_only_where_the_device_calls_it_valid(
    third_and_perfusion: str, percent: Decimal | None
) -> None:
    third, perfusion = third_and_perfusion.split()
    assert live_of(f"06 32 {third} 48 61 {perfusion}").perfusion_percent == percent


def test_three_stored_seconds_share_a_packet_and_one_without_a_finger_has_no_values() -> None:
    assert contec_v7.decode_v7_stored(bytes.fromhex("0f88e1c880ffe081")) == (
        V7Stored(97, 72, None),
        V7Stored(None, None, None),
        V7Stored(96, 1, None),
    )
    bit_7_of_the_third_saturation = "0f90e1c880ffe081"
    assert contec_v7.decode_v7_stored(bytes.fromhex(bit_7_of_the_third_saturation))[2] == V7Stored(None, 1, None)


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(1, 254)), min_size=3, max_size=3))
def test_simulated_stored_seconds_are_read_back(seconds: list[tuple[int, int]]) -> None:
    expected = tuple(V7Stored(spo2, pulse, None) for spo2, pulse in seconds)
    assert contec_v7.decode_v7_stored(wire.v7_stored(seconds)) == expected


@given(st.integers(1, 100), st.integers(1, 254), st.integers(1, 0xFFFE))
def test_a_simulated_stored_second_with_perfusion_is_read_back(spo2: int, pulse: int, perfusion: int) -> None:
    frame = wire.v7_stored_with_perfusion(spo2, pulse, perfusion)
    assert contec_v7.decode_v7_stored(frame) == (V7Stored(spo2, pulse, Decimal(perfusion) / 100),)


def test_notices_and_answers_are_read() -> None:
    assert contec_v7.decode_v7_disconnected(wire.v7_disconnected(1)) == 1
    assert contec_v7.decode_v7_refusal(bytes.fromhex("0b81a685")) == V7Refusal(0xA6, 5)
    assert contec_v7.decode_v7_stored_length(bytes.fromhex("0884818290818080")) == V7StoredLength(1, 2, 0x190)


def test_a_packet_of_another_type_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        contec_v7.decode_v7_live(wire.v7_command(Command.START_LIVE))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


@pytest.mark.parametrize("decode", _DECODERS, ids=lambda one: one.__name__)
@given(frame=st.binary(max_size=12) | _packets.map(lambda sent: wire.v7_packet(*sent)), bit=st.integers(0, 71))
def test_any_bytes_decode_or_are_refused(decode: Callable[[bytes], object], frame: bytes, bit: int) -> None:
    flipped = bytearray(frame)
    if bit < 8 * len(frame):
        flipped[bit // 8] ^= 1 << bit % 8
    for one in (frame, bytes(flipped), frame[:-1]):
        with suppress(DecodeError):
            assert decode(one) is not None


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", DecodeReason.SHORT),
        ("0180", DecodeReason.SHORT),
        ("01808080808080808080", DecodeReason.TOO_LONG),
        ("818080", DecodeReason.NOT_SYNCHRONISED),
        ("010180", DecodeReason.NOT_SYNCHRONISED),
        ("018001", DecodeReason.NOT_SYNCHRONISED),
    ],
)
def test_bytes_that_are_no_packet_are_refused(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        contec_v7.decode_v7_packet(bytes.fromhex(frame))
    assert refused.value.reason is reason


@given(_lives, st.integers(1, 6))
def test_live_data_cut_short_are_refused(sent: wire.ContecV7Live, lost: int) -> None:
    with pytest.raises(DecodeError) as refused:
        contec_v7.decode_v7_live(wire.v7_live(sent)[:-lost])
    assert refused.value.reason is DecodeReason.SHORT


@given(st.lists(_packets, max_size=20), st.integers(1, 20))
def test_a_stream_in_any_pieces_is_the_same_packets(sent: list[tuple[int, bytes]], step: int) -> None:
    frames = [wire.v7_packet(*one) for one in sent]
    stream = b"\x80\xff" + b"".join(frames)
    framing = ContecV7Framing()
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    found += framing.end()
    assert found == frames
    assert framing.bad_bytes == 2


def test_live_data_are_handed_on_with_their_last_byte() -> None:
    frame = wire.v7_live(wire.ContecV7Live(spo2_percent=97, pulse_bpm=72))
    framing = ContecV7Framing()
    assert framing.feed(frame[:-1]) == []
    assert framing.feed(frame[-1:]) == [frame]


@given(st.binary(max_size=400), st.integers(1, 50))
def test_every_byte_is_in_a_packet_or_bad(stream: bytes, step: int) -> None:
    framing = ContecV7Framing()
    found = [frame for at in range(0, len(stream), step) for frame in framing.feed(stream[at : at + step])]
    found += framing.end()
    assert sum(len(frame) for frame in found) + framing.bad_bytes == len(stream)
    for frame in found:
        contec_v7.decode_v7_packet(frame)


def test_ten_seconds_are_one_reading_and_one_probe_error_makes_it_questionable() -> None:
    window = OximeterWindow()
    window.add(live_of("86 32 05 48 61 ffff"))
    for _ in range(WINDOW_PACKETS - 1):
        window.add(live_of("06 32 05 48 61 ffff"))
    reading = window.fold(subject=RESIDENT, device="ox-05", times=TIMES)
    assert [(part.metric, part.steps) for part in reading.parts] == [("spo2", (970,)), ("pulse_oximeter", (720,))]
    assert reading.quality.reasons == (QualityReason.FINGER_OUT,)
