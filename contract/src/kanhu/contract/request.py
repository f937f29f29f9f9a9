"""What the county asks of one gateway, on the topic `command`; a gateway that does not know a request ignores it."""

from enum import StrEnum
from typing import Annotated

import msgspec

from kanhu.contract.errors import MessageRefused, MessageTooLarge, RefusalReason
from kanhu.contract.receipt import MAX_RANGES

REQUEST_VERSION = 1
MAX_REQUEST_BYTES = 60 * 1024
MAX_LIVE_MINUTES = 30
"""Longest time for one request: what a visit or a telephone call takes. Project choice."""

_MOST = 2**63 - 1  # what SQLite and PostgreSQL can hold


class Ask(StrEnum):
    """What is asked."""

    RESEND = "resend"
    LIVE = "live"


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Deliver again what the county once confirmed and has lost; or send routine readings at once for some minutes."""

    version: int
    gateway: str
    number: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    """By which the heartbeat says that the request was taken."""
    ask: str
    """A word of `Ask`, or of a later software."""
    epoch: str = ""
    ranges: Annotated[tuple[tuple[int, int], ...], msgspec.Meta(max_length=MAX_RANGES)] = ()
    """Closed ranges of sequence numbers of that epoch."""
    minutes: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 0
    """From when the gateway hears it; it may give less."""
    resident: Annotated[str, msgspec.Meta(max_length=128)] = ""
    """Whose readings; empty for everybody's."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Request)


def encode_request(request: Request) -> bytes:
    """Wire bytes.

    Raises:
        MessageTooLarge: more than MAX_RANGES ranges.
    """
    if len(request.ranges) > MAX_RANGES:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"{len(request.ranges)} ranges, limit {MAX_RANGES}")
    return _encoder.encode(request)


def decode_request(wire: bytes) -> Request:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: not a request, of another version, or ranges that make no sense.
    """
    if len(wire) > MAX_REQUEST_BYTES:
        raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_REQUEST_BYTES}")
    try:
        request = _decoder.decode(wire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
    if request.version != REQUEST_VERSION:
        raise MessageRefused(RefusalReason.UNKNOWN_VERSION, f"request version {request.version}")
    if any(not 1 <= first <= last <= _MOST for first, last in request.ranges):
        raise MessageRefused(RefusalReason.INCONSISTENT, "a range of sequence numbers is empty or out of bounds")
    return request
