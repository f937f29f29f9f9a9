"""A MicRadar R60ABD1 on a serial port: breath, heart, bed and presence of one person. It reads its kin as well."""

from functools import partial

from kanhu.edge.codecs.micradar import decode_micradar
from kanhu.edge.codecs.micradar_frames import MicradarFraming
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.radar import SILENCE_S, Radar
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="radar-r60abd1",
    zh="睡眠雷达",
    en="sleep radar",
    settings=SerialSettings(baud=115_200, parity="N"),
    pause_s=SILENCE_S,
    receiver=partial(Radar, framing=MicradarFraming, decode=decode_micradar),
)
