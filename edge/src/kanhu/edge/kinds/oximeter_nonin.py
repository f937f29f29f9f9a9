"""A Nonin oximeter on a serial port that sends format 2 or 7, three packets a second (OEM III, Xpod, 9560, 3150)."""

from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.intake import Intake
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.nonin_streams import PACKETS_A_WINDOW, NoninStream
from kanhu.edge.oximeter import Oximeter
from kanhu.edge.ways import SerialSettings


def _receiver(intake: Intake) -> Oximeter:
    return Oximeter(intake, stream=NoninStream(), window_packets=PACKETS_A_WINDOW)


KIND = SerialKind(
    name="oximeter-nonin",
    zh="血氧仪（Nonin）",
    en="oximeter, Nonin",
    settings=SerialSettings(baud=9600, parity="N"),
    pause_s=SESSION_PAUSE_S,
    receiver=_receiver,
)
