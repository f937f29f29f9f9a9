"""Detector states on their way to the county and back: what the rules of a gateway remember of each person.

Wire: `K S`, version, compression (0 none, 1 zstd), then one message as msgpack: sent and asked by a gateway, kept and
given by the county. A state is one person's, as it was committed with the records up to (epoch, seq); what is in it
only the program that judges knows. Nothing a sender does can make decoding expand without bound or raise anything but
MessageRefused.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
import zstandard

from kanhu.contract._wire import Framing
from kanhu.contract.errors import InvalidTopic, MessageRefused, MessageTooLarge, RefusalReason
from kanhu.contract.topics import check_gateway_id

STATES_VERSION = 1
MAX_STATES_BYTES = 60 * 1024
"""As for an envelope."""
PAGE_BYTES = 4 * 1024
"""No more than one person's state goes beyond this: 3.5 s on a link of 9.6 kbit/s, and nothing overtakes it there."""
MAX_STATE_BYTES = 64 * 1024
"""Of one person's state before compression; about 2 kB in use."""
MAX_CHECKPOINTS = 256
"""In one message."""
MAX_ALERTS = 64
"""Of one person: one for each rule."""
MAX_BODY_BYTES = 256 * 1024
"""Bound on decompression."""

_ROOM_OF_AN_ANSWER = 2 * 1024
"""A nonce of 128 characters in 512 bytes, and its alerts once more in another order, 16 bytes each."""
_ZSTD = 1
_LEVEL = 9  # as for an envelope

_Text = Annotated[str, msgspec.Meta(max_length=128)]
_Epoch = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Alerts = Annotated[tuple[_Text, ...], msgspec.Meta(max_length=MAX_CHECKPOINTS * MAX_ALERTS)]


class StateRefusal(StrEnum):
    """Why a state was not taken."""

    CORRUPT = "corrupt"
    OLDER = "older"
    CONFLICT = "conflict"
    OTHER_EPOCH = "other_epoch"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


class Checkpoint(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One person's detector state as of a record of one outbox."""

    subject: _Text
    """The pseudonym."""
    epoch: _Epoch
    seq: _Number
    """The last number that the outbox had given out: all records up to it are in the state."""
    taken_ms: _Number
    """The gateway's wall clock then, Unix milliseconds."""
    alerts: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=MAX_ALERTS)]
    """Ids of the last alert of each rule: what became of them meanwhile the county knows."""
    state: Annotated[bytes, msgspec.Meta(max_length=MAX_STATE_BYTES)]
    sha256: bytes
    """Of all of it, and of the gateway's id: `checkpoint_digest`."""

    def is_of(self, gateway: str) -> bool:
        """Whether this is, to the bit, what that gateway took."""
        return self.sha256 == checkpoint_digest(gateway, self)


class StatesSent(msgspec.Struct, frozen=True, array_like=True, tag="sent", forbid_unknown_fields=True):
    """A gateway hands states over to be kept."""

    gateway: _Text
    epoch: _Epoch
    checkpoints: Annotated[tuple[Checkpoint, ...], msgspec.Meta(max_length=MAX_CHECKPOINTS)]


class StatesAsked(msgspec.Struct, frozen=True, array_like=True, tag="asked", forbid_unknown_fields=True):
    """A gateway with a fresh card asks for the states that another card of its name has left."""

    gateway: _Text
    epoch: _Epoch
    nonce: _Text
    """Made anew for each question; the answer names it."""
    after: _Text = ""
    """Subjects behind this one, by name; empty for the first page."""


class StateKept(msgspec.Struct, frozen=True, array_like=True):
    """What became of one state that was sent."""

    subject: _Text
    seq: _Number
    refused: StateRefusal | None = None


class StatesKept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """The county has committed these states, or says why not."""

    gateway: _Text
    epoch: _Epoch
    answers: Annotated[tuple[StateKept, ...], msgspec.Meta(max_length=MAX_CHECKPOINTS)]


class StatesGiven(msgspec.Struct, frozen=True, array_like=True, tag="given"):
    """The newest state of each person, as another card of that name left it; one page."""

    gateway: _Text
    epoch: _Epoch
    """Of the one who asked."""
    nonce: _Text
    checkpoints: Annotated[tuple[Checkpoint, ...], msgspec.Meta(max_length=MAX_CHECKPOINTS)]
    ended: _Alerts = ()
    """Of their alerts, those whose condition has ended by readings that came later."""
    unknown: _Alerts = ()
    """Of their alerts, those that the county never got."""
    more: bool = False
    """There are subjects behind the last one."""


StatesMessage = StatesSent | StatesAsked | StatesKept | StatesGiven

_framing = Framing(b"KS", STATES_VERSION, "states of version", MAX_STATES_BYTES, MAX_BODY_BYTES, {_ZSTD: None})
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[StatesMessage] = msgspec.msgpack.Decoder(StatesMessage)
_Page = TypeVar("_Page", StatesSent, StatesGiven)


def checkpoint_digest(gateway: str, checkpoint: Checkpoint) -> bytes:
    """SHA-256 over the gateway's id and everything else in a checkpoint."""
    fields = (gateway, *msgspec.structs.astuple(checkpoint)[:-1])
    return hashlib.sha256(_encoder.encode(fields)).digest()


def sealed(gateway: str, checkpoint: Checkpoint) -> Checkpoint:
    """The same with the digest that it must have."""
    return msgspec.structs.replace(checkpoint, sha256=checkpoint_digest(gateway, checkpoint))


def first_page(message: _Page, *, most_bytes: int = PAGE_BYTES) -> _Page:
    """The same with as many of its checkpoints as go into so many bytes; at least one where there is one."""
    while len(message.checkpoints) > 1:
        try:
            size = len(encode_states(message))
        except MessageTooLarge:
            size = 2 * most_bytes
        if size <= most_bytes:
            break
        fitting = len(message.checkpoints) * most_bytes // size
        kept = message.checkpoints[: max(1, min(fitting, len(message.checkpoints) - 1))]
        message = msgspec.structs.replace(message, checkpoints=kept)
    return message


def is_returnable(gateway: str, checkpoint: Checkpoint) -> bool:
    """Whether a county can give this back in one message, whoever asks and whatever has become of its alerts."""
    page = StatesGiven(gateway, checkpoint.epoch, "", (checkpoint,), unknown=tuple(sorted({*checkpoint.alerts})))
    try:
        return len(encode_states(page)) <= MAX_STATES_BYTES - _ROOM_OF_AN_ANSWER
    except MessageTooLarge:
        return False


def encode_states(message: StatesMessage) -> bytes:
    """Wire bytes.

    Raises:
        MessageTooLarge: over MAX_STATES_BYTES; send fewer, or leave this one out.
    """
    body = _encoder.encode(message)
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(body)
    wire = _framing.header(_ZSTD) + packed
    if len(body) > MAX_BODY_BYTES or len(wire) > MAX_STATES_BYTES:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_STATES_BYTES}")
    return wire


def decode_states(wire: bytes) -> StatesMessage:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: with the named reason; nothing else is ever raised.
    """
    try:
        message = _decoder.decode(_framing.body(wire))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
    try:
        check_gateway_id(message.gateway)
    except InvalidTopic as error:
        raise MessageRefused(RefusalReason.INCONSISTENT, str(error)) from error
    return message
