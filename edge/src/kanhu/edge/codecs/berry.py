"""Decode one packet of the Berry oximeters' live stream (BM1000 over Bluetooth or USB; BCI Protocol V1.2 of its maker).

Five bytes, a hundred times a second; bit 7 is set in the first byte only, and there is no checksum. The skeleton is
that of the Contec CMS50D, and four flags mean something else: the device decides which codec reads it, never the shape.
"""

from typing import NamedTuple

from kanhu.contract import QualityReason
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.errors import DecodeError, DecodeReason

PACKET_BYTES = 5

_NO_SIGNAL = 0x10
_PROBE_UNPLUGGED = 0x20
_BEEP = 0x40
_NO_FINGER = 0x10
_SEARCHING = 0x20
_PULSE_BIT_7 = 0x40

_NO_PULSE = frozenset({0, 255})
_MAX_SPO2_PERCENT = 100  # above it, and at 127 by the maker's word, there is no value


class BerryPacket(NamedTuple):
    """One packet; a tuple, because a hundred a second are made."""

    signal: int  # 0 to 8 by the maker's word
    no_signal: bool
    probe_unplugged: bool
    beep: bool
    pleth: int | None  # 1 to 100 by the maker's word
    bar: int  # 0 to 15
    no_finger: bool
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
        if self.no_finger or self.probe_unplugged:
            return QualityReason.FINGER_OUT
        if self.searching:
            return QualityReason.SEARCHING
        return QualityReason.WEAK_SIGNAL if self.no_signal else None


def decode_berry(packet: bytes) -> BerryPacket:
    """Decode one framed packet.

    Raises:
        DecodeError: it has not five bytes, or bit 7 is not set in the first byte alone.
    """
    check_length(packet, PACKET_BYTES)
    first, pleth, third, pulse_low, spo2 = packet
    if first < 0x80 or (pleth | third | pulse_low | spo2) >= 0x80:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"packet {packet.hex()}")
    pulse = pulse_low | (0x80 if third & _PULSE_BIT_7 else 0)
    return BerryPacket(
        signal=first & 0x0F,
        no_signal=bool(first & _NO_SIGNAL),
        probe_unplugged=bool(first & _PROBE_UNPLUGGED),
        beep=bool(first & _BEEP),
        pleth=pleth or None,
        bar=third & 0x0F,
        no_finger=bool(third & _NO_FINGER),
        searching=bool(third & _SEARCHING),
        pulse_bpm=None if pulse in _NO_PULSE else pulse,
        spo2_percent=spo2 if 0 < spo2 <= _MAX_SPO2_PERCENT else None,
    )
