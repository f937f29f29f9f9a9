"""Relsib's logger EClerk Eco: temperature and humidity of a room."""

from kanhu.edge.codecs.relsib import WITH_BATTERY, WITHOUT_BATTERY, decode_relsib
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """One service data or several by turns; the thermometer WT51, which sends text, is of no room."""
    del key, address  # it needs neither
    for uuid in (WITH_BATTERY, *sorted(WITHOUT_BATTERY)):
        frame = heard.service_data.get(f"0000{uuid:04x}-0000-1000-8000-00805f9b34fb")
        if frame is not None:
            return Told(decode_relsib(uuid, frame).values)
    return None


KIND = HeardKind(
    name="sensor-relsib",
    zh="室温计（Relsib）",
    en="Relsib logger",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
