"""Aranet sensors of the air in a room."""

from kanhu.edge.codecs.aranet import COMPANY, decode_aranet
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, in_manufacturer_data

KIND = HeardKind(
    name="sensor-aranet",
    zh="空气传感器（Aranet）",
    en="Aranet sensor",
    of_place=True,
    silent_s=SILENT_S,
    decode=in_manufacturer_data(COMPANY, decode_aranet),
)
