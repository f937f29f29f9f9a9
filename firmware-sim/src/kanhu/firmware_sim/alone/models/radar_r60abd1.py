"""A MicRadar R60ABD1 over a bed: somebody lies there and breathes."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire import micradar


def make() -> OnALine:
    """One frame a second, of one kind after the other."""
    return OnALine(
        name="radar-r60abd1",
        about="sleep radar: somebody in bed, 15 breaths and 62 beats a minute",
        every_s=1.0,
        packet=_packet,
    )


def _packet(moment: Moment) -> bytes:
    frames = (
        micradar.breath_rate(int(moment.around(15, 1))),
        micradar.heart_rate(int(moment.around(62, 2))),
        micradar.bed(micradar.IN_BED),
        micradar.presence(present=True),
    )
    return frames[moment.number % len(frames)]
