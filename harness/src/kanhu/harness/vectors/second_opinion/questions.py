"""Which library is asked of which protocol, and how a published frame is put to it."""

import fnmatch
import re
from collections.abc import Mapping, Sequence

from kanhu.harness.vectors.vector import Advertisement, Unsupported, Vector

__all__ = ["LIBRARIES", "asked_of", "question"]

LIBRARIES: Mapping[str, Sequence[str]] = {
    "bthome-ble": ("BTHome v2", "April Brother ABN07"),
    "xiaomi-ble": (
        "Xiaomi Mi*", "Xiaomi [JS]*", "Xiaomi LYWSDCGQ", "Xiaomi MUE*", "Xiaomi XMTZC*", "Xiaomi/Mijia *",
        "ClearGrass/Qingping CGG1",
    ),
    "qingping-ble": ("Qingping*", "ClearGrass/Qingping *"),
    "ruuvitag-ble": ("Ruuvi*",),
    "ruuvitag-sensor": ("Ruuvi*",),
    "PySwitchbot": ("SwitchBot*",),
    "govee-ble": ("Govee*",),
    "inkbird-ble": ("Inkbird*",),
    "thermopro-ble": ("ThermoPro*",),
    "thermobeacon-ble": ("ThermoBeacon", "GENERIC WS02/WS08"),
    "bluemaestro-ble": ("Blue Maestro*",),
    "sensirion-ble": ("Sensirion*",),
    "aranet4": ("Aranet*",),
    "TheengsDecoder": ("*",),
    "bluetooth-sig": ("BLE *", "IEEE-11073 *"),
    "pynmea2": ("NMEA 0183",),
}  # fmt: skip  # a table reads by rows
"""By its name in the package index: protocols of the file, `*` is anything."""

_OF_VALUES = frozenset({"bluetooth-sig", "pynmea2"})
"""The others read advertisements."""
_CHARACTERISTIC = re.compile(r"\b0x(2[0-9A-F]{3})\b")
_NUMBER = re.compile(r"\bS?FLOAT\b")
_SCALE, _MIBEACON = "Xiaomi S400", 0xFE95
"""Published as service data without a layer."""
_SERVICE_DATA, _MANUFACTURER_DATA = 0x16, 0xFF


def asked_of(vector: Vector) -> list[str]:
    """The libraries that are asked of it, in the order of the table."""
    advertised = _advertisement(vector) is not None
    return [
        library
        for library, protocols in LIBRARIES.items()
        if any(fnmatch.fnmatchcase(vector.protocol, one) for one in protocols) and (library in _OF_VALUES or advertised)
    ]


def question(vector: Vector) -> Mapping[str, object]:
    """The frame as `peer.py` takes it, in every form that one of the libraries knows."""
    named = _CHARACTERISTIC.search(vector.protocol) or _NUMBER.search(vector.protocol)
    value = {"hex": vector.frame.hex(), "value": named[named.lastindex or 0] if named else None}
    heard = _advertisement(vector)
    if heard is None:
        return value
    return {
        **value,
        "key": vector.key and vector.key.hex(),
        "address": heard.address.hex(":").upper() if heard.address else vector.expected.get("mac"),
        "names": _names(vector, heard),
        "uuids": heard.uuids,
        "service_data": {uuid: data.hex() for uuid, data in heard.service_data.items()},
        "manufacturer_data": {company: data.hex() for company, data in heard.manufacturer_data.items()},
        "structures": _structures(heard),
        "theengs": vector.given.get("input") or _as_theengs(heard),
    }


def _advertisement(vector: Vector) -> Advertisement | None:
    try:
        return vector.advertisement()
    except Unsupported:
        if not vector.protocol.startswith(_SCALE):
            return None
    address = bytes.fromhex(str(vector.given.get("address", "")).replace(":", ""))
    return Advertisement(
        address or None, None, {_MIBEACON: vector.frame.removeprefix(_MIBEACON.to_bytes(2, "little"))}, {}
    )


def _names(vector: Vector, heard: Advertisement) -> list[str]:
    """The name it sends, then what its publisher labels it with: some libraries know a device by its name alone."""
    given = vector.given.get("input")
    label = given.get("device") if isinstance(given, Mapping) else None
    return [*dict.fromkeys(one for one in (heard.name, label) if one)]


def _structures(heard: Advertisement) -> str:
    """The payload with its length in front, in hex."""
    found = b"".join(
        bytes((3 + len(data), kind)) + number.to_bytes(2, "little") + data
        for kind, table in ((_SERVICE_DATA, heard.service_data), (_MANUFACTURER_DATA, heard.manufacturer_data))
        for number, data in table.items()
    )
    return (bytes((min(len(found), 255),)) + found).hex().upper()


def _as_theengs(heard: Advertisement) -> Mapping[str, str]:
    """In the words of the Theengs decoder, which knows one structure of a kind: the last one heard."""
    found: dict[str, str] = {}
    if heard.name is not None:
        found["name"] = heard.name
    if heard.address is not None:
        found["id"] = heard.address.hex(":").upper()
    for uuid, data in heard.service_data.items():
        found |= {"servicedata": data.hex(), "servicedatauuid": f"{uuid:04x}"}
    for company, data in heard.manufacturer_data.items():
        found["manufacturerdata"] = (company.to_bytes(2, "little") + data).hex()
    return found
