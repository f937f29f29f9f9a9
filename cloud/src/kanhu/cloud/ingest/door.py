"""What one MQTT message is: an envelope, a status, or something to refuse with a named reason."""

from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass

from kanhu.contract import (
    Envelope,
    InvalidTopic,
    MessageRefused,
    RefusalReason,
    StatesAsked,
    StatesSent,
    Status,
    Up,
    decode_envelope,
    decode_states,
    decode_status,
    parse_up_topic,
)
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES

BAD_TOPIC = "bad_topic"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the broker handed it over."""

    topic: str
    body: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message goes into quarantine; `span` where its sequence numbers could be read."""

    reason: str
    detail: str
    gateway: str | None = None
    """Enrolled gateway of the topic: who can be answered."""
    epoch: str = ""
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """An envelope that may be stored."""

    envelope: Envelope
    lane: Up


Found = Letter | Status | StatesSent | StatesAsked
"""What a message may be."""


def senders(messages: Iterable[Message]) -> frozenset[str]:
    """The gateways that the topics of these messages name."""
    found = set()
    for message in messages:
        with suppress(InvalidTopic):
            found.add(parse_up_topic(message.topic)[0])
    return frozenset(found)


def examine(message: Message, *, enrolled: Container[str]) -> Found | Refused:
    """Check topic = body = enrolled."""
    try:
        gateway, kind = parse_up_topic(message.topic)
    except InvalidTopic as error:
        return Refused(BAD_TOPIC, str(error))
    if gateway not in enrolled:
        return Refused(RefusalReason.UNKNOWN_GATEWAY.value, f"no gateway {gateway} is enrolled")
    try:
        if kind is Up.STATE:
            return _states(gateway, message)
        return _status(gateway, message) if kind is Up.STATUS else _letter(gateway, kind, message)
    except MessageRefused as error:
        return Refused(error.reason.value, error.detail, gateway)


def _status(gateway: str, message: Message) -> Status | Refused:
    status = decode_status(message.body)
    if status.gateway != gateway:
        return Refused(RefusalReason.WRONG_GATEWAY.value, f"body says {status.gateway[:64]!r}", gateway)
    return status


def _states(gateway: str, message: Message) -> StatesSent | StatesAsked | Refused:
    states = decode_states(message.body)
    if not isinstance(states, StatesSent | StatesAsked):
        return Refused(RefusalReason.MALFORMED.value, "a message that only a county sends", gateway)
    if states.gateway != gateway:
        return Refused(RefusalReason.WRONG_GATEWAY.value, f"body says {states.gateway!r}", gateway)
    return states


def _letter(gateway: str, kind: Up, message: Message) -> Letter | Refused:
    if len(message.body) > MAX_ENVELOPE_BYTES:
        return Refused(RefusalReason.TOO_LARGE.value, f"{len(message.body)} bytes", gateway)
    envelope = decode_envelope(message.body)
    if envelope.gateway != gateway:
        span = (envelope.records[0][0], envelope.records[-1][0])
        reason = RefusalReason.WRONG_GATEWAY.value
        return Refused(reason, f"body says {envelope.gateway!r}", gateway, envelope.epoch, span)
    return Letter(envelope, kind)
