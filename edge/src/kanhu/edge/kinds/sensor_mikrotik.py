"""MikroTik's tag TG-BT5-OUT as a thermometer."""

from kanhu.edge.codecs.mikrotik import COMPANY, decode_mikrotik
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, in_manufacturer_data

KIND = HeardKind(
    name="sensor-mikrotik",
    zh="室温计（MikroTik）",
    en="MikroTik tag",
    of_place=True,
    silent_s=SILENT_S,
    decode=in_manufacturer_data(COMPANY, decode_mikrotik),
)
