"""No bytes do more than be read or be refused with a named reason: random, mutated, truncated, deep, endless."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import (
    Envelope,
    MessageRefused,
    Receipt,
    Refusal,
    RefusalReason,
    StatesSent,
    Status,
    decode_envelope,
    decode_receipt,
    decode_record,
    decode_states,
    decode_status,
    encode_envelope,
    encode_receipt,
    encode_record,
    encode_states,
    encode_status,
)
from kanhu.contract.envelope import encode_body
from kanhu.contract.status import GatewayState
from tests.contract.strategies import envelopes
from tests.contract.test_envelope import EPOCH, batch
from tests.contract.test_records import finding, gap, pressure, waveform
from tests.contract.test_states import checkpoint

Decoder = Callable[[bytes], object]

SEED = 20261122
MIXED = Envelope("home-03", EPOCH, tuple(enumerate((pressure(), finding(), gap(), waveform(), pressure()), start=4)))
RECEIPT = Receipt(1, "home-03", EPOCH, 40, ((42, 44),), (Refusal(41, 41, RefusalReason.MALFORMED),), 1_790_000_000_000)
SENT = StatesSent("home-03", EPOCH, (checkpoint("r-0003", seq=40),))
STATUS = Status(1, "home-03", EPOCH, GatewayState.ONLINE, refused={"short": 3})
VALID: list[tuple[Decoder, bytes]] = [
    (decode_envelope, encode_envelope(batch(5))),
    (decode_envelope, encode_envelope(MIXED)),
    (decode_envelope, b"KH\x01\x00" + encode_body(MIXED)),
    (decode_receipt, encode_receipt(RECEIPT)),
    (decode_status, encode_status(STATUS)),
    (decode_states, encode_states(SENT)),
    *((decode_record, encode_record(record)) for _, record in MIXED.records),
]
DECODERS: list[Decoder] = [decode_envelope, decode_receipt, decode_status, decode_states, decode_record]

json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=14) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


def is_read_or_refused(decode: Decoder, data: bytes) -> None:
    """Anything but MessageRefused passes through and fails the test."""
    with suppress(MessageRefused):
        decode(data)


@pytest.mark.parametrize("decode", DECODERS)
@given(data=st.binary(max_size=200))
def test_random_bytes(decode: Decoder, data: bytes) -> None:
    is_read_or_refused(decode, data)


@given(packed=st.binary(max_size=200), compression=st.integers(0, 3))
def test_random_bytes_behind_an_honest_header(packed: bytes, compression: int) -> None:
    is_read_or_refused(decode_envelope, b"KH\x01" + bytes([compression]) + packed)


@given(value=json_like)
def test_any_msgpack_behind_valid_compression(value: Any) -> None:
    body = msgspec.msgpack.encode(value)
    is_read_or_refused(decode_envelope, b"KH\x01\x01" + zstandard.ZstdCompressor().compress(body))
    is_read_or_refused(decode_envelope, b"KH\x01\x00" + body)
    is_read_or_refused(decode_record, body)
    is_read_or_refused(decode_receipt, body)


@settings(max_examples=80)
@given(envelope=envelopes(most=4), position=st.integers(0, 12), value=json_like, depth=st.integers(0, 3))
def test_an_envelope_with_one_field_replaced(envelope: Envelope, position: int, value: Any, depth: int) -> None:
    fields = msgspec.msgpack.decode(encode_body(envelope))
    place = fields
    for _ in range(depth):
        inner = place[position % len(place)]
        if not isinstance(inner, list) or not inner:
            break
        place = inner
    place[position % len(place)] = value
    is_read_or_refused(decode_envelope, b"KH\x01\x00" + msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("number", range(len(VALID)))
def test_valid_messages_cut_anywhere_are_refused(number: int) -> None:
    decode, data = VALID[number]
    decode(data)
    for length in range(len(data)):
        with pytest.raises(MessageRefused):
            decode(data[:length])


@pytest.mark.parametrize("number", range(len(VALID)))
def test_valid_messages_with_bytes_changed_moved_or_doubled(number: int) -> None:
    decode, data = VALID[number]
    draw = random.Random(SEED + number)
    for _ in range(1500):
        bent = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            at, until = sorted((draw.randrange(len(bent)), draw.randrange(len(bent))))
            match draw.randrange(4):
                case 0:
                    bent[at] = draw.choice((0, 1, 0x7F, 0x80, 0xC0, 0xDD, 0xDF, 0xFF, draw.randrange(256)))
                case 1:
                    bent[at:until] = b""
                case 2:
                    bent[at:at] = bent[at:until]
                case _:
                    bent[at:until] = draw.randbytes(until - at)
            if not bent:
                break
        is_read_or_refused(decode, bytes(bent))


@pytest.mark.parametrize("wire", [wire for decode, wire in VALID if decode is decode_envelope][:2])
def test_no_flipped_bit_of_a_compressed_envelope_is_taken_for_a_reading(wire: bytes) -> None:
    whole = decode_envelope(wire)
    refused = 0
    for bit in range(8 * len(wire)):
        bent = bytearray(wire)
        bent[bit // 8] ^= 1 << bit % 8
        try:
            assert decode_envelope(bytes(bent)) == whole
        except MessageRefused:
            refused += 1
    assert refused >= 8 * len(wire) - 4  # zstd leaves a bit or so of its header unused


def test_without_the_checksum_a_flipped_bit_would_have_been_taken_for_a_reading() -> None:
    body = encode_body(batch(5))
    wire = b"KH\x01\x01" + zstandard.ZstdCompressor(write_checksum=False).compress(body)
    taken = 0
    for bit in range(8 * len(wire)):
        bent = bytearray(wire)
        bent[bit // 8] ^= 1 << bit % 8
        with suppress(MessageRefused):
            taken += decode_envelope(bytes(bent)) != batch(5)
    assert taken > 0


HOSTILE = {
    "arrays in arrays": b"\x91" * 50_000,
    "maps in maps": b"\x81\xa1a" * 20_000,
    "an array of four thousand million": b"\xdd\xff\xff\xff\xff",
    "a map of four thousand million": b"\xdf\xff\xff\xff\xff",
    "a string of four gigabytes": b"\xdb\xff\xff\xff\xff",
    "bytes of four gigabytes": b"\xc6\xff\xff\xff\xff",
    "an extension type": b"\xc7\x08\x05" + bytes(8),
    "the byte msgpack never uses": b"\xc1",
    "not a number": b"\xcb\x7f\xf8" + bytes(6),
    "text that is not UTF-8": b"\xa4\xff\xfe\xfd\xfc",
}
BEFORE = {
    "alone": b"",
    "as a record": b"\x97\xa1o",
    "as a column": b"\x9d\xa1a\xc4\x10" + bytes(16),
    "as a receipt": b"\x97\x01\xa1a\xa1e\x00",
    "as an origin": b"\x9d\xa1a\xc4\x10" + bytes(16) + b"\x91\x01\x91",
    "after all columns": msgspec.msgpack.encode([*msgspec.msgpack.decode(encode_body(batch(1)))]).replace(
        b"\x9d", b"\x9e", 1
    ),
}


@pytest.mark.parametrize("tail", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("head", BEFORE.values(), ids=BEFORE)
def test_hostile_msgpack_is_refused(head: bytes, tail: bytes) -> None:
    for decode, data in (
        (decode_envelope, b"KH\x01\x00" + head + tail),
        (decode_record, head + tail),
        (decode_receipt, head + tail),
    ):
        with pytest.raises(MessageRefused):
            decode(data)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 30_000,
        '{"a":' * 10_000,
        '{"version":1,"gateway":"a","epoch":"","state":"online","later":' + "[" * 20_000,
        '{"version":1,"gateway":"a","epoch":"","state":"online","accepted":' + "9" * 5000 + "}",
        '{"version":1,"gateway":"a","epoch":"","state":"online","accepted":9223372036854775808}',
        '{"version":1,"gateway":"a","epoch":"","state":"online","accepted":-1}',
        '{"version":1,"gateway":"a","epoch":"","state":"online","heartbeat_s":1e999}',
        '{"version":1,"gateway":"a","epoch":"","state":"online","heartbeat_s":NaN}',
        '{"version":1,"gateway":"a","epoch":"","state":"asleep"}',
        '{"version":2,"gateway":"a","epoch":"","state":"online"}',
        '{"version":1,"gateway":"A","epoch":"","state":"online"}',
        '{"version":1,"gateway":"a","epoch":"\\ud800","state":"online"}',
    ],
    ids=lambda text: text[-30:],
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(MessageRefused):
        decode_status(text.encode())
