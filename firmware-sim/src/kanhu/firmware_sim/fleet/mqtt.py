"""The part of MQTT 3.1.1 that a gateway needs: bytes out, packets in; no socket and no clock.

Section numbers are those of the OASIS standard of 29 October 2014. A library client brings two sockets and a lock of
its own for each session; ten thousand of them do not fit under an ordinary limit of open files.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.firmware_sim.errors import MqttRefused

__all__ = [
    "Connack",
    "Packet",
    "Parser",
    "Pingresp",
    "Puback",
    "Publish",
    "Suback",
    "Will",
    "connect",
    "disconnect",
    "pingreq",
    "puback",
    "publish",
    "remaining_length",
    "subscribe",
]

MAX_PACKET_BYTES = 256 * 1024
"""Of one packet; an honest one carries 60 KiB and a topic."""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGRESP = 2, 3, 4, 9, 13
_LENGTH_BYTES = 4  # section 2.2.3: at most four bytes state the remaining length
_CLEAN_SESSION, _WILL, _WILL_QOS_1, _WILL_RETAIN = 0x02, 0x04, 0x08, 0x20


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says in a client's name when the link breaks: QoS 1, retained."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to CONNECT; 0 is yes."""

    code: int


@dataclass(frozen=True, slots=True)
class Publish:
    """A message; `packet_id` is None at QoS 0."""

    topic: str
    payload: bytes
    packet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker has a message. It is no receipt."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Suback:
    """One code for each topic asked for; 0x80 is no."""

    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pingresp:
    """The broker is there."""


Packet = Connack | Publish | Puback | Suback | Pingresp


def connect(client_id: str, *, keepalive_s: int, will: Will | None = None) -> bytes:
    """CONNECT with a clean session (section 3.1)."""
    flags = _CLEAN_SESSION
    payload = _text(client_id)
    if will is not None:
        flags |= _WILL | _WILL_QOS_1 | _WILL_RETAIN
        payload += _text(will.topic) + struct.pack(">H", len(will.payload)) + will.payload
    return _packet(0x10, _text("MQTT") + struct.pack(">BBH", 4, flags, keepalive_s) + payload)


def publish(topic: str, payload: bytes, *, packet_id: int) -> bytes:
    """PUBLISH at QoS 1, not retained (section 3.3)."""
    return _packet(0x32, _text(topic) + struct.pack(">H", packet_id) + payload)


def publish_retained(topic: str, payload: bytes, *, packet_id: int) -> bytes:
    """PUBLISH at QoS 1 that the broker keeps for later subscribers."""
    return _packet(0x33, _text(topic) + struct.pack(">H", packet_id) + payload)


def subscribe(topics: Sequence[str], *, packet_id: int) -> bytes:
    """SUBSCRIBE at QoS 0 (section 3.8)."""
    wanted = b"".join(_text(topic) + b"\x00" for topic in topics)
    return _packet(0x82, struct.pack(">H", packet_id) + wanted)


def puback(packet_id: int) -> bytes:
    """PUBACK (section 3.4)."""
    return struct.pack(">BBH", 0x40, 2, packet_id)


def pingreq() -> bytes:
    """PINGREQ (section 3.12)."""
    return b"\xc0\x00"


def disconnect() -> bytes:
    """DISCONNECT: the broker then says no will (section 3.14)."""
    return b"\xe0\x00"


def remaining_length(length: int) -> bytes:
    """Section 2.2.3: seven bits a byte, lowest first, the top bit says that more follow."""
    encoded = bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)


class Parser:
    """Whole packets out of a stream that comes in pieces; keeps only what is not whole yet."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        """Nothing has come."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Packets that are whole now, in order.

        Raises:
            MqttRefused: not what a broker sends to a client of QoS 0 subscriptions; the stream is lost then.
        """
        stream = self._rest + data if self._rest else data
        packets: list[Packet] = []
        at = 0
        while (header := _header(stream, at)) is not None:
            first, start, length = header
            if start + length > len(stream):
                break
            packets.append(_decode(first, stream[start : start + length]))
            at = start + length
        self._rest = stream[at:]
        return packets


def _header(stream: bytes, at: int) -> tuple[int, int, int] | None:
    """First byte, where the rest begins, how long it is; None where the length itself is not whole."""
    length = 0
    for index in range(_LENGTH_BYTES):
        position = at + 1 + index
        if position >= len(stream):
            return None
        length |= (stream[position] & 0x7F) << 7 * index
        if stream[position] < 0x80:
            if length > MAX_PACKET_BYTES:
                raise MqttRefused(f"packet of {length} bytes, limit {MAX_PACKET_BYTES}")
            return stream[at], position + 1, length
    raise MqttRefused("the remaining length is longer than four bytes")


def _decode(first: int, body: bytes) -> Packet:
    kind = first >> 4
    if kind == _PUBLISH:
        return _publish(first & 0x0F, body)
    if first & 0x0F:
        raise MqttRefused(f"first byte {first:#04x}: its flags are reserved")
    if kind == _PUBACK and len(body) == 2:
        return Puback(body[0] << 8 | body[1])
    if kind == _CONNACK and len(body) == 2:
        return Connack(body[1])
    if kind == _SUBACK and len(body) > 2:
        return Suback(body[0] << 8 | body[1], tuple(body[2:]))
    if kind == _PINGRESP and not body:
        return Pingresp()
    raise MqttRefused(f"first byte {first:#04x} with {len(body)} bytes is no packet for a client")


def _publish(flags: int, body: bytes) -> Publish:
    qos = flags >> 1 & 0x03
    if qos > 1:  # nothing here subscribes above 0; 1 is read because a broker may not be ours
        raise MqttRefused(f"message at QoS {qos}")
    end = 2 + int.from_bytes(body[:2], "big")
    start = end + 2 * qos
    if len(body) < max(start, 3):
        raise MqttRefused(f"message of {len(body)} bytes ends within its header")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError as error:
        raise MqttRefused("topic is not UTF-8") from error
    return Publish(topic, body[start:], int.from_bytes(body[end:start], "big") if qos else None)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + remaining_length(len(body)) + body
