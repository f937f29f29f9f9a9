"""Gadgets of Sensirion: temperature and humidity of a room."""

from kanhu.edge.codecs.sensirion import COMPANY, decode_sensirion
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, in_manufacturer_data

KIND = HeardKind(
    name="sensor-sensirion",
    zh="室温计（Sensirion）",
    en="Sensirion gadget",
    of_place=True,
    silent_s=SILENT_S,
    decode=in_manufacturer_data(COMPANY, decode_sensirion),
)
