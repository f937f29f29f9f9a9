"""Heard sensors of air, tags and beacons: Sensirion, Aranet, Almendo, Blue Maestro, MikroTik, Sonoff, iBeacon."""

import math
from collections.abc import Mapping
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement as Told
from kanhu.edge.codecs.almendo import COMPANY as ALMENDO
from kanhu.edge.codecs.almendo import decode_almendo
from kanhu.edge.codecs.aranet import COMPANY as ARANET
from kanhu.edge.codecs.aranet import decode_aranet
from kanhu.edge.codecs.blue_maestro import COMPANY as BLUE_MAESTRO
from kanhu.edge.codecs.blue_maestro import decode_blue_maestro
from kanhu.edge.codecs.ibeacon import COMPANY as APPLE
from kanhu.edge.codecs.ibeacon import decode_ibeacon
from kanhu.edge.codecs.mikrotik import COMPANY as MIKROTIK
from kanhu.edge.codecs.mikrotik import decode_mikrotik
from kanhu.edge.codecs.sensirion import COMPANY as SENSIRION
from kanhu.edge.codecs.sensirion import decode_sensirion
from kanhu.edge.codecs.sonoff import STRUCTURE, Model, Press, decode_sonoff
from kanhu.harness.vectors.sensor_words import address, celsius
from kanhu.harness.vectors.sensor_words import whole as whole_of
from kanhu.harness.vectors.vector import Adapter, Unsupported, Vector

__all__ = ["ADAPTERS"]

_NAMES = {
    "voc_index": ("voc",), "nox_index": ("nox",), "formaldehyde_ppb": ("hcho",), "pm1_ug_m3": ("pm1",),
    "pm4_ug_m3": ("pm4",), "air_velocity_m_s": ("velocity",), "carbon_dioxide_equivalent_ppm": ("co2",),
    "voc_count": ("tvoc",), "air_quality_index": ("aqi",), "dew_point_c": ("dewpoint",), "log_count": ("packet",),
    "uptime_s": ("uptime",),
}  # fmt: skip  # a table reads by rows
_TAG_FLAGS = {
    "reed_closed": ("switch", 1, "flag_reed"), "tilted": ("tilt", 2, "flag_tilt"),
    "dropped": ("dropping", 4, "flag_fall"), "impact_x": ("impact x", 8, "flag_impact_x"),
    "impact_y": ("impact y", 16, "flag_impact_y"),
    "impact_z": ("impact z", 32, "flag_impact_z"),
}  # fmt: skip  # a table reads by rows
_WITHOUT_THERMOMETER_C = -128
_BUTTONS = {
    Model.S_MATE: ("three btn switch", ("left", "middle", "right")),
    Model.R5: (
        "six btn switch",
        ("top left", "top middle", "top right", "bottom left", "bottom middle", "bottom right"),
    ),
}
_PRESSES = {Press.SINGLE: "single press", Press.DOUBLE: "double press", Press.LONG: "long press"}


def _manufacturer(vector: Vector, company: int) -> bytes:
    found = vector.advertisement().manufacturer_data
    if company not in found:
        raise Unsupported(f"no manufacturer data of 0x{company:04X}")
    return found[company]


def _words(vector: Vector, told: Told) -> dict[str, object]:
    found = whole_of(vector, told)
    for one in told.values:
        found.update(dict.fromkeys(_NAMES.get(one.name, ()), one.value))
    return found


def _sensirion(vector: Vector) -> Mapping[str, object]:
    whole = _words(vector, decode_sensirion(_manufacturer(vector, SENSIRION)))
    for name in ("temperature", "humidity", "pm2.5", "hcho"):  # ble_monitor rounds, Theengs does not
        exact = whole.get(name)
        if isinstance(exact, Decimal):
            whole[name] = round(exact, 2)
    return whole


def _aranet(vector: Vector) -> Mapping[str, object]:
    return _words(vector, decode_aranet(_manufacturer(vector, ARANET)))


def _almendo(vector: Vector) -> Mapping[str, object]:
    return _words(vector, decode_almendo(_manufacturer(vector, ALMENDO)))


def _blue_maestro(vector: Vector) -> Mapping[str, object]:
    told = decode_blue_maestro(_manufacturer(vector, BLUE_MAESTRO))
    return {**_words(vector, told), **celsius("2_dp", told.get("dew_point_c"))}


def _mikrotik(vector: Vector) -> Mapping[str, object]:
    frame = _manufacturer(vector, MIKROTIK)
    told = decode_mikrotik(frame)
    whole = {**_words(vector, told), "version": frame[0], "user data": frame[1]}
    read: list[float] = []
    for axis in "xyz":
        value = told.get(f"acceleration_{axis}_m_s2")
        if value is not None:
            whole[f"acc{axis}"] = value
            # ble_monitor reads this signed number without its sign, and the highest word as zero.
            unsigned = value if value >= 0 else value + 256
            seen = Decimal(0) if value * 256 == -1 else unsigned
            whole[f"acceleration {axis}"] = seen
            read.append(float(seen))
    whole["acceleration"] = math.hypot(*read)
    for name, (word, bit, flag) in _TAG_FLAGS.items():
        is_set = bool(told.get(name))
        whole |= {word: bit * is_set, flag: is_set}
    whole["impact"] = int(any(told.get(f"impact_{axis}") for axis in "xyz"))
    if told.get("temperature_c") is None:  # both publishers tell the mark of the indoor tag as a temperature
        whole |= {"temperature": _WITHOUT_THERMOMETER_C, **celsius("", Decimal(_WITHOUT_THERMOMETER_C))}
    return whole


def _sonoff(vector: Vector) -> Mapping[str, object]:
    press = decode_sonoff(_structure(vector, STRUCTURE))
    group, places = _BUTTONS[press.model]
    return {
        "packet": press.count,
        "mac": press.number.rjust(6, b"\0").hex().upper(),
        f"{group} {places[press.button]}": "toggle",
        "button switch": _PRESSES[press.press],
    }


def _structure(vector: Vector, kind: int) -> bytes:
    """The first structure of a type; the table of what was heard has none of these."""
    found = next((data for one, data in vector.structures() if one == kind), None)
    if found is None:
        raise Unsupported(f"no structure 0x{kind:02X}")
    return found


def _ibeacon(vector: Vector) -> Mapping[str, object]:
    beacon = decode_ibeacon(_manufacturer(vector, APPLE))
    warmth, damp = beacon.climate  # ble_monitor tells it of every beacon, whoever made it
    return {
        "packet": "no packet id",
        **address(vector, None),
        "uuid": beacon.uuid.hex(),
        "tracker_id": repr(beacon.uuid),
        "major": beacon.major,
        "minor": beacon.minor,
        "measured power": beacon.power_dbm,
        "cypress temperature": warmth.value,
        "cypress humidity": damp.value,
    }


ADAPTERS: Mapping[str, Adapter] = {
    "Sensirion*": _sensirion,
    "Aranet*": _aranet,
    "Almendo": _almendo,
    "Blue Maestro*": _blue_maestro,
    "MikroTik tag": _mikrotik,
    "Sonoff": _sonoff,
    "iBeacon": _ibeacon,
}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
