"""Oria's hygrometer T301."""

from kanhu.edge.codecs.oria import COMPANY, decode_oria
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, in_manufacturer_data

KIND = HeardKind(
    name="sensor-oria",
    zh="室温计（Oria）",
    en="Oria hygrometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=in_manufacturer_data(COMPANY, decode_oria),
)
