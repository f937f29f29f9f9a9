"""A Xiaomi body scale: Mi Scale 1 and 2, and with its key S400 and S200. The weight is heard, once it rests."""

from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.mi_scale import BODY_SERVICE_UUID, SERVICE_UUID, MiScale, decode_mi_body_scale, decode_mi_scale
from kanhu.edge.codecs.mi_scale_s400 import scale_of
from kanhu.edge.codecs.mibeacon import SERVICE_UUID as MIBEACON_UUID
from kanhu.edge.codecs.mibeacon import mibeacon_head
from kanhu.edge.codecs.mibeacon_encrypted import decode_mibeacon_encrypted
from kanhu.edge.codecs.sealed import KEY_BYTES
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.kind import HeardKind, Told
from kanhu.edge.ways import Heard

_SETTLED = "settled_weight_kg"


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Service data of UUID 0x181D or 0x181B, or of 0xFE95 under a key."""
    if BODY_SERVICE_UUID in heard.service_data:
        return _told(decode_mi_body_scale(heard.service_data[BODY_SERVICE_UUID]))
    if SERVICE_UUID in heard.service_data:
        return _told(decode_mi_scale(heard.service_data[SERVICE_UUID]))
    frame = heard.service_data.get(MIBEACON_UUID)
    if frame is None:
        return None
    head = mibeacon_head(frame)
    if not (head.encrypted and head.has_objects):
        return None  # only that the scale is there
    if key is None:
        raise DecodeError(DecodeReason.ENCRYPTED, "no key for this device is kept here")
    opened = decode_mibeacon_encrypted(frame, key=key, address=address)
    weighing = scale_of(opened.beacon)
    if weighing is None or weighing.weight_kg is None:
        return None
    values = (Quantity(_SETTLED, weighing.weight_kg),)
    return Told(values, opened.counter, sealed=opened.authenticated, counter=opened.counter)


def _told(scale: MiScale) -> Told | None:
    if not scale.stable or scale.removed or scale.thing or not scale.shown:
        return None
    return Told((Quantity(_SETTLED, scale.weight_kg),))


KIND = HeardKind(
    name="scale-xiaomi",
    zh="体重秤（小米）",
    en="Xiaomi scale",
    key_bytes=frozenset({KEY_BYTES}),
    decode=decode,
)
