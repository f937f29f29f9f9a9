"""A Seeed MR60FDA2 on a serial port: falls and presence in one room. It reads its kin, the MR60BHA2, as well."""

from functools import partial

from kanhu.edge.codecs.tinyframe import decode_tinyframe
from kanhu.edge.codecs.tinyframe_frames import TinyFrameFraming
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.radar import SILENCE_S, Radar
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="radar-mr60fda2",
    zh="跌倒雷达",
    en="fall radar",
    of_place=True,
    settings=SerialSettings(baud=115_200, parity="N"),
    pause_s=SILENCE_S,
    receiver=partial(Radar, framing=TinyFrameFraming, decode=decode_tinyframe),
)
