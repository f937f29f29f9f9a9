"""A Contec CMS50D or CMS50D+ finger oximeter: 60 packets a second."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.cms50d import OximeterPacket, oximeter_packet

_PACKETS_A_S = 60
_PULSE_BPM = 72
_PLETH = 60


def make() -> OnALine:
    """A finger that stays in."""
    return OnALine(
        name="oximeter-cms50d",
        about="finger oximeter on a serial line, 96 % and 72 beats a minute",
        every_s=1 / _PACKETS_A_S,
        packet=_packet,
        no_result=lambda _: oximeter_packet(OximeterPacket(spo2_percent=0, pulse_bpm=0, finger_out=True)),
    )


def _packet(moment: Moment) -> bytes:
    beat = moment.number % (60 * _PACKETS_A_S // _PULSE_BPM)
    return oximeter_packet(
        OximeterPacket(spo2_percent=96, pulse_bpm=_PULSE_BPM, pleth=max(0, _PLETH - beat), bar=3, beep=beat == 0)
    )
