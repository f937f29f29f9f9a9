"""A newer Contec oximeter: silent until it is asked for live data, then 60 packets a second."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.contec_v7 import ContecV7Live, v7_command, v7_live

_PACKETS_A_S = 60
_NO_PULSE, _NO_SATURATION = 255, 127
_START, _STOP = v7_command(0xA1), v7_command(0xA2)


def make() -> OnALine:
    """A finger that stays in."""
    asked = False

    def answer(written: bytes) -> bytes:
        nonlocal asked
        if _START in written:
            asked = True
        elif _STOP in written:
            asked = False
        return b""

    def packet(moment: Moment) -> bytes:
        pleth = max(0, 60 - moment.number % 50)
        return v7_live(ContecV7Live(spo2_percent=95, pulse_bpm=74, pleth=pleth)) if asked else b""

    def no_result(_: Moment) -> bytes:
        return v7_live(ContecV7Live(spo2_percent=_NO_SATURATION, pulse_bpm=_NO_PULSE)) if asked else b""

    return OnALine(
        name="oximeter-contec-v7",
        about="newer Contec oximeter on a serial line, 95 % and 74 beats a minute, once it is asked",
        every_s=1 / _PACKETS_A_S,
        packet=packet,
        no_result=no_result,
        answer=answer,
    )
