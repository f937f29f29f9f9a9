"""Scales and pulses that are heard: each protocol through its codec, in the words of its publisher."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from kanhu.edge.codecs import heard_pulse, heard_scales
from kanhu.edge.codecs.advertised import Advertisement as Told
from kanhu.edge.codecs.heard_scales import HeardScale
from kanhu.edge.codecs.vitafit import decode_vitafit
from kanhu.harness.vectors import sensor_words
from kanhu.harness.vectors.vector import Adapter, Unsupported, Vector

__all__ = ["ADAPTERS"]

_WRISTBAND_UUID = 0xFEE0
_NO_PACKET = "no packet id"
_TENTH = Decimal("0.1")
_LEAST_OHM, _MOST_OHM = 430, 630
"""Within these ble_monitor tells an impedance, whatever the scale said."""


def _pulse(vector: Vector) -> Mapping[str, object]:
    makers = vector.advertisement().manufacturer_data
    if heard_pulse.POLAR in makers:
        return _rate(vector, heard_pulse.decode_polar(makers[heard_pulse.POLAR]))
    if heard_pulse.XOSS in makers:
        return _rate(vector, heard_pulse.decode_xoss(makers[heard_pulse.XOSS]))
    raise Unsupported("neither Polar's nor XOSS' data")


def _wristband(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    service = _service(vector, heard.service_data)
    if service is not None and len(service) > 4:
        return _amazfit_scale(vector, service)
    words: dict[str, object] = {"packet": _NO_PACKET, **sensor_words.address(vector, heard.address)}
    if heard_pulse.WRISTBAND in heard.manufacturer_data:
        words |= _rate(vector, heard_pulse.decode_wristband(heard.manufacturer_data[heard_pulse.WRISTBAND]))
    if service is not None:
        words["steps"] = heard_pulse.decode_wristband_steps(service).get("step_count")
    return words


def _service(vector: Vector, found: Mapping[int, bytes]) -> bytes | None:
    """Theengs names no UUID where it has one service's data only."""
    if _WRISTBAND_UUID in found:
        return found[_WRISTBAND_UUID]
    given = vector.given.get("input")
    text = given.get("servicedata") if isinstance(given, Mapping) else None
    return bytes.fromhex(text) if text else None


def _rate(vector: Vector, told: Told) -> dict[str, object]:
    bpm, charge = told.get("heart_rate_bpm"), told.get("battery_percent")
    words: dict[str, object] = {**sensor_words.address(vector, told.address), "packet": _NO_PACKET}
    words |= {} if bpm is None else {"bpm": bpm, "act_bpm": bpm, "heart rate": bpm}
    return words if charge is None else {**words, "batt": charge, "battery": charge}


def _amazfit_scale(vector: Vector, frame: bytes) -> Mapping[str, object]:
    scale = heard_scales.decode_amazfit_scale(frame)
    return {"packet": _NO_PACKET, **_weight(vector, scale), "pulse": scale.heart_rate_bpm}


def _xiaogui(vector: Vector) -> Mapping[str, object]:
    for company, frame in vector.advertisement().manufacturer_data.items():
        scale = heard_scales.decode_xiaogui(company, frame)
        return {"packet": scale.packet, **_weight(vector, scale)}
    raise Unsupported("no manufacturer data")


def _laica(vector: Vector) -> Mapping[str, object]:
    for company, frame in vector.advertisement().manufacturer_data.items():
        scale = heard_scales.decode_laica(company, frame)
        words = {"packet": frame.hex(), **_weight(vector, scale)}
        if scale.weight_kg is not None:  # told by ble_monitor whether it rests or not, in tenths
            words["weight"] = scale.weight_kg.quantize(_TENTH, ROUND_HALF_UP)
        if scale.impedance_ohm is not None:
            words["impedance"] = min(max(scale.impedance_ohm, _LEAST_OHM), _MOST_OHM)
        return words
    raise Unsupported("no manufacturer data")


def _weight(vector: Vector, scale: HeardScale) -> dict[str, object]:
    words: dict[str, object] = {
        "non-stabilized weight": scale.weight_kg,
        "stabilized": int(scale.settled),
        "weight unit": "kg",
        **sensor_words.address(vector, scale.address or vector.advertisement().address),
    }
    words |= {"weight": scale.weight_kg} if scale.settled else {}
    return words if scale.impedance_ohm is None else {**words, "impedance": scale.impedance_ohm}


def _skale(vector: Vector) -> Mapping[str, object]:
    makers = vector.advertisement().manufacturer_data
    if heard_scales.SKALE_COMPANY not in makers:
        raise Unsupported("no Skale")
    return {"weight": heard_scales.decode_skale(makers[heard_scales.SKALE_COMPANY])}


def _vitafit(vector: Vector) -> Mapping[str, object]:
    told = decode_vitafit(vector.frame)
    words: dict[str, object] = {} if told.settled is None else {"stable": told.settled}
    words |= {} if told.weight_kg is None else {"weight_kg": told.weight_kg}
    return words if told.impedance_ohm is None else {**words, "impedance_ohm": told.impedance_ohm}


ADAPTERS: Mapping[str, Adapter] = {
    "Polar H10": _pulse,
    "XOSS*": _pulse,
    "Xiaomi/Amazfit*": _wristband,
    "Amazfit*": _wristband,
    "Xiaogui*": _xiaogui,
    "Laica*": _laica,
    "Atomax*": _skale,
    "Vitafit*": _vitafit,
}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
