"""Govee: each advertisement through its codec, in the words of ble_monitor and of Theengs."""

from collections.abc import Mapping
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement as Told
from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.govee import COMPANIES, REMOTE, decode_govee, model_of
from kanhu.edge.codecs.govee_probes import SEEN, Probes, decode_govee_probes
from kanhu.edge.errors import DecodeError
from kanhu.harness.vectors.sensor_words import address, celsius, whole
from kanhu.harness.vectors.vector import Adapter, Unsupported, Vector

__all__ = ["ADAPTERS"]

_APPLE = 0x004C


def _govee(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    found = {company: frame for company, frame in heard.manufacturer_data.items() if company != _APPLE}
    model = _model(vector)
    for company in COMPANIES:
        if company in found:
            try:
                return _hygrometer(vector, decode_govee(company, found[company], model=model))
            except DecodeError:
                if len(found) == 1:
                    raise
    for company, frame in found.items():
        return _probes(vector, decode_govee_probes(frame, model=SEEN.get(company) if model is None else model))
    raise Unsupported("no manufacturer data of Govee")


def _model(vector: Vector) -> int | None:
    """As its name says, or what it is labelled with, or the service UUID that is its number."""
    given = vector.given.get("input")
    device = given.get("device") if isinstance(given, Mapping) else None
    heard = vector.advertisement()
    named = model_of(device) or model_of(heard.name)
    if named is not None:
        return named
    digits = (uuid.to_bytes(2, "little").hex() for uuid in heard.uuids)  # its higher digits are sent first
    return next((int(one) for one in digits if one.isdigit() and one.startswith("5")), None)


def _hygrometer(vector: Vector, told: Told) -> Mapping[str, object]:
    plain = Told(tuple(Quantity(one.name.removeprefix(REMOTE), one.value) for one in told.values))
    words = whole(vector, plain)
    number = told.get("sensor_number")
    if number is not None:
        words["sensor id"] = number
        mac = words.get("mac")
        if number == 1 and isinstance(mac, str):  # ble_monitor makes it a device of its own
            words["mac"] = f"{int(mac.replace(':', ''), 16) + 1:012X}"
    for one in told.values:
        if one.name.startswith("probe_"):
            _, digit, what = one.name.split("_", 2)
            words[f"{what.split('_')[0]} probe {digit}"] = one.value
    return words


def _probes(vector: Vector, told: Probes) -> Mapping[str, object]:
    words: dict[str, object] = {"packet": "no packet id", **address(vector, None)}
    for probe in told.probes:
        # ble_monitor tells zero for what is not plugged in or not set.
        words[f"temperature probe {probe.number}"] = _or_zero(probe.temperature_c)
        words[f"temperature alarm probe {probe.number}"] = _or_zero(probe.high_alarm_c)
        words[f"low temperature alarm probe {probe.number}"] = _or_zero(probe.low_alarm_c)
        words |= celsius(str(probe.number), probe.temperature_c)
    if told.ambient_c is not None:
        words["temperature"] = told.ambient_c
    if told.battery_percent is not None:
        words |= {"battery": told.battery_percent, "batt": told.battery_percent}
    return words


def _or_zero(value: Decimal | None) -> Decimal:
    return Decimal(0) if value is None else value


ADAPTERS: Mapping[str, Adapter] = {"Govee*": _govee}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
