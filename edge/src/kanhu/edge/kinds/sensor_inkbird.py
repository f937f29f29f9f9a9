"""Inkbird thermometers with hygrometers, as they stand in rooms."""

from kanhu.edge.codecs.inkbird import AIR, LARGE, SMALL, decode_inkbird
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard

_BYTES = frozenset({SMALL, AIR, LARGE})


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Its company changes with the temperature; where a radio kept several, nobody knows which is now."""
    del key, address  # it needs neither
    found = [company.to_bytes(2, "little") + data for company, data in heard.manufacturer_data.items()]
    frames = [frame for frame in found if len(frame) in _BYTES]
    if not frames:
        return None
    if len(frames) > 1:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{len(frames)} readings at once")
    return Told(decode_inkbird(frames[0]).values)


KIND = HeardKind(
    name="sensor-inkbird",
    zh="室温计（Inkbird）",
    en="Inkbird thermometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
