"""ThermoPro hygrometers."""

from kanhu.edge.codecs.thermopro import HEAD, decode_thermopro
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Its company changes with the temperature; where a radio kept several, nobody knows which is now."""
    del key, address  # it needs neither
    frames = [
        company.to_bytes(2, "little") + data
        for company, data in heard.manufacturer_data.items()
        if company & 0xFF == HEAD
    ]
    if not frames:
        return None
    if len(frames) > 1:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{len(frames)} readings at once")
    return Told(decode_thermopro(frames[0]).values)


KIND = HeardKind(
    name="sensor-thermopro",
    zh="室温计（ThermoPro）",
    en="ThermoPro hygrometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
