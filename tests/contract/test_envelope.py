"""Records survive the envelope bit for bit, and an envelope keeps its limits."""

import random
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import Phase, find, given, settings

from kanhu.contract import (
    ClockState,
    Envelope,
    InvalidRecord,
    InvalidTopic,
    MessageRefused,
    MessageTooLarge,
    Observation,
    Part,
    RefusalReason,
    Subject,
    SubjectKind,
    Times,
    Waveform,
    decode_envelope,
    encode_envelope,
    encode_record,
)
from kanhu.contract import _columns as columns
from kanhu.contract.envelope import MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, MAX_RECORDS, encode_body
from tests.contract.strategies import STEP_LIMIT, TIME_LIMIT, envelopes

PERSON = Subject(SubjectKind.RESIDENT, "r-0003")
FIRST_FOUND = settings(database=None, phases=[Phase.generate], max_examples=2000)  # no need to make it small
EPOCH = "0123456789abcdef" * 2


def reading(number: int, **changes: Any) -> Observation:
    times = Times(1_790_000_000_000 + number * 1000, number * 10**9, "b" * 32, ClockState.SYNCED)
    return msgspec.structs.replace(
        Observation("heart_rhythm", (Part("heart_rate", (60 + number % 40,)),), PERSON, "strap-03", times), **changes
    )


def batch(count: int) -> Envelope:
    return Envelope("home-03", EPOCH, tuple((number, reading(number)) for number in range(1, count + 1)))


def noise(count: int) -> Envelope:
    draw = random.Random(4)
    wave = [draw.randbytes(20_000) for _ in range(count)]
    times = Times(1, 1, "", ClockState.SYNCED)
    records = (Waveform("heart_rate", PERSON, "patch-03", times, 250_000, 1, samples) for samples in wave)
    return Envelope("home-03", EPOCH, tuple(enumerate(records, start=1)))


def survives(envelope: Envelope) -> bool:
    """The one property: what comes out is what went in, to the byte."""
    again = decode_envelope(encode_envelope(envelope))
    before, after = ([(seq, encode_record(record)) for seq, record in each.records] for each in (envelope, again))
    return (again.gateway, again.epoch, after) == (envelope.gateway, envelope.epoch, before)


@given(envelopes())
def test_any_records_survive_the_wire_bit_for_bit(envelope: Envelope) -> None:
    assert survives(envelope)


@given(envelopes())
def test_the_same_records_give_the_same_bytes(envelope: Envelope) -> None:
    assert encode_envelope(envelope) == encode_envelope(decode_envelope(encode_envelope(envelope)))


def test_long_series_and_full_batches_survive() -> None:
    zigzag = tuple(STEP_LIMIT if n % 2 else -STEP_LIMIT for n in range(4096))
    assert survives(Envelope("a", EPOCH, ((1, reading(1, parts=(Part("rr_interval", zigzag),))),)))
    assert survives(batch(MAX_RECORDS))


def test_sequence_numbers_may_have_holes_and_reach_63_bits() -> None:
    assert survives(Envelope("a", EPOCH, ((1, reading(1)), (900, reading(2)), (TIME_LIMIT, reading(3)))))


def test_a_packer_that_forgets_the_device_time_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = columns.pack_columns

    def forgetful(*arguments: Any) -> columns.Columns:
        packed = whole(*arguments)
        return msgspec.structs.replace(packed, device_ms=[None] * len(packed.device_ms))

    monkeypatch.setattr("kanhu.contract.envelope.pack_columns", forgetful)
    lost = find(envelopes(), lambda envelope: not survives(envelope), settings=FIRST_FOUND)
    assert any(isinstance(record, Observation) and record.times.device_ms is not None for _, record in lost.records)


def test_a_packer_that_mixes_up_two_devices_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = columns.pack_columns

    def mixing(*arguments: Any) -> columns.Columns:
        packed = whole(*arguments)
        return msgspec.structs.replace(packed, origin=[min(row, 0) for row in packed.origin])

    monkeypatch.setattr("kanhu.contract.envelope.pack_columns", mixing)

    def is_lost(envelope: Envelope) -> bool:
        try:
            return not survives(envelope)
        except MessageRefused:
            return True

    assert len(find(envelopes(), is_lost, settings=FIRST_FOUND).records) > 1


def test_a_batch_that_is_too_large_says_so_and_its_halves_fit() -> None:
    with pytest.raises(MessageTooLarge) as caught:
        encode_envelope(noise(4))
    assert caught.value.reason is RefusalReason.TOO_LARGE
    whole = noise(4)
    for half in (whole.records[:2], whole.records[2:]):
        wire = encode_envelope(Envelope(whole.gateway, whole.epoch, half))
        assert len(wire) <= MAX_ENVELOPE_BYTES
        assert decode_envelope(wire).records == half


def test_too_many_records_or_too_large_a_body_are_split_however_well_they_compress() -> None:
    with pytest.raises(MessageTooLarge):
        encode_envelope(batch(MAX_RECORDS + 1))
    steps = Part("rr_interval", tuple(2**40 * (n % 2) for n in range(4096)))
    calm = tuple((n, reading(n, parts=(steps,))) for n in range(1, 41))
    assert len(encode_envelope(Envelope("a", EPOCH, calm[:20]))) < 2000
    with pytest.raises(MessageTooLarge, match=str(MAX_BODY_BYTES)):
        encode_envelope(Envelope("a", EPOCH, calm))


def test_a_hundred_ordinary_readings_take_at_most_ten_bytes_each() -> None:
    assert len(encode_envelope(batch(100))) < 1000


@pytest.mark.parametrize("seqs", [(), (0,), (-1,), (2, 2), (3, 2), (1, TIME_LIMIT + 1)], ids=str)
def test_sequence_numbers_that_do_not_rise_are_never_sent(seqs: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRecord):
        encode_envelope(Envelope("home-03", EPOCH, tuple((seq, reading(1)) for seq in seqs)))


@pytest.mark.parametrize("epoch", ["", "ab", EPOCH.upper(), EPOCH + "00", "zz" * 16, " ".join([EPOCH[:16]] * 2)])
def test_an_epoch_is_32_lower_case_hex_digits(epoch: str) -> None:
    with pytest.raises(InvalidRecord):
        encode_envelope(Envelope("home-03", epoch, ((1, reading(1)),)))


def test_a_gateway_id_outside_the_grammar_is_never_sent() -> None:
    with pytest.raises(InvalidTopic):
        encode_envelope(Envelope("Home 3", EPOCH, ((1, reading(1)),)))


def test_a_sender_may_leave_out_compression_or_the_dictionary() -> None:
    body = encode_body(batch(3))
    assert decode_envelope(b"KH\x01\x00" + body) == batch(3)
    assert decode_envelope(b"KH\x01\x01" + zstandard.ZstdCompressor().compress(body)) == batch(3)


def mangled(position: int, value: Any) -> bytes:
    fields = msgspec.msgpack.decode(encode_body(batch(3)))
    fields[position] = value
    return b"KH\x01\x00" + msgspec.msgpack.encode(fields)


REFUSED = {
    "nothing at all": (b"", RefusalReason.EMPTY),
    "over the limit": (b"KH\x01\x00" + bytes(MAX_ENVELOPE_BYTES), RefusalReason.TOO_LARGE),
    "another sender": (b'{"temperature": 36.6}', RefusalReason.NOT_KANHU),
    "a header only": (b"KH\x01\x00", RefusalReason.NOT_KANHU),
    "a later format": (b"KH\x02\x00\x80", RefusalReason.UNKNOWN_VERSION),
    "another compression": (b"KH\x01\x03\x80", RefusalReason.UNKNOWN_COMPRESSION),
    "no zstd frame": (b"KH\x01\x02" + bytes(40), RefusalReason.BAD_COMPRESSION),
    "a skippable frame": (b"KH\x01\x01\x50\x2a\x4d\x18\x04\x00\x00\x00data", RefusalReason.BAD_COMPRESSION),
    "two frames": (b"KH\x01\x01" + 2 * zstandard.compress(encode_body(batch(1))), RefusalReason.BAD_COMPRESSION),
    "a frame cut short": (
        b"KH\x01\x01" + zstandard.compress(encode_body(batch(1)))[:-1],
        RefusalReason.BAD_COMPRESSION,
    ),
    "no msgpack": (b"KH\x01\x00\xc1", RefusalReason.MALFORMED),
    "trailing bytes": (b"KH\x01\x00" + encode_body(batch(1)) + b"\x00", RefusalReason.MALFORMED),
    "a column more": (
        b"KH\x01\x00" + msgspec.msgpack.encode([*msgspec.msgpack.decode(encode_body(batch(1))), 0]),
        RefusalReason.MALFORMED,
    ),
    "a gateway outside the grammar": (mangled(0, "Home 3"), RefusalReason.INCONSISTENT),
    "an epoch of 15 bytes": (mangled(1, b"e" * 15), RefusalReason.INCONSISTENT),
    "no records": (mangled(2, []), RefusalReason.INCONSISTENT),
    "a number twice": (mangled(2, [1, 0, 1]), RefusalReason.INCONSISTENT),
    "number zero": (mangled(2, [0, 1, 1]), RefusalReason.INCONSISTENT),
    "numbers past 63 bits": (mangled(2, [TIME_LIMIT, 1, 1]), RefusalReason.INCONSISTENT),
    "fewer numbers than records": (mangled(2, [1, 1]), RefusalReason.INCONSISTENT),
    "an origin that is not there": (mangled(4, [0, 7, 0]), RefusalReason.INCONSISTENT),
    "an origin below -1": (mangled(4, [0, -2, 0]), RefusalReason.MALFORMED),
    "a whole record that is not there": (mangled(4, [0, -1, 0]), RefusalReason.INCONSISTENT),
    "fewer times than readings": (mangled(6, [1, 1]), RefusalReason.INCONSISTENT),
    "a time below zero": (mangled(7, [-5, 1, 1]), RefusalReason.INCONSISTENT),
    "an endless series": (mangled(11, [0, 4097]), RefusalReason.INCONSISTENT),
    "half a length": (mangled(11, [0]), RefusalReason.INCONSISTENT),
    "two lengths for a part": (mangled(11, [0, 1, 0, 1]), RefusalReason.INCONSISTENT),
    "a length for no part": (mangled(11, [9, 1]), RefusalReason.INCONSISTENT),
    "steps left over": (mangled(12, [60, 1, 1, 1]), RefusalReason.INCONSISTENT),
    "steps that run out": (mangled(12, [60, 1]), RefusalReason.INCONSISTENT),
    "a fraction for a step": (mangled(12, [60, 1, 1.5]), RefusalReason.MALFORMED),
}


@pytest.mark.parametrize(("wire", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_envelope_is_refused_with_its_reason(wire: bytes, reason: RefusalReason) -> None:
    with pytest.raises(MessageRefused) as caught:
        decode_envelope(wire)
    assert caught.value.reason is reason
    assert caught.value.detail


def test_an_unknown_metric_from_the_wire_is_refused_by_name() -> None:
    body = encode_body(batch(1)).replace(b"heart_rhythm", b"heart_rhyme!")
    with pytest.raises(MessageRefused, match="heart_rhyme!"):
        decode_envelope(b"KH\x01\x00" + body)
