"""Berry BM1000 real-time packet (BCI Protocol V1.2): 5 bytes, 100 a second.

Only the first byte of a packet has bit 7 set. There is no checksum.
"""

from dataclasses import dataclass

from kanhu.firmware_sim.errors import NotEncodable

_SYNC = 0x80
_LARGEST_SIGNAL = 8
_SEVEN_BITS = 0x7F


@dataclass(frozen=True, slots=True)
class BerryOximeterPacket:
    """What the oximeter shows in one hundredth of a second."""

    spo2_percent: int  # 127: no value
    pulse_bpm: int  # 255: no value
    signal_strength: int = 6  # 0-8
    pleth: int = 0  # 0-100; 0: no value
    bar: int = 0  # 0-15
    no_signal: bool = False
    probe_unplugged: bool = False
    beep: bool = False  # set in the packet of a beat
    no_finger: bool = False
    searching: bool = False


def berry_packet(packet: BerryOximeterPacket) -> bytes:
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
        | packet.no_signal << 4
        | packet.probe_unplugged << 5
        | packet.beep << 6
    )  # fmt: skip
    third = packet.bar | packet.no_finger << 4 | packet.searching << 5 | (packet.pulse_bpm >> 7) << 6
    return bytes([first, packet.pleth, third, packet.pulse_bpm & _SEVEN_BITS, packet.spo2_percent])
