"""Decode Nonin serial data format 2: 75 frames of five bytes a second, 25 of which are a packet.

Byte 1 is 01, then status, pleth, one byte of the packet's values, and the sum of these four. In the status bit 7 is
always set; a packet begins where bit 0 is. A heart rate has nine bits: the first byte carries two, the second seven.
"""

from dataclasses import dataclass

from kanhu.contract import QualityReason
from kanhu.edge.errors import DecodeError, DecodeReason

FRAME_BYTES, PACKET_FRAMES = 5, 25

_START, _ALWAYS, _SYNC = 0x01, 0x80, 0x01
_DISCONNECTED, _ARTIFACT, _OUT_OF_TRACK, _ALARM, _RED, _GREEN = 0x40, 0x20, 0x10, 0x08, 0x04, 0x02
_NO_RATE, _NO_SATURATION = 511, 127
_HIGH_BITS, _LOW_BITS = 0x03, 0x7F
# The frame, counted from one, that carries the value; rates have two, the higher bits first.
_RATES = {"heart_rate": 1, "e_heart_rate": 14, "heart_rate_d": 20, "e_heart_rate_d": 22}
_SATURATIONS = {"spo2": 3, "spo2_d": 9, "spo2_fast": 10, "spo2_beat": 11, "e_spo2": 16, "e_spo2_d": 17}
_REVISION = 4


@dataclass(frozen=True, slots=True)
class NoninFrame:
    """One seventy-fifth of a second."""

    status: int
    pleth: int
    value: int  # of the packet; what it is hangs on its place

    @property
    def begins_packet(self) -> bool:
        """It is the first of 25."""
        return bool(self.status & _SYNC)

    @property
    def doubts(self) -> tuple[QualityReason, ...]:
        """What the oximeter says against itself."""
        named = (
            (QualityReason.NO_CONTACT, self.status & _DISCONNECTED),
            (QualityReason.FINGER_OUT, self.status & _ALARM),
            (QualityReason.SEARCHING, self.status & _OUT_OF_TRACK),
            (QualityReason.MOTION, self.status & _ARTIFACT),
            (QualityReason.LOW_PERFUSION, self.status & _RED and not self.status & _GREEN),
            (QualityReason.WEAK_SIGNAL, self.status & _RED and self.status & _GREEN),  # both are yellow
        )
        return tuple(reason for reason, said in named if said)


@dataclass(frozen=True, slots=True)
class NoninPacket:
    """A third of a second; None where the oximeter has no value."""

    heart_rate_bpm: int | None  # average of four beats
    e_heart_rate_bpm: int | None  # of eight beats
    heart_rate_d_bpm: int | None  # as shown on a display
    e_heart_rate_d_bpm: int | None
    spo2_percent: int | None
    spo2_d_percent: int | None
    spo2_fast_percent: int | None
    spo2_beat_percent: int | None
    e_spo2_percent: int | None
    e_spo2_d_percent: int | None
    revision: int
    doubts: tuple[QualityReason, ...]  # of any of its frames, in the order of their weight


def decode_nonin_frame(frame: bytes) -> NoninFrame:
    """Decode five bytes.

    Raises:
        DecodeError: another number of bytes, a wrong sum, or no frame of this format.
    """
    if len(frame) != FRAME_BYTES:
        reason = DecodeReason.SHORT if len(frame) < FRAME_BYTES else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(frame)} bytes, not {FRAME_BYTES}")
    if frame[0] != _START or not frame[1] & _ALWAYS:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"frame {frame.hex()}")
    found = sum(frame[:4]) & 0xFF
    if found != frame[4]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"0x{frame[4]:02X}, computed 0x{found:02X}")
    return NoninFrame(frame[1], frame[2], frame[3])


def decode_nonin_packet(packet: bytes) -> NoninPacket:
    """Decode 25 frames, the first of which begins the packet.

    Raises:
        DecodeError: another number of bytes, a frame that is none, or one that begins a packet elsewhere.
    """
    if len(packet) != FRAME_BYTES * PACKET_FRAMES:
        reason = DecodeReason.SHORT if len(packet) < FRAME_BYTES * PACKET_FRAMES else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(packet)} bytes, not {FRAME_BYTES * PACKET_FRAMES}")
    frames = [decode_nonin_frame(packet[at : at + FRAME_BYTES]) for at in range(0, len(packet), FRAME_BYTES)]
    if [frame.begins_packet for frame in frames] != [True, *[False] * (PACKET_FRAMES - 1)]:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "25 frames that are no packet")
    values = [0, *(frame.value for frame in frames)]  # counted from one, as the maker does
    rates = {f"{name}_bpm": _rate(values, at) for name, at in _RATES.items()}
    saturations = {f"{name}_percent": _saturation(values[at]) for name, at in _SATURATIONS.items()}
    doubts = tuple(dict.fromkeys(reason for frame in frames for reason in frame.doubts))
    return NoninPacket(**rates, **saturations, revision=values[_REVISION], doubts=doubts)


def _rate(values: list[int], at: int) -> int | None:
    found = (values[at] & _HIGH_BITS) << 7 | values[at + 1] & _LOW_BITS
    return None if found == _NO_RATE else found


def _saturation(value: int) -> int | None:
    return None if value & _LOW_BITS == _NO_SATURATION else value & _LOW_BITS
