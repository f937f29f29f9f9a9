"""ThermoPro, Inkbird, Jaalee and Oria: each advertisement through its codec, in the words of its publisher."""

from collections.abc import Mapping
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement as Told
from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.inkbird import LARGE, InkbirdProbes, decode_inkbird, decode_inkbird_probes
from kanhu.edge.codecs.jaalee import COMPANY as APPLE
from kanhu.edge.codecs.jaalee import SERVICE as JAALEE
from kanhu.edge.codecs.jaalee import decode_jaalee, decode_jaalee_service
from kanhu.edge.codecs.oria import COMPANY as ORIA
from kanhu.edge.codecs.oria import decode_oria
from kanhu.edge.codecs.thermopro import decode_thermopro
from kanhu.edge.errors import DecodeError
from kanhu.harness.vectors.sensor_words import address, celsius, whole
from kanhu.harness.vectors.vector import Adapter, Unsupported, Vector

__all__ = ["ADAPTERS"]

_APPLE_HEAD = APPLE.to_bytes(2, "little")
_PROBE = "probe_temperature_c"


def _thermopro(vector: Vector) -> Mapping[str, object]:
    told = decode_thermopro(_with_company(vector))
    halves = told.get("battery_halves")
    # Theengs tells only whether it is full, others estimate it in halves.
    charge = {} if halves is None else {"batt": halves * 50, "battery": halves * 50, "batt_low": halves < 2}
    return {**whole(vector, told), **charge}


def _inkbird(vector: Vector) -> Mapping[str, object]:
    frame = _with_company(vector)
    try:
        told = decode_inkbird(frame)
    except DecodeError as refused:
        try:
            return _probes(vector, decode_inkbird_probes(frame))
        except DecodeError:
            raise refused from None
    # Theengs tells the temperature of a probe as any other.
    plain = tuple(Quantity("temperature_c", one.value) if one.name == _PROBE else one for one in told.values)
    words = whole(vector, Told(plain, told.address, told.packet))
    probe = told.get(_PROBE)
    if len(frame) != LARGE:
        words["extprobe"] = probe is not None
    if probe is not None:
        words["temperature probe 1"] = probe
    low, unit = told.get("battery_low"), told.get("shows_fahrenheit")
    if low is not None and unit is not None:
        words |= {"lowbatt": bool(low), "displayunit": "°F" if unit else "°C"}
    return words


def _probes(vector: Vector, probes: InkbirdProbes) -> Mapping[str, object]:
    """An empty socket, and whatever is below zero, is zero for ble_monitor."""
    words: dict[str, object] = {"packet": "no packet id", **address(vector, probes.address)}
    for number, value in enumerate(probes.temperatures_c, start=1):
        words |= celsius("" if number == 1 else str(number), value)
        words[f"temperature probe {number}"] = max(value or Decimal(0), Decimal(0))
    return words


def _jaalee(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    services = heard.service_data
    beacon = heard.manufacturer_data.get(APPLE)
    if beacon is None:  # Theengs keeps the beacon, its company in front, under the service
        beacon = next((one[2:] for one in services.values() if one.startswith(_APPLE_HEAD)), None)
    if beacon is not None:
        told = decode_jaalee(beacon)
    elif JAALEE in services:
        told = decode_jaalee_service(services[JAALEE])
    else:
        raise Unsupported("neither a beacon nor service data of Jaalee")
    words = whole(vector, told)
    for name in ("temperature", "humidity"):  # to two digits by ble_monitor, exact by Theengs
        exact = words.get(name)
        if isinstance(exact, Decimal):
            words[name] = round(exact, 2)
    return words


def _oria(vector: Vector) -> Mapping[str, object]:
    frame = vector.advertisement().manufacturer_data.get(ORIA)
    if frame is None:
        raise Unsupported("no manufacturer data of Oria")
    return whole(vector, decode_oria(frame))


def _with_company(vector: Vector) -> bytes:
    """The last one heard, with its company in front."""
    heard = vector.advertisement().manufacturer_data
    if not heard:
        raise Unsupported("no manufacturer data")
    company = list(heard)[-1]
    return company.to_bytes(2, "little") + heard[company]


ADAPTERS: Mapping[str, Adapter] = {
    "ThermoPro*": _thermopro,
    "Inkbird*": _inkbird,
    "Jaalee*": _jaalee,
    "Oria*": _oria,
}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
