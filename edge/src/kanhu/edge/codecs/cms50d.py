"""Decode one packet of the Contec CMS50D and CMS50D+ live stream (protocol V5.0A and earlier).

Five bytes, sixty times a second, 4800 baud 8O1; bit 7 is set in the first byte only, and there is no checksum.
"""

from typing import NamedTuple

from kanhu.contract import QualityReason
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.errors import DecodeError, DecodeReason

PACKET_BYTES = 5

_FINGER_OUT = 0x10
_SATURATION_DROPPING = 0x20
_BEEP = 0x40
_PROBE_ERROR = 0x10
_SEARCHING = 0x20
_PULSE_BIT_7 = 0x40

_NO_PULSE = frozenset({0, 255})
_MAX_SPO2_PERCENT = 100  # above it, and at 127 by the maker's word, there is no value


class Cms50dPacket(NamedTuple):
    """One packet; a tuple, because sixty a second are made."""

    signal: int  # 0 to 8 by the maker's word
    finger_out: bool  # open-source readings; the maker says "searching too long"
    saturation_dropping: bool
    beep: bool
    pleth: int  # 0 to 127
    bar: int  # 0 to 15
    probe_error: bool
    searching: bool
    pulse_bpm: int | None
    spo2_percent: int | None

    @property
    def valid(self) -> bool:
        """Both values are there, and the device has no doubt about the finger."""
        return self.pulse_bpm is not None and self.spo2_percent is not None and self.doubt is None

    @property
    def doubt(self) -> QualityReason | None:
        """Why the device itself does not trust its values."""
        if self.finger_out or self.probe_error:
            return QualityReason.FINGER_OUT
        return QualityReason.SEARCHING if self.searching else None


def decode_cms50d(packet: bytes) -> Cms50dPacket:
    """Decode one framed packet.

    Raises:
        DecodeError: it has not five bytes, or bit 7 is not set in the first byte alone.
    """
    check_length(packet, PACKET_BYTES)
    first, pleth, third, pulse_low, spo2 = packet
    if first < 0x80 or (pleth | third | pulse_low | spo2) >= 0x80:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"packet {packet.hex()}")
    pulse = pulse_low | (0x80 if third & _PULSE_BIT_7 else 0)
    return Cms50dPacket(
        signal=first & 0x0F,
        finger_out=bool(first & _FINGER_OUT),
        saturation_dropping=bool(first & _SATURATION_DROPPING),
        beep=bool(first & _BEEP),
        pleth=pleth,
        bar=third & 0x0F,
        probe_error=bool(third & _PROBE_ERROR),
        searching=bool(third & _SEARCHING),
        pulse_bpm=None if pulse in _NO_PULSE else pulse,
        spo2_percent=spo2 if 0 < spo2 <= _MAX_SPO2_PERCENT else None,
    )
