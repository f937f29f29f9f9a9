"""The envelope: how a batch of records travels, in columns of integer differences, compressed.

Wire: `K H`, format version, compression (0 none, 1 zstd, 2 zstd with the shipped dictionary), then the body.
The body is msgpack: strings and small records once in tables, times and values as differences to the one before.
Nothing a sender does can make decoding expand without bound or raise anything but MessageRefused.
"""

from importlib import resources

import msgspec
import zstandard

from kanhu.contract._columns import MAX_RECORDS, Columns, pack_columns, unpack_columns
from kanhu.contract._wire import Framing
from kanhu.contract.errors import ContractError, MessageRefused, MessageTooLarge, RefusalReason
from kanhu.contract.records import Record
from kanhu.contract.topics import check_gateway_id

__all__ = [
    "FORMAT_VERSION",
    "MAX_BODY_BYTES",
    "MAX_ENVELOPE_BYTES",
    "MAX_RECORDS",
    "Envelope",
    "decode_envelope",
    "encode_body",
    "encode_envelope",
]

FORMAT_VERSION = 1
MAX_ENVELOPE_BYTES = 60 * 1024
"""Half the broker's packet limit of 128 KiB, with room for topic and headers."""
MAX_BODY_BYTES = 1024 * 1024
"""Bound on decompression; an honest 60 KiB envelope expands about tenfold."""

_LEVEL = 9  # measured against 3 and 19 on simulated traffic: past 9 nothing is gained
_PLAIN, _DICTIONARY = 1, 2

_dictionary = zstandard.ZstdCompressionDict(
    resources.files("kanhu.contract").joinpath("envelope_v1.zdict").read_bytes(),
    dict_type=zstandard.DICT_TYPE_FULLDICT,
)
_dictionary.precompute_compress(level=_LEVEL)  # else every envelope pays for it again
_framing = Framing(
    b"KH", FORMAT_VERSION, "format", MAX_ENVELOPE_BYTES, MAX_BODY_BYTES, {_PLAIN: None, _DICTIONARY: _dictionary}
)
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Columns)


class Envelope(msgspec.Struct, frozen=True):
    """Records of one outbox with their sequence numbers, rising but not necessarily without holes."""

    gateway: str
    epoch: str
    records: tuple[tuple[int, Record], ...]


def encode_envelope(envelope: Envelope) -> bytes:
    """Wire bytes.

    Raises:
        MessageTooLarge: over MAX_ENVELOPE_BYTES, MAX_BODY_BYTES or MAX_RECORDS; split the batch. One record alone fits.
        InvalidRecord: no records, sequence numbers that do not rise, or an epoch that is not one.
        InvalidTopic: a gateway id outside the grammar.
    """
    body = encode_body(envelope)
    # The checksum costs four bytes and finds what TCP's weaker one lets pass.
    compressor = zstandard.ZstdCompressor(dict_data=_dictionary, write_checksum=True)
    wire = _framing.header(_DICTIONARY) + compressor.compress(body)
    if len(wire) > MAX_ENVELOPE_BYTES:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_ENVELOPE_BYTES}")
    return wire


def encode_body(envelope: Envelope) -> bytes:
    """The part of an envelope that is compressed; it depends on no version of zstd.

    Raises:
        MessageTooLarge, InvalidRecord, InvalidTopic: as `encode_envelope`.
    """
    check_gateway_id(envelope.gateway)
    if len(envelope.records) > MAX_RECORDS:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"{len(envelope.records)} records, limit {MAX_RECORDS}")
    body = _encoder.encode(pack_columns(envelope.gateway, envelope.epoch, envelope.records))
    if len(body) > MAX_BODY_BYTES:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"body of {len(body)} bytes, limit {MAX_BODY_BYTES}")
    return body


def decode_envelope(wire: bytes) -> Envelope:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: with the named reason; nothing else is ever raised.
    """
    columns = _decode_body(_framing.body(wire))
    if not 0 < len(columns.seqs) <= MAX_RECORDS:
        raise MessageRefused(RefusalReason.INCONSISTENT, f"{len(columns.seqs)} records")
    try:
        check_gateway_id(columns.gateway)
        return Envelope(columns.gateway, columns.epoch.hex(), unpack_columns(columns))
    except (ContractError, IndexError, ValueError, OverflowError) as error:
        raise MessageRefused(RefusalReason.INCONSISTENT, str(error)) from error


def _decode_body(body: bytes) -> Columns:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
