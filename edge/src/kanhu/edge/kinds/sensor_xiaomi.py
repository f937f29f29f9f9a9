"""A Xiaomi or Qingping sensor that advertises MiBeacon, plain or sealed: door, motion, climate, smoke, water, bed."""

from kanhu.edge.codecs.mibeacon import SERVICE_UUID, decode_mibeacon, mibeacon_head
from kanhu.edge.codecs.mibeacon_encrypted import LEGACY_KEY_BYTES, decode_mibeacon_encrypted
from kanhu.edge.codecs.sealed import KEY_BYTES
from kanhu.edge.kinds.kind import HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Service data of UUID 0xFE95; the old encryption proves nothing, so what it sealed counts as plain."""
    frame = heard.service_data.get(SERVICE_UUID)
    if frame is None:
        return None
    head = mibeacon_head(frame)
    if key is None or not (head.encrypted and head.has_objects):
        told = decode_mibeacon(frame).told
        return Told(told.values, told.packet)
    opened = decode_mibeacon_encrypted(frame, key=key, address=address)
    return Told(
        opened.beacon.told.values,
        opened.counter,
        sealed=opened.authenticated,
        counter=opened.counter if opened.authenticated else None,
    )


KIND = HeardKind(
    name="sensor-xiaomi",
    zh="居家传感器（小米）",
    en="Xiaomi sensor",
    of_place=True,
    key_bytes=frozenset({KEY_BYTES, LEGACY_KEY_BYTES}),
    decode=decode,
)
