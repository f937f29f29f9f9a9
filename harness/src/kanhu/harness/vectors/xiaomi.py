"""Xiaomi's beacons and scales: each protocol through its codec, in the words of its publisher."""

from collections.abc import Mapping

from kanhu.edge.codecs.mi_scale import MiScale, MiScaleUnit, decode_mi_body_scale, decode_mi_scale
from kanhu.edge.codecs.mi_scale_s400 import decode_mi_scale_s400
from kanhu.edge.codecs.mibeacon import Mibeacon, decode_mibeacon, mibeacon_head
from kanhu.edge.codecs.mibeacon_encrypted import decode_mibeacon_encrypted
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.harness.vectors import sensor_words, xiaomi_words
from kanhu.harness.vectors.vector import Adapter, Unsupported, Vector

__all__ = ["ADAPTERS", "tell_mibeacon"]

_MIBEACON, _SCALE, _BODY_SCALE = 0xFE95, 0x181D, 0x181B
_UUID_AS_SENT = b"\x95\xfe"


def tell_mibeacon(vector: Vector) -> Mapping[str, object]:
    """One advertisement in the words of xiaomi-ble, of ble_monitor and of Theengs at once."""
    heard = vector.advertisement()
    if _SCALE in heard.service_data or _BODY_SCALE in heard.service_data:
        return _scale(vector)
    frame = heard.service_data.get(_MIBEACON)
    if frame is None:
        raise Unsupported("no service data of 0xFE95")
    head = mibeacon_head(frame)
    words = {"packet": head.counter, **sensor_words.address(vector, head.address)}
    if not (head.encrypted and head.has_objects):
        return {**words, **xiaomi_words.tell(decode_mibeacon(frame))}
    try:
        return {**words, **xiaomi_words.tell(_opened(vector, frame, heard.address))}
    except DecodeError as error:
        if error.reason is not DecodeReason.ENCRYPTED:
            raise
        return words  # so does ble_monitor where it has no key, or another one


def _opened(vector: Vector, frame: bytes, address: bytes | None) -> Mibeacon:
    if vector.key is None:
        raise DecodeError(DecodeReason.ENCRYPTED, "no key")
    return decode_mibeacon_encrypted(frame, key=vector.key, address=address or b"").beacon


def _s400(vector: Vector) -> Mapping[str, object]:
    address = bytes.fromhex(str(vector.given.get("address", "")).replace(":", ""))
    frame = vector.frame.removeprefix(_UUID_AS_SENT)
    found = decode_mi_scale_s400(frame, key=vector.key or b"", address=address)
    alone = found.weight_kg is None
    return {
        "weight_kg": found.weight_kg or 0,
        "impedance_low_ohm": found.impedance_ohm if alone else None,
        "impedance_high_ohm": None if alone else found.impedance_ohm,
        "impedance_ohm": found.impedance_ohm,
        "heart_rate_bpm": found.heart_rate_bpm,
    }


def _scale(vector: Vector) -> Mapping[str, object]:
    """As ble_monitor and xiaomi-ble tell it."""
    frame, found = _scale_frame(vector)
    settled = found.stable and not found.removed
    told: dict[str, object] = {
        "packet": frame.hex(),
        **sensor_words.address(vector, None),
        "non-stabilized weight": found.shown,
        "weight unit": "lbs" if found.unit is MiScaleUnit.POUND else found.unit.value,
        "weight removed": found.removed,
        "stabilized": found.stable,
        "Mass Non Stabilized": found.weight_kg,
        "Stabilized": settled and found.shown > 0,
    }
    if not settled:
        return told
    if found.shown:
        told["Mass"] = found.weight_kg
    if len(frame) == len(_BODY_FRAME):
        told["stabilized weight"] = found.shown
        if found.impedance_ohm is None:
            return told
        told |= {"impedance": found.impedance_ohm, "Impedance": found.impedance_ohm}
    return {**told, "weight": found.shown}


_BODY_FRAME = range(13)


def _scale_of_theengs(vector: Vector) -> Mapping[str, object]:
    _, found = _scale_frame(vector)
    told: dict[str, object] = {
        "weighing_mode": "object" if found.thing else "person",
        "unit": found.unit.value,
        "weight": found.shown,
        "Mass": found.weight_kg,
    }
    return told if found.impedance_ohm is None else {**told, "impedance": found.impedance_ohm}


def _scale_frame(vector: Vector) -> tuple[bytes, MiScale]:
    heard = vector.advertisement().service_data
    if _BODY_SCALE in heard:
        return heard[_BODY_SCALE], decode_mi_body_scale(heard[_BODY_SCALE])
    if _SCALE in heard:
        return heard[_SCALE], decode_mi_scale(heard[_SCALE])
    raise Unsupported("no service data of a scale")


ADAPTERS: Mapping[str, Adapter] = {
    "Xiaomi *": tell_mibeacon,
    "Xiaomi/Mijia *": tell_mibeacon,
    "Xiaomi XMTZC*": _scale_of_theengs,
    "Xiaomi Mi Scale": _scale,
    "Xiaomi S400 body scale (MiBeacon encrypted)": _s400,
}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
