"""ELA beacons: temperature and humidity of a room, and a door by its magnet."""

from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.ela import (
    COMPANY,
    HUMIDITY,
    MAGNET,
    TEMPERATURE,
    decode_ela_manufacturer,
    decode_ela_service,
)
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard

_DOOR = "MAG"
"""In the name of a beacon with a magnet sensor, as in `P MAG 803041`."""


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Each value has its own service data; what else than a magnet a counter counts only the name tells."""
    del key, address  # it needs neither
    values: list[Quantity] = []
    for uuid in (TEMPERATURE, HUMIDITY, MAGNET):
        frame = heard.service_data.get(f"0000{uuid:04x}-0000-1000-8000-00805f9b34fb")
        if frame is not None and (uuid != MAGNET or _DOOR in (heard.name or "")):
            values.extend(decode_ela_service(uuid, frame))
    if COMPANY in heard.manufacturer_data:
        values.extend(decode_ela_manufacturer(heard.manufacturer_data[COMPANY]))
    return Told(tuple(values)) if values else None


KIND = HeardKind(
    name="sensor-ela",
    zh="居家传感器（ELA）",
    en="ELA beacon",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
