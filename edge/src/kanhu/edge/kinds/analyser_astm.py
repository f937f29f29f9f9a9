"""A laboratory analyser that sends its results by ASTM E1381 and E1394 (CLSI LIS1-A and LIS2-A2) on a serial port."""

from kanhu.edge.analyser import Analyser
from kanhu.edge.codecs.astm_link import FRAME_TIMEOUT_S, SILENCE_S
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="analyser-astm",
    zh="化验仪（ASTM）",
    en="laboratory analyser by ASTM",
    settings=SerialSettings(baud=9600, parity="N"),
    pause_s=SILENCE_S,
    over_s=FRAME_TIMEOUT_S,
    receiver=Analyser,
)
