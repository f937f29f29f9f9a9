"""Jaalee's hygrometer JHT."""

from kanhu.edge.codecs.ibeacon import COMPANY, decode_ibeacon
from kanhu.edge.codecs.jaalee import BEACON, SERVICE, decode_jaalee, decode_jaalee_service
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard

_SERVICE_UUID = f"0000{SERVICE:04x}-0000-1000-8000-00805f9b34fb"


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Its iBeacon or its service data, whichever is sent."""
    del key, address  # it needs neither
    frame = heard.service_data.get(_SERVICE_UUID)
    if frame is not None:
        return Told(decode_jaalee_service(frame).values)
    beacon = heard.manufacturer_data.get(COMPANY)
    if beacon is None or decode_ibeacon(beacon).uuid != BEACON:
        return None
    return Told(decode_jaalee(beacon).values)


KIND = HeardKind(
    name="sensor-jaalee",
    zh="室温计（Jaalee）",
    en="Jaalee hygrometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
