"""A Nonin oximeter that sends format 2: three packets of 25 frames a second."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.nonin import FRAMES, NO_PULSE, NO_SPO2, Status, Values, packet_2

_PACKETS_A_S = 3
_FLAT = [0] * FRAMES


def make() -> OnALine:
    """A finger that stays in."""
    return OnALine(
        name="oximeter-nonin",
        about="Nonin oximeter on a serial line, format 2, 96 % and 68 beats a minute",
        every_s=1 / _PACKETS_A_S,
        packet=_packet,
        no_result=lambda _: packet_2(
            Values(pulse_bpm=NO_PULSE, spo2_percent=NO_SPO2), _FLAT, Status(artifact=True, out_of_track=True)
        ),
    )


def _packet(moment: Moment) -> bytes:
    wave = [(moment.number * FRAMES + sample) * 8 % 256 for sample in range(FRAMES)]
    values = Values(pulse_bpm=68, spo2_percent=96, timer=moment.number % 0x3FFF)
    return packet_2(values, wave, Status(green=moment.number % _PACKETS_A_S == 0))
