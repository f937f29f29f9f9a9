"""A Seeed MR60FDA2 in a room: somebody is there, and falls once a minute."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.tinyframe import fall, presence

_A_SECOND = 4
_FALLS_EVERY, _LIES_FOR = 60 * _A_SECOND, 10 * _A_SECOND


def make() -> OnALine:
    """Four frames a second, presence and fall by turns."""
    return OnALine(
        name="radar-mr60fda2",
        about="fall radar: somebody there, a fall each minute",
        every_s=1 / _A_SECOND,
        packet=_packet,
    )


def _packet(moment: Moment) -> bytes:
    if moment.number % 2:
        return presence(present=True)
    return fall(fallen=moment.number % _FALLS_EVERY >= _FALLS_EVERY - _LIES_FOR)
