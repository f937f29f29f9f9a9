"""Decode the live serial formats 2 and 7 of Nonin oximeters (OEM III, Xpod, 9560 and their kin).

75 frames a second of five bytes, of which 25 make a packet. Facts: the maker's OEM III specification and
pez-globo/pufferfish-vent-software@c64e75e.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kanhu.contract import QualityReason
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.codecs.nonin_values import (
    LOW_BATTERY,
    SMARTPOINT,
    doubts_of,
    pulse_bpm_of,
    spo2_percent_of,
)
from kanhu.edge.errors import DecodeError, DecodeReason

FRAME_BYTES = 5
PACKET_FRAMES = 25
PACKET_BYTES = FRAME_BYTES * PACKET_FRAMES

_MARK = 0x80
_START = 0x01
_SYNC = 0x01


class NoninFrame(NamedTuple):
    """One seventy-fifth of a second; a tuple, because so many are made."""

    sync: bool  # the first of 25
    green_perfusion: bool  # in the packets of a pulse: its amplitude is good; both: marginal
    red_perfusion: bool
    sensor_alarm: bool  # the sensor gives nothing usable: no finger
    out_of_track: bool
    artifact: bool
    sensor_disconnected: bool
    pleth: int  # 0 to 255 in format 2, 0 to 65535 in format 7
    value: int  # its meaning is by the place of the frame in the packet


@dataclass(frozen=True, slots=True)
class NoninPacket:
    """A third of a second. Without a word of another kind, means of four beats; E: of eight; D: as on the display."""

    frames: tuple[NoninFrame, ...]
    pulse_bpm: int | None
    spo2_percent: int | None
    revision: int
    timer: int
    smartpoint: bool  # the device holds its values for good
    low_battery: bool
    spo2_display_percent: int | None
    spo2_fast_percent: int | None
    spo2_beat_percent: int | None
    pulse_extended_bpm: int | None
    spo2_extended_percent: int | None
    spo2_extended_display_percent: int | None
    pulse_display_bpm: int | None
    pulse_extended_display_bpm: int | None

    @property
    def no_contact(self) -> bool:
        """The display keeps the last values for ten seconds after the finger has left; this is told at once."""
        return any(frame.sensor_alarm or frame.sensor_disconnected for frame in self.frames)

    @property
    def doubts(self) -> tuple[QualityReason, ...]:
        """What the device itself says against its values."""
        return doubts_of(
            out_of_track=any(frame.out_of_track for frame in self.frames),
            low_perfusion=any(frame.red_perfusion and not frame.green_perfusion for frame in self.frames),
            artifact=any(frame.artifact for frame in self.frames),
        )


def decode_nonin_frame(frame: bytes) -> NoninFrame:
    """Decode one frame of format 2: 01, status, pleth, value, checksum.

    Raises:
        DecodeError: it has not five bytes, does not begin as one, or its checksum is wrong.
    """
    start, status, pleth, value, _ = _summed(frame)
    if start != _START:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"0x{start:02X} begins no frame of format 2")
    return _frame(status, pleth, value)


def decode_nonin_frame_7(frame: bytes) -> NoninFrame:
    """Decode one frame of format 7: status, pleth of two bytes, value, checksum.

    Raises:
        DecodeError: it has not five bytes, does not begin as one, or its checksum is wrong.
    """
    status, high, low, value, _ = _summed(frame)
    return _frame(status, high << 8 | low, value)


def decode_nonin_packet(packet: bytes) -> NoninPacket:
    """Decode 25 frames of format 2.

    Raises:
        DecodeError: there are not 25, one of them is none, or not the first alone is the first.
    """
    return _packet([decode_nonin_frame(frame) for frame in _cut(packet)])


def decode_nonin_packet_7(packet: bytes) -> NoninPacket:
    """Decode 25 frames of format 7.

    Raises:
        DecodeError: there are not 25, one of them is none, or not the first alone is the first.
    """
    return _packet([decode_nonin_frame_7(frame) for frame in _cut(packet)])


def _summed(frame: bytes) -> bytes:
    check_length(frame, FRAME_BYTES)
    if sum(frame[:-1]) & 0xFF != frame[-1]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"frame {frame.hex()}")
    return frame


def _frame(status: int, pleth: int, value: int) -> NoninFrame:
    if status < _MARK:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"status 0x{status:02X} without bit 7")
    flags = (bool(status & 1 << bit) for bit in range(7))
    return NoninFrame._make((*flags, pleth, value))


def _cut(packet: bytes) -> Sequence[bytes]:
    check_length(packet, PACKET_BYTES)
    return [packet[at : at + FRAME_BYTES] for at in range(0, PACKET_BYTES, FRAME_BYTES)]


def _packet(frames: Sequence[NoninFrame]) -> NoninPacket:
    """Places as the maker numbers them, less one."""
    if not frames[0].sync or any(frame.sync for frame in frames[1:]):
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "the first frame alone is marked as the first")
    told = [frame.value for frame in frames]
    return NoninPacket(
        frames=tuple(frames),
        pulse_bpm=pulse_bpm_of(told[0], told[1]),
        spo2_percent=spo2_percent_of(told[2]),
        revision=told[3],
        timer=(told[5] & 0x7F) << 7 | told[6] & 0x7F,
        smartpoint=bool(told[7] & SMARTPOINT),
        low_battery=bool(told[7] & LOW_BATTERY),
        spo2_display_percent=spo2_percent_of(told[8]),
        spo2_fast_percent=spo2_percent_of(told[9]),
        spo2_beat_percent=spo2_percent_of(told[10]),
        pulse_extended_bpm=pulse_bpm_of(told[13], told[14]),
        spo2_extended_percent=spo2_percent_of(told[15]),
        spo2_extended_display_percent=spo2_percent_of(told[16]),
        pulse_display_bpm=pulse_bpm_of(told[19], told[20]),
        pulse_extended_display_bpm=pulse_bpm_of(told[21], told[22]),
    )
