"""Envelopes that no honest gateway sends, each with the sentence of docs/spec/ that it breaks.

Each is made of an honest one that holds record 1, so that a county that takes it can be caught naming that number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from kanhu.contract import Envelope, Record, encode_envelope
from kanhu.contract.envelope import MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, encode_body
from kanhu.harness.conform.readings import DEVICE

__all__ = ["SPOILED", "Spoiled", "sealed"]

_PLAIN, _UNCOMPRESSED = 1, 0
_HEADER_BYTES = 4
_BOMB_BYTES = 16 * MAX_BODY_BYTES
_SEQS, _ORIGIN, _WHOLE, _ARRIVAL_MS, _LENGTHS, _STEPS = 2, 4, 5, 6, 11, 12


@dataclass(frozen=True, slots=True)
class Spoiled:
    """One way to spoil an envelope."""

    name: str
    page: str
    says: str
    make: Callable[[Envelope], bytes]


def sealed(envelope: Envelope, *, compression: int) -> bytes:
    """The same records under any of the three compressions."""
    body = encode_body(envelope)
    match compression:
        case 0:
            return _uncompressed(body)
        case 1:
            return _header(_PLAIN) + zstandard.ZstdCompressor(write_checksum=True).compress(body)
        case _:
            return encode_envelope(envelope)


def _header(compression: int, *, version: int = 1) -> bytes:
    return bytes((*b"KH", version, compression))


def _uncompressed(body: bytes) -> bytes:
    return _header(_UNCOMPRESSED) + body


def _columns(change: Callable[[list[Any]], None]) -> Callable[[Envelope], bytes]:
    """An envelope whose columns were changed, without compression."""

    def make(envelope: Envelope) -> bytes:
        columns: list[Any] = msgspec.msgpack.decode(encode_body(envelope))
        change(columns)
        return _uncompressed(msgspec.msgpack.encode(columns))

    return make


def _set(column: int, value: object) -> Callable[[list[Any]], None]:
    def change(columns: list[Any]) -> None:
        columns[column] = value

    return change


def _append(column: int, value: object) -> Callable[[list[Any]], None]:
    def change(columns: list[Any]) -> None:
        columns[column].append(value)

    return change


def _longer_record(columns: list[Any]) -> None:
    """A gap with an element more than the record has."""
    columns[_ORIGIN] = [-1]
    times = [1_790_000_000_000, 1, DEVICE, "synced"]
    columns[_WHOLE] = [["g", "damaged", "", [[2, 2]], 1, 1, times, "one more"]]
    columns[3] = []
    for column in (_ARRIVAL_MS, 7, 8, 9, 10, _STEPS):
        columns[column] = []


def _unknown_metric(columns: list[Any]) -> None:
    columns[3][0][0] = "humour"
    columns[3][0][1] = ["humour"]


def _unknown_word(columns: list[Any]) -> None:
    columns[3][0][5] = "roughly"


def _bomb(envelope: Envelope) -> bytes:
    body = encode_body(envelope) + bytes(_BOMB_BYTES)
    return _header(_PLAIN) + zstandard.ZstdCompressor().compress(body)


def _of_unknown_size(envelope: Envelope) -> bytes:
    packer = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True)
    return _header(_PLAIN) + packer.compress(encode_body(envelope))


def _flipped(envelope: Envelope) -> bytes:
    """A step flipped on the way, in a frame that the compressor could not shrink: only the checksum tells."""
    wire = bytearray(_header(_PLAIN) + zstandard.ZstdCompressor(level=-100, write_checksum=True).compress(
        encode_body(envelope)))  # fmt: skip  # one expression
    wire[-5] ^= 1
    return bytes(wire)


def _two_frames(envelope: Envelope) -> bytes:
    return sealed(envelope, compression=1) + zstandard.ZstdCompressor().compress(b"more")


def _too_large(envelope: Envelope) -> bytes:
    """One byte over the limit; all of it is a body that could be read."""
    record: Record = envelope.records[0][1]
    records = [(seq, record) for seq in range(1, 2001)]
    wire = _uncompressed(encode_body(Envelope(envelope.gateway, envelope.epoch, tuple(records))))
    return wire + bytes(MAX_ENVELOPE_BYTES + 1 - len(wire))


def _too_many(envelope: Envelope) -> bytes:
    """4097 records that take few bytes each."""
    columns: list[Any] = msgspec.msgpack.decode(encode_body(envelope))
    count = 4097
    columns[_SEQS] = [1] * count
    columns[_ORIGIN] = [0] * count
    for column in (_ARRIVAL_MS, 7):
        columns[column] = [columns[column][0], *([0] * (count - 1))]
    for column in (8, 9, 10):
        columns[column] = [None] * count
    columns[_STEPS] = [columns[_STEPS][0], *([0] * (count - 1))]
    body = msgspec.msgpack.encode(columns)
    return _header(_PLAIN) + zstandard.ZstdCompressor().compress(body)


_SHAPE = "A reader MUST refuse an envelope whose columns differ in length"
_VERSION = "A reader refuses a version that it does not know"

SPOILED = (
    Spoiled("empty", "receipt.md", "no bytes", lambda _: b""),
    Spoiled("other-format", "receipt.md", "does not begin with `KH`", lambda made: b"HK" + _wire(made)[2:]),
    Spoiled("version-2", "README.md", _VERSION, lambda made: _header(2, version=2) + _wire(made)[_HEADER_BYTES:]),
    Spoiled("compression-9", "receipt.md", "a compression number it does not know",
            lambda made: _header(9) + _wire(made)[_HEADER_BYTES:]),
    Spoiled("flipped-bit", "envelope.md", "with it no flipped bit passes for a reading", _flipped),
    Spoiled("two-frames", "envelope.md", "`01` and `02` are one zstd frame (RFC 8878) and nothing after it",
            _two_frames),
    Spoiled("bomb", "envelope.md", "The frame MUST state its content size, at most 1,048,576 bytes", _bomb),
    Spoiled("size-not-stated", "envelope.md", "The frame MUST state its content size", _of_unknown_size),
    Spoiled("too-large", "envelope.md", "At most 61,440 bytes (60 KiB) and 4096 records", _too_large),
    Spoiled("too-many", "envelope.md", "At most 61,440 bytes (60 KiB) and 4096 records", _too_many),
    Spoiled("cut-short", "receipt.md", "not msgpack of this shape",
            lambda made: sealed(made, compression=0)[:-1]),
    Spoiled("column-more", "envelope.md", "An element more or less is refused.",
            _columns(lambda columns: columns.append([]))),
    Spoiled("column-less", "envelope.md", "An element more or less is refused.",
            _columns(lambda columns: columns.__delitem__(_LENGTHS))),
    Spoiled("columns-differ", "envelope.md", _SHAPE, _columns(_append(_ARRIVAL_MS, 0))),
    Spoiled("step-left-over", "envelope.md", "whose steps or lengths run out or are left over",
            _columns(_append(_STEPS, 1))),
    Spoiled("step-missing", "envelope.md", "whose steps or lengths run out or are left over",
            _columns(_set(_STEPS, []))),
    Spoiled("same-number-twice", "envelope.md", "then differences, each at least 1", _columns(_append(_SEQS, 0))),
    Spoiled("longer-record", "records.md", "It MUST refuse one that is longer", _columns(_longer_record)),
    Spoiled("unknown-metric", "receipt.md", "a word or metric that is not known", _columns(_unknown_metric)),
    Spoiled("unknown-word", "receipt.md", "a word or metric that is not known", _columns(_unknown_word)),
)  # fmt: skip  # one row each
"""Every one of them holds record 1 and has to be refused whole."""


def _wire(envelope: Envelope) -> bytes:
    return encode_envelope(envelope)
