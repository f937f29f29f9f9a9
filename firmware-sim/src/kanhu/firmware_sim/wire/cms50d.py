"""Contec CMS50D+ real-time packet (protocol V5.0A and earlier): 5 bytes, 60 a second, 4800 baud 8O1.

Only the first byte of a packet has bit 7 set. There is no checksum.
"""

from dataclasses import dataclass

from kanhu.firmware_sim.errors import NotEncodable

PACKETS_PER_S = 60
PACKET_BYTES = 5
NO_PULSE = 255
NO_SPO2 = 127

_SYNC = 0x80
_LARGEST_SIGNAL = 8
_SEVEN_BITS = 0x7F


@dataclass(frozen=True, slots=True)
class OximeterPacket:
    """What the oximeter shows in one sixtieth of a second."""

    spo2_percent: int  # 0 or 127: no value
    pulse_bpm: int  # 0 or 255: no value
    signal_strength: int = 6  # 0-8
    pleth: int = 0  # 0-127
    bar: int = 0  # 0-15
    finger_out: bool = False  # the maker's text says "searching too long"; set while no finger is in
    spo2_dropping: bool = False
    beep: bool = False  # set in the packet of a beat
    probe_error: bool = False
    searching: bool = False


def oximeter_packet(packet: OximeterPacket) -> bytes:
    """The five bytes of one packet."""
    if not 0 <= packet.signal_strength <= _LARGEST_SIGNAL:
        raise NotEncodable(f"signal strength {packet.signal_strength} is outside 0-{_LARGEST_SIGNAL}")
    if not 0 <= packet.pleth <= _SEVEN_BITS or not 0 <= packet.spo2_percent <= _SEVEN_BITS:
        raise NotEncodable(f"pleth {packet.pleth} or SpO2 {packet.spo2_percent} does not fit 7 bits")
    if not 0 <= packet.pulse_bpm <= 0xFF or not 0 <= packet.bar <= 0xF:
        raise NotEncodable(f"pulse {packet.pulse_bpm} or bar {packet.bar} does not fit")
    first = (
        _SYNC
        | packet.signal_strength
        | packet.finger_out << 4
        | packet.spo2_dropping << 5
        | packet.beep << 6
    )  # fmt: skip
    third = packet.bar | packet.probe_error << 4 | packet.searching << 5 | (packet.pulse_bpm >> 7) << 6
    return bytes([first, packet.pleth, third, packet.pulse_bpm & _SEVEN_BITS, packet.spo2_percent])
