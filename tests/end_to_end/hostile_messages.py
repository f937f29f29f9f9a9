"""Messages that no honest gateway publishes, each with the reason under which the county has to refuse it.

Not here: devices, processes.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

import zstandard

from kanhu.contract import (
    ClockState,
    Envelope,
    GatewayState,
    InvalidTopic,
    MessageRefused,
    Observation,
    Part,
    RefusalReason,
    StatesAsked,
    Status,
    Subject,
    SubjectKind,
    Times,
    Up,
    decode_envelope,
    decode_states,
    decode_status,
    encode_envelope,
    encode_states,
    encode_status,
    parse_up_topic,
)
from kanhu.contract.envelope import MAX_BODY_BYTES, MAX_ENVELOPE_BYTES
from kanhu.contract.states import StatesMessage
from kanhu.contract.status import STATUS_VERSION

RANDOM_MESSAGES = 400
ENROLLED = ("home-01", "home-02")
_EPOCH = "f" * 32
_LANES = (*Up, "other")
_ELSEWHERE = ("kanhu/v1/up/home-01", "kanhu/v1/up/home-01/live/more", "kanhu/v2/up/home-01/live", "nothing/of/kanhu")
_STRANGE_TOPICS = (
    "kanhu/v1/up/HOME-01/alert",
    "kanhu/v1/up/home_01/live",
    "kanhu/v1/up/home.01/live",
    "kanhu/v1/up/柳树沟/alert",
    "kanhu/v1/up/home-01/",
    "kanhu/v1/up//alert",
    "kanhu/v1/up/home-01/ALERT",
    "kanhu/v1/up/" + "a" * 33 + "/live",
    "kanhu/v1/up/" + "b" * 60_000 + "/live",
    "kanhu/v1/up/';DROP(TABLE)segment;--/live",
    "kanhu/v1/up/<script>alert(1)<script>/live",
    "kanhu/v1/up/%2e%2e/status",
    "kanhu/v1/up/a\x01b/live",
    "kanhu/v1/up/>/live",
)


class Hostile(NamedTuple):
    """One message; `reason` is what the county has to say of it, None where it never hears it."""

    topic: str
    body: bytes
    reason: str | None
    retained: bool = False


def hostile_messages(seed: int) -> Iterator[Hostile]:
    """Random bodies on every topic, then each kind of lie by itself."""
    yield from _random(Random(seed))
    honest = _envelope("home-01")
    for topic in _STRANGE_TOPICS:
        yield Hostile(topic, honest, "bad_topic")
    for topic in _ELSEWHERE:
        yield Hostile(topic, honest, None)
    yield Hostile("kanhu/v1/up/home-02/status", b"{junk", RefusalReason.MALFORMED, retained=True)
    for lane in Up:
        wrong = _HONEST.get(lane, _envelope)("home-02")
        yield Hostile(f"kanhu/v1/up/home-01/{lane}", wrong, RefusalReason.WRONG_GATEWAY)
        yield Hostile(f"kanhu/v1/up/nobody/{lane}", honest, RefusalReason.UNKNOWN_GATEWAY)
        yield Hostile(f"kanhu/v1/up/home-01/{lane}", b"", _reason_of(lane, b""))
    bomb = zstandard.ZstdCompressor().compress(bytes(64 * MAX_BODY_BYTES))
    yield Hostile("kanhu/v1/up/home-01/live", b"KH\x01\x01" + bomb, RefusalReason.EXPANDS_TOO_FAR)
    over = honest + bytes(MAX_ENVELOPE_BYTES + 1 - len(honest))
    yield Hostile("kanhu/v1/up/home-01/backfill", over, RefusalReason.TOO_LARGE)
    yield Hostile("kanhu/v1/up/home-01/status", b"[" * MAX_ENVELOPE_BYTES, _reason_of(Up.STATUS, b"[" * 60_000))


def _random(draw: Random) -> Iterator[Hostile]:
    sent = 0
    while sent < RANDOM_MESSAGES:
        gateway = (*ENROLLED, "nobody", "BAD_NAME")[sent % 4]
        lane = _LANES[sent // 4 % len(_LANES)]
        honest = _HONEST[lane](gateway) if lane in _HONEST else _envelope("home-01")
        message = _judged(f"kanhu/v1/up/{gateway}/{lane}", _spoiled(honest, draw, number=sent // 20))
        if message is not None:
            sent += 1
            yield message


def _spoiled(honest: bytes, draw: Random, *, number: int) -> bytes:
    at = draw.randrange(len(honest))
    match number % 4:
        case 0:
            return draw.randbytes(draw.choice((1, 3, 40, 500, 5_000)))
        case 1:
            return honest[:4] + draw.randbytes(draw.randint(0, 200))
        case 2:
            return honest[:at]
        case _:
            return honest[:at] + draw.randbytes(1) + honest[at + 1 :]


def _judged(topic: str, body: bytes) -> Hostile | None:
    """The message with its reason; None where chance made an honest one of it."""
    try:
        gateway, lane = parse_up_topic(topic)
    except InvalidTopic:
        return Hostile(topic, body, "bad_topic")
    if gateway not in ENROLLED:
        return Hostile(topic, body, RefusalReason.UNKNOWN_GATEWAY)
    reason = _reason_of(lane, body)
    if reason is None:
        said = _DECODE.get(lane, decode_envelope)(body).gateway
        reason = None if said == gateway else RefusalReason.WRONG_GATEWAY
    return None if reason is None else Hostile(topic, body, reason)


def _reason_of(lane: Up, body: bytes) -> str | None:
    try:
        _DECODE.get(lane, decode_envelope)(body)
    except MessageRefused as error:
        return error.reason
    return None


def _envelope(gateway: str) -> bytes:
    times = Times(1_772_409_600_000, 1, "0" * 32, ClockState.SYNCED)
    reading = Observation(
        "oximetry",
        (Part("spo2", (970,)), Part("pulse_oximeter", (660,))),
        Subject(SubjectKind.RESIDENT, "r-0001"),
        "oximeter-01",
        times,
    )
    return encode_envelope(Envelope(gateway, _EPOCH, ((1, reading),)))


def _status(gateway: str) -> bytes:
    return encode_status(Status(STATUS_VERSION, gateway, _EPOCH, GatewayState.ONLINE, sent_ms=1_772_409_600_000))


def _asked(gateway: str) -> bytes:
    return encode_states(StatesAsked(gateway, _EPOCH, "nonce"))


_HONEST: Mapping[str, Callable[[str], bytes]] = {Up.STATUS: _status, Up.STATE: _asked}
_DECODE: Mapping[str, Callable[[bytes], Envelope | Status | StatesMessage]] = {
    Up.STATUS: decode_status,
    Up.STATE: decode_states,
}
