"""The few MQTT packets that a receiver of plain JSON needs, of versions 3.1.1 and 5: read and written, no more.

Section numbers are those of the OASIS standard, MQTT 5.0. Properties are skipped and never sent.
"""

import asyncio
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Kind", "Packet", "Publication", "connack", "publish", "read_connect", "read_packet", "read_publish",
           "short_answer", "subscribe_answer", "unsubscribe_answer"]  # fmt: skip  # one list

_MAX_BYTES = 1024 * 1024
_VERSION_5 = 5


class Kind(IntEnum):
    """Upper half of the first byte (2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it came."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Publication:
    """What a PUBLISH says; `number` is 0 at QoS 0."""

    topic: str
    qos: int
    number: int
    payload: bytes


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    """Read one packet (2.1).

    Raises:
        ValueError: it is longer than anything an honest gateway sends.
        asyncio.IncompleteReadError: the connection ended.
    """
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:  # a variable byte integer (1.5.5)
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if size > _MAX_BYTES:
        msg = f"a packet of {size} bytes"
        raise ValueError(msg)
    return Packet(first >> 4, first & 0x0F, await reader.readexactly(size))


def read_connect(packet: Packet) -> int:
    """Protocol level of a CONNECT: 4 is 3.1.1, 5 is 5.0 (3.1.2.2)."""
    name_bytes = int.from_bytes(packet.body[:2], "big")
    return packet.body[2 + name_bytes]


def read_publish(packet: Packet, *, level: int) -> Publication:
    """Topic, packet identifier and payload (3.3)."""
    qos = packet.flags >> 1 & 3
    at = 2 + int.from_bytes(packet.body[:2], "big")
    topic = packet.body[2:at].decode("utf-8")
    number = 0
    if qos:
        number = int.from_bytes(packet.body[at : at + 2], "big")
        at += 2
    return Publication(topic, qos, number, packet.body[_behind_properties(packet.body, at, level) :])


def connack(*, level: int) -> bytes:
    """Accepted, and no session is remembered (3.2)."""
    return _packet(Kind.CONNACK, b"\x00\x00" + _no_properties(level))


def subscribe_answer(packet: Packet, *, level: int) -> bytes:
    """SUBACK: each filter granted at the QoS asked for (3.9)."""
    at = _behind_properties(packet.body, 2, level)
    granted = bytearray()
    while at < len(packet.body):
        at += 2 + int.from_bytes(packet.body[at : at + 2], "big")
        granted.append(min(packet.body[at] & 3, 1))
        at += 1
    return _packet(Kind.SUBACK, packet.body[:2] + _no_properties(level) + bytes(granted))


def unsubscribe_answer(packet: Packet, *, level: int) -> bytes:
    """UNSUBACK (3.11); version 5 wants a reason a filter."""
    at = _behind_properties(packet.body, 2, level)
    reasons = bytearray()
    while at < len(packet.body):
        at += 2 + int.from_bytes(packet.body[at : at + 2], "big")
        reasons.append(0)
    return _packet(Kind.UNSUBACK, packet.body[:2] + (b"\x00" + bytes(reasons) if level == _VERSION_5 else b""))


def short_answer(kind: Kind, number: int | None = None) -> bytes:
    """PINGRESP, or a PUBACK for a packet identifier (3.4: success needs no reason code)."""
    return _packet(kind, b"" if number is None else number.to_bytes(2, "big"))


def publish(topic: str, payload: bytes, *, level: int) -> bytes:
    """A PUBLISH at QoS 0."""
    name = topic.encode()
    return _packet(Kind.PUBLISH, len(name).to_bytes(2, "big") + name + _no_properties(level) + payload)


def _packet(kind: Kind, body: bytes) -> bytes:
    size, rest = bytearray(), len(body)
    while True:
        rest, byte = divmod(rest, 128)
        size.append(byte | (0x80 if rest else 0))
        if not rest:
            return bytes((kind << 4,)) + bytes(size) + body


def _no_properties(level: int) -> bytes:
    return b"\x00" if level == _VERSION_5 else b""


def _behind_properties(body: bytes, at: int, level: int) -> int:
    if level != _VERSION_5:
        return at
    size = shift = 0
    while True:
        byte = body[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at + size
        shift += 7
