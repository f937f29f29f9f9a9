"""A newer Contec oximeter (CMS50D+ from 4.6, CMS50E, CMS50F) on a serial port: it is asked for its live data."""

from kanhu.edge.codecs.contec_v7 import Command, encode_v7_command
from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.intake import Intake
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.oximeter import ContecV7Stream, Oximeter
from kanhu.edge.ways import SerialSettings


def _receiver(intake: Intake) -> Oximeter:
    return Oximeter(intake, stream=ContecV7Stream())


KIND = SerialKind(
    name="oximeter-contec-v7",
    zh="血氧仪（康泰新款）",
    en="oximeter, newer Contec",
    settings=SerialSettings(
        baud=115_200,
        parity="N",
        hello=encode_v7_command(Command.START_LIVE),
        keep_alive=encode_v7_command(Command.KEEP_ALIVE),
    ),
    pause_s=SESSION_PAUSE_S,
    receiver=_receiver,
)
