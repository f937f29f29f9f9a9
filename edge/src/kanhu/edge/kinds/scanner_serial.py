"""A card or barcode reader on a serial port: it chooses whom the shared devices measure, and measures nobody."""

from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.scanner import Scanner
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="scanner-serial",
    zh="读卡器、扫码器（串口）",
    en="card or barcode reader on a serial port",
    settings=SerialSettings(baud=9600, parity="N"),
    pause_s=1.0,
    receiver=Scanner,
    measures=False,
)
