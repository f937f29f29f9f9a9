"""The Teltonika EYE sensor: temperature and humidity of a room, and a door by its magnet."""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.teltonika_eye import COMPANY, decode_teltonika_eye
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """The magnet sits on the frame of the door: where the sensor feels it, the door is shut."""
    del key, address  # it needs neither
    frame = heard.manufacturer_data.get(COMPANY)
    if frame is None:
        return None
    found = decode_teltonika_eye(frame)
    magnet = found.get("magnet")
    door = () if magnet is None else (Quantity("contact_open", Decimal(int(magnet == 0))),)
    return Told((*found.values, *door))


KIND = HeardKind(
    name="sensor-teltonika",
    zh="居家传感器（Teltonika）",
    en="Teltonika EYE sensor",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
