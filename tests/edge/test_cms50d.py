"""Contec CMS50D: packets, and the stream they come in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.errors import DecodeError
from kanhu.edge.framing import Cms50dFraming
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("cms50d"), ids=name_of)
def test_published_packets(vector: Vector) -> None:
    packet = decode_cms50d(vector.frame)
    names = {"signal_strength": "signal", "spo2_pct": "spo2_percent"}
    for name, value in vector.expected.items():
        assert getattr(packet, names.get(name, name)) == value
    assert packet.valid


def packet_of(
    *, spo2: int = 97, pulse: int = 72, signal: int = 6, first: int = 0, third: int = 0, pleth: int = 50
) -> bytes:
    bit_7 = 0x40 if pulse & 0x80 else 0
    return bytes([0x80 | signal | first, pleth, third | bit_7, pulse & 0x7F, spo2])


@given(spo2=st.integers(1, 100), pulse=st.integers(1, 254), signal=st.integers(0, 8), pleth=st.integers(0, 127))
def test_every_field_is_read_back(*, spo2: int, pulse: int, signal: int, pleth: int) -> None:
    packet = decode_cms50d(packet_of(spo2=spo2, pulse=pulse, signal=signal, pleth=pleth))
    assert (packet.spo2_percent, packet.pulse_bpm, packet.signal, packet.pleth) == (spo2, pulse, signal, pleth)
    assert packet.valid


@pytest.mark.parametrize("spo2", [0, 101, 127])
def test_a_saturation_that_is_none_is_absent(spo2: int) -> None:
    packet = decode_cms50d(packet_of(spo2=spo2))
    assert packet.spo2_percent is None
    assert not packet.valid


@pytest.mark.parametrize("pulse", [0, 255])
def test_a_pulse_that_is_none_is_absent(pulse: int) -> None:
    packet = decode_cms50d(packet_of(pulse=pulse))
    assert packet.pulse_bpm is None
    assert not packet.valid


@pytest.mark.parametrize(("first", "third"), [(0x10, 0), (0, 0x10), (0, 0x20)])
def test_a_packet_that_the_device_doubts_is_not_valid(first: int, third: int) -> None:
    assert not decode_cms50d(packet_of(first=first, third=third)).valid


@pytest.mark.parametrize("frame", [b"", bytes(4), bytes(5), bytes(6), b"\x80\x80\0\0\0"])
def test_bytes_that_are_no_packet_are_refused(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_cms50d(frame)


# A run of bytes that can be told from a packet wherever it stands: without a sync byte, or a packet cut short.
_garbage = st.lists(st.integers(0, 0x7F), max_size=12).map(bytes) | st.integers(1, 4).map(lambda n: packet_of()[:n])


@given(st.lists(_garbage, min_size=1, max_size=20), st.integers(1, 9))
def test_packets_are_found_again_after_garbage(garbage: list[bytes], step: int) -> None:
    stream = b""
    expected = []
    bad = 0
    for number, rubbish in enumerate(garbage):
        packet = packet_of(spo2=50 + number)
        stream += packet + rubbish
        bad += len(rubbish)
        expected.append(packet)
    stream += packet_of(spo2=49)
    expected.append(packet_of(spo2=49))
    framing = Cms50dFraming()
    found = [packet for at in range(0, len(stream), step) for packet in framing.feed(stream[at : at + step])]
    assert found == expected
    assert framing.bad_bytes == bad


@given(st.binary(max_size=400), st.integers(1, 50))
def test_every_byte_is_a_packet_or_bad(stream: bytes, step: int) -> None:
    framing = Cms50dFraming()
    found = [packet for at in range(0, len(stream), step) for packet in framing.feed(stream[at : at + step])]
    framing.end()
    assert 5 * len(found) + framing.bad_bytes == len(stream)
    for packet in found:
        decode_cms50d(packet)


def test_random_noise_costs_no_packet_once_it_ends() -> None:
    noise = random.Random(7).randbytes(4096)
    framing = Cms50dFraming()
    framing.feed(noise)
    tail = [packet_of(spo2=90 + number) for number in range(6)]
    found = framing.feed(b"".join(tail))
    assert found[-5:] == tail[-5:]
