"""One BTHome packet in the words of bthome-ble, of ble_monitor and of Theengs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from kanhu.edge.codecs.bthome import BthomePacket, BthomeValue, decode_bthome
from kanhu.edge.codecs.bthome_encrypted import decode_bthome_encrypted

__all__ = ["tell"]

_BLE_MONITOR = {
    "dew_point": "dewpoint", "mass": "weight", "pm25": "pm2.5", "carbon_dioxide": "co2",
    "volatile_organic_compounds": "tvoc", "packet_id": "packet",
}  # fmt: skip  # a table reads by rows
_BLE_MONITOR_BINARY = {
    "power": "switch", "charging": "battery charging", "gas": "gas detected", "moisture": "moisture detected",
}  # fmt: skip  # a table reads by rows
_BLE_MONITOR_OBJECTS = {0x40: "distance mm", 0x48: "volume mL"}
_BTHOME_BLE_BINARY = {"binary": "Generic", "battery_low": "Battery", "charging": "Battery Charging"}
_PRESSES = {
    1: "press", 2: "double_press", 3: "triple_press", 4: "long_press", 5: "long_double_press", 6: "long_triple_press",
    0x80: "hold_press",
}  # fmt: skip  # a table reads by rows
_TURNS = {1: "rotate_left", 2: "rotate_right"}
_POUNDS, _TIMESTAMP = 0x07, 0x50


def tell(frame: bytes, *, key: bytes | None, address: bytes | None) -> dict[str, object]:
    """Decode it, with its key where the publisher gave one."""
    if key is None or address is None:
        return _told(decode_bthome(frame), counter=None)
    opened = decode_bthome_encrypted(frame, key=key, address=address)
    return _told(opened.packet, counter=opened.counter)


def _told(packet: BthomePacket, *, counter: int | None) -> dict[str, object]:
    found: dict[str, object] = {"packet": "no packet id" if counter is None else counter}
    for value, index in zip(packet.values, packet.indexes, strict=True):
        title, name = _title(value), _plain_name(value)
        if index is not None:
            title = f"{title} {index}"
        if value.name == "button":
            found |= _press(title, int(value.value))
        elif value.name == "dimmer":
            found |= _turn(title, int(value.value))
        else:
            shown = _shown(value)
            found[title] = shown
            found[name] = value.value.decode("utf-8", "replace") if isinstance(value.value, bytes) else shown
            if index is not None:
                found[f"{name}_{index}"] = shown
            if value.object_id == _POUNDS:
                found["weight unit"] = "lbs"
    return found | _theengs(packet)


def _shown(value: BthomeValue) -> object:
    if isinstance(value.value, bytes):
        return value.value.hex() if value.name == "raw" else value.value.decode("utf-8", "replace")
    if value.binary:
        return bool(value.value)
    if value.object_id == _TIMESTAMP:
        return datetime.fromtimestamp(int(value.value), UTC).isoformat()
    return value.value


def _title(value: BthomeValue) -> str:
    special = _BTHOME_BLE_BINARY.get(value.name) if value.binary else None
    return special or value.name.replace("_", " ").title()


def _plain_name(value: BthomeValue) -> str:
    special = _BLE_MONITOR_OBJECTS.get(value.object_id)
    special = special or (_BLE_MONITOR_BINARY if value.binary else _BLE_MONITOR).get(value.name)
    return special or value.name.replace("_", " ")


def _press(title: str, code: int) -> dict[str, object]:
    """A button that was not pressed is not told; its place in the count is kept."""
    event = _PRESSES.get(code)
    if event is None:
        return {}
    return {title: {"event_type": event, "properties": None}, "button": event.replace("_", " ")}


def _turn(title: str, value: int) -> dict[str, object]:
    event, steps = _TURNS.get(value & 0xFF), value >> 8
    if event is None:
        return {}
    told: Mapping[str, object] = {"event_type": event, "properties": {"steps": steps}}
    return {title: told, "dimmer": event.replace("_", " "), "steps": steps}


def _theengs(packet: BthomePacket) -> dict[str, object]:
    names = {"battery": "batt", "temperature": "tempc", "humidity": "hum", "voltage": "volt", "pressure": "pres"}
    found: dict[str, object] = {
        names[value.name]: value.value for value in packet.values if value.name in names and not value.binary
    }
    celsius = found.get("tempc")
    return found if not isinstance(celsius, Decimal) else {**found, "tempf": celsius * Decimal("1.8") + 32}
