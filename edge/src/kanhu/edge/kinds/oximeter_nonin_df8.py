"""A Nonin oximeter on a serial port that sends format 8, once a second."""

from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.intake import Intake
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.nonin_streams import SECONDS_A_WINDOW, NoninSecondStream
from kanhu.edge.oximeter import Oximeter
from kanhu.edge.ways import SerialSettings


def _receiver(intake: Intake) -> Oximeter:
    return Oximeter(intake, stream=NoninSecondStream(), window_packets=SECONDS_A_WINDOW)


KIND = SerialKind(
    name="oximeter-nonin-df8",
    zh="血氧仪（Nonin，格式8）",
    en="oximeter, Nonin format 8",
    settings=SerialSettings(baud=9600, parity="N"),
    pause_s=SESSION_PAUSE_S,
    receiver=_receiver,
)
