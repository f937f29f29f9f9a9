"""The county's receipt: which records are stored for good, and which it refuses; the only permission to delete."""

from typing import Annotated

import msgspec

from kanhu.contract.errors import MessageRefused, MessageTooLarge, RefusalReason

RECEIPT_VERSION = 1
MAX_RECEIPT_BYTES = 60 * 1024
MAX_RANGES = 2000
"""Most ranges in one receipt; later ones follow when earlier holes have closed."""
MAX_REFUSED = 500
"""Most refusals in one receipt."""

_SEQ_LIMIT = 2**63 - 1  # what SQLite and PostgreSQL can hold


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Records of an envelope that the county will not take as they came."""

    first: int
    last: int
    reason: RefusalReason


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """Cumulative and repeated: everything up to `contiguous` and in `ranges` is committed in the county's ledger."""

    version: int
    gateway: str
    epoch: str
    contiguous: int
    ranges: Annotated[tuple[tuple[int, int], ...], msgspec.Meta(max_length=MAX_RANGES)] = ()
    refused: Annotated[tuple[Refusal, ...], msgspec.Meta(max_length=MAX_REFUSED)] = ()
    county_ms: int = 0
    """The county's clock when this was written, Unix milliseconds."""
    heard_ns: int = 0
    """`mono_ns` of the heartbeat that this answers; 0 where it answers none."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Receipt)


def encode_receipt(receipt: Receipt) -> bytes:
    """Wire bytes.

    Raises:
        MessageTooLarge: more than MAX_RANGES ranges or MAX_REFUSED refusals.
    """
    if len(receipt.ranges) > MAX_RANGES or len(receipt.refused) > MAX_REFUSED:
        detail = f"{len(receipt.ranges)} ranges and {len(receipt.refused)} refusals, limits {MAX_RANGES}, {MAX_REFUSED}"
        raise MessageTooLarge(RefusalReason.TOO_LARGE, detail)
    fields = msgspec.structs.astuple(receipt)
    return _encoder.encode(fields if receipt.heard_ns else fields[:-1])


def decode_receipt(wire: bytes) -> Receipt:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: not a receipt, of another version, or ranges that make no sense.
    """
    if len(wire) > MAX_RECEIPT_BYTES:
        raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_RECEIPT_BYTES}")
    try:
        receipt = _decoder.decode(wire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
    if receipt.version != RECEIPT_VERSION:
        raise MessageRefused(RefusalReason.UNKNOWN_VERSION, f"receipt version {receipt.version}")
    spans = (*receipt.ranges, *((refusal.first, refusal.last) for refusal in receipt.refused))
    if any(not 1 <= first <= last <= _SEQ_LIMIT for first, last in spans):
        raise MessageRefused(RefusalReason.INCONSISTENT, "a range of sequence numbers is empty or out of bounds")
    if not all(0 <= number <= _SEQ_LIMIT for number in (receipt.contiguous, receipt.county_ms, receipt.heard_ns)):
        raise MessageRefused(RefusalReason.INCONSISTENT, "a number is out of bounds")
    return receipt
