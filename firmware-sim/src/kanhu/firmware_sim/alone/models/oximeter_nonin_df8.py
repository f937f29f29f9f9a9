"""A Nonin oximeter that sends format 8: four bytes a second."""

from kanhu.firmware_sim.alone.model import OnALine
from kanhu.firmware_sim.wire.nonin import NO_PULSE, NO_SPO2, Status, Values, second_8


def make() -> OnALine:
    """A finger that stays in."""
    return OnALine(
        name="oximeter-nonin-df8",
        about="Nonin oximeter on a serial line, format 8, 96 % and 68 beats a minute",
        every_s=1.0,
        packet=lambda _: second_8(Values(pulse_bpm=68, spo2_percent=96)),
        no_result=lambda _: second_8(Values(pulse_bpm=NO_PULSE, spo2_percent=NO_SPO2), Status(out_of_track=True)),
    )
