"""Decode packets of the Contec oximeters of protocol V7 (CMS50D+ 4.6, CMS50E, CMS50EW, CMS50F), both ways.

A type byte with bit 7 clear, a byte that carries bit 7 of each data byte, then up to seven data bytes; all but the
type travel with bit 7 set, and there is no checksum. 115200 baud 8N1. Facts: timegrid/CMS50Dplus7@070343e, and for the
types that it does not name bmartin427/CMS50@0ea026b, which cites the maker's "Communication protocol V7.0".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from kanhu.contract import QualityReason
from kanhu.edge.errors import DecodeError, DecodeReason

FEWEST_PACKET_BYTES = 3
MOST_PACKET_BYTES = 9

_MARK = 0x80
_NO_PULSE = frozenset({0, 0xFF})
_MAX_SPO2_PERCENT = 100  # above it, and at 127 by the maker's word, there is no value
_NO_PERFUSION = frozenset({0, 0xFFFF})
_PERFUSION_VALID = 0x10
_MOST_ARGUMENTS = 6


class PacketType(IntEnum):
    """The types that are read here; a device sends more."""

    LIVE = 0x01
    STORED_LENGTH = 0x08
    STORED_WITH_PERFUSION = 0x09
    COMMAND_REFUSED = 0x0B
    DISCONNECTED = 0x0D
    STORED = 0x0F
    COMMAND = 0x7D


class Command(IntEnum):
    """What a host asks for."""

    START_LIVE = 0xA1
    STOP_LIVE = 0xA2
    SEGMENTS = 0xA3
    STORED_LENGTH = 0xA4
    STORED_START = 0xA5
    START_STORED = 0xA6
    STOP_STORED = 0xA7
    MODEL = 0xA8
    VENDOR = 0xA9
    DEVICE_ID = 0xAA
    USER = 0xAB
    DELETE_STORED = 0xAE
    KEEP_ALIVE = 0xAF
    DEVICE_NOTICE = 0xB0


class V7Packet(NamedTuple):
    """One packet with its data bytes whole again; a tuple, because sixty a second are made."""

    type: int
    data: bytes


class V7Live(NamedTuple):
    """One sixtieth of a second."""

    signal: int  # 0 to 8 by the maker's word
    search_too_long: bool
    spo2_low: bool
    beep: bool
    probe_error: bool
    pleth: int  # 0 to 127
    searching: bool
    bar: int  # 0 to 15
    perfusion_valid: bool
    pulse_bpm: int | None
    spo2_percent: int | None
    perfusion_percent: Decimal | None

    @property
    def valid(self) -> bool:
        """Both values are there, and the device has no doubt about the finger."""
        return self.pulse_bpm is not None and self.spo2_percent is not None and self.doubt is None

    @property
    def doubt(self) -> QualityReason | None:
        """Why the device itself does not trust its values."""
        if self.probe_error:
            return QualityReason.FINGER_OUT
        return QualityReason.SEARCHING if self.searching or self.search_too_long else None


@dataclass(frozen=True, slots=True)
class V7Stored:
    """One second that the device kept; the device tells no time with it."""

    spo2_percent: int | None
    pulse_bpm: int | None
    perfusion_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class V7StoredLength:
    """How much one segment of one user holds."""

    user: int
    segment: int
    data_bytes: int
    """Two for each second, four where perfusion is kept."""


@dataclass(frozen=True, slots=True)
class V7Command:
    """What a host asked; `Command` names the numbers that are known."""

    command: int
    arguments: bytes


@dataclass(frozen=True, slots=True)
class V7Refusal:
    """The device did not do what it was asked."""

    command: int
    reason: int


def decode_v7_packet(frame: bytes) -> V7Packet:
    """Put bit 7 of each data byte back.

    Raises:
        DecodeError: fewer than three or more than nine bytes, or bit 7 is not clear in the type byte alone.
    """
    if len(frame) < FEWEST_PACKET_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes, not {FEWEST_PACKET_BYTES}")
    if len(frame) > MOST_PACKET_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes, not {MOST_PACKET_BYTES}")
    if frame[0] >= _MARK or min(frame[1:]) < _MARK:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"packet {frame.hex()}")
    high = frame[1]
    data = bytes(byte & 0x7F | (high >> place & 1) << 7 for place, byte in enumerate(frame[2:]))
    return V7Packet(frame[0], data)


def decode_v7_live(frame: bytes) -> V7Live:
    """Decode one packet of live data.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    flags, pleth, third, pulse, spo2, low, high = _data(frame, PacketType.LIVE, data_bytes=7)
    perfusion_valid = bool(third & _PERFUSION_VALID)
    return V7Live(
        signal=flags & 0x0F,
        search_too_long=bool(flags & 0x10),
        spo2_low=bool(flags & 0x20),
        beep=bool(flags & 0x40),
        probe_error=bool(flags & 0x80),
        pleth=pleth & 0x7F,
        searching=bool(pleth & 0x80),
        bar=third & 0x0F,
        perfusion_valid=perfusion_valid,
        pulse_bpm=_pulse_bpm(pulse),
        spo2_percent=_spo2_percent(spo2),
        perfusion_percent=_perfusion_percent(low, high) if perfusion_valid else None,
    )


def decode_v7_stored(frame: bytes) -> Sequence[V7Stored]:
    """The stored seconds of one packet, with perfusion index one and without it up to three, in order.

    A last packet is filled up with zeros, and a second without a value is told the same way: both are seconds here, of
    which the segment's length says how many count.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    packet = decode_v7_packet(frame)
    if packet.type == PacketType.STORED_WITH_PERFUSION:
        spo2, pulse, low, high = _data(frame, PacketType.STORED_WITH_PERFUSION, data_bytes=4)
        return (V7Stored(_spo2_percent(spo2), _pulse_bpm(pulse), _perfusion_percent(low, high)),)
    data = _data(frame, PacketType.STORED, data_bytes=6)
    pairs = zip(data[::2], data[1::2], strict=True)
    return tuple(V7Stored(_spo2_percent(spo2), _pulse_bpm(pulse), None) for spo2, pulse in pairs)


def decode_v7_stored_length(frame: bytes) -> V7StoredLength:
    """Decode the answer to `STORED_LENGTH`.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    data = _data(frame, PacketType.STORED_LENGTH, data_bytes=6)
    return V7StoredLength(data[0], data[1], int.from_bytes(data[2:], "little"))


def decode_v7_command(frame: bytes) -> V7Command:
    """Decode what a host sends.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    data = _data(frame, PacketType.COMMAND, data_bytes=7)
    return V7Command(data[0], data[1:])


def decode_v7_refusal(frame: bytes) -> V7Refusal:
    """Decode the answer to a command that was not carried out.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    command, reason = _data(frame, PacketType.COMMAND_REFUSED, data_bytes=2)
    return V7Refusal(command, reason)


def decode_v7_disconnected(frame: bytes) -> int:
    """The reason of a notice of disconnection; 0 is done and 1 is switched off.

    Raises:
        DecodeError: it is no packet, or one of another type or length.
    """
    (reason,) = _data(frame, PacketType.DISCONNECTED, data_bytes=1)
    return reason


def encode_v7_command(command: Command, arguments: bytes = b"") -> bytes:
    """What to send to ask for this; zeros fill the arguments up to six bytes.

    Raises:
        ValueError: there are more than six of them.
    """
    if len(arguments) > _MOST_ARGUMENTS:
        raise ValueError(f"{len(arguments)} bytes of arguments")
    data = bytes([command, *arguments.ljust(_MOST_ARGUMENTS, b"\0")])
    high = sum(1 << place for place, byte in enumerate(data) if byte >= _MARK)
    return bytes([PacketType.COMMAND, _MARK | high, *(byte | _MARK for byte in data)])


def _data(frame: bytes, wanted: PacketType, *, data_bytes: int) -> bytes:
    packet = decode_v7_packet(frame)
    if packet.type != wanted:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"packet type {packet.type:#04x}, not {wanted.value:#04x}")
    if len(packet.data) != data_bytes:
        reason = DecodeReason.SHORT if len(packet.data) < data_bytes else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(packet.data)} data bytes, not {data_bytes}")
    return packet.data


def _pulse_bpm(raw: int) -> int | None:
    return None if raw in _NO_PULSE else raw


def _spo2_percent(raw: int) -> int | None:
    return raw if 0 < raw <= _MAX_SPO2_PERCENT else None


def _perfusion_percent(low: int, high: int) -> Decimal | None:
    raw = high << 8 | low
    return None if raw in _NO_PERFUSION else Decimal(raw).scaleb(-2)
