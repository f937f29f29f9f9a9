"""A card reader at a clinic's desk: one card after the other, as people come in."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.scanner import scan_line

CARDS = ("KH0001", "KH0002", "KH0003")


def make() -> OnALine:
    """Cards of a clinic in turn."""
    return OnALine(
        name="scanner-serial",
        about=f"card reader, {', '.join(CARDS)} in turn",
        every_s=5.0,
        packet=lambda moment: scan_line(_card(moment)),
        no_result=lambda _: scan_line("?"),
    )


def _card(moment: Moment) -> str:
    return CARDS[moment.number % len(CARDS)]
