"""The county's receipt: which records are stored for good, and which it refuses; the only permission to delete."""

import msgspec

from kanhu.contract.errors import MessageRefused, RefusalReason

RECEIPT_VERSION = 1
MAX_RECEIPT_BYTES = 60 * 1024
MAX_RANGES = 2000
"""Most ranges in one receipt; later ones follow when earlier holes have closed."""


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
    ranges: tuple[tuple[int, int], ...] = ()
    refused: tuple[Refusal, ...] = ()
    county_ms: int = 0
    """The county's clock when this was written, Unix milliseconds."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Receipt)


def encode_receipt(receipt: Receipt) -> bytes:
    """Wire bytes."""
    return _encoder.encode(receipt)


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
    if receipt.contiguous < 0 or any(not 1 <= first <= last for first, last in spans):
        raise MessageRefused(RefusalReason.INCONSISTENT, "a range of sequence numbers is empty or starts below 1")
    return receipt
