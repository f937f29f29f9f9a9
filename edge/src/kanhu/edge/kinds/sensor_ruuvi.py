"""A RuuviTag: temperature, humidity and pressure of a room."""

from kanhu.edge.codecs.ruuvi import COMPANY, decode_ruuvi
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, in_manufacturer_data

KIND = HeardKind(
    name="sensor-ruuvi",
    zh="室温计（Ruuvi）",
    en="RuuviTag",
    of_place=True,
    silent_s=SILENT_S,
    decode=in_manufacturer_data(COMPANY, decode_ruuvi),
)
