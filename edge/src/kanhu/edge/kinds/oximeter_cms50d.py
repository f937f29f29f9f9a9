"""A Contec CMS50D or CMS50D+ on a serial port."""

from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.oximeter import Oximeter
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="oximeter-cms50d",
    zh="血氧仪",
    en="oximeter",
    settings=SerialSettings(baud=4800, parity="O"),
    pause_s=SESSION_PAUSE_S,
    receiver=Oximeter,
)
