"""One MiBeacon in the words of xiaomi-ble (titles), of ble_monitor and of Theengs, whose keys do not collide.

What a publisher estimates (a voltage from the battery, a body's temperature from a skin's) is computed here in his way
and is no value of ours.
"""

import math
from collections.abc import Mapping
from decimal import Decimal

from kanhu.edge.codecs.mi_scale_s400 import scale_of
from kanhu.edge.codecs.mibeacon import Mibeacon
from kanhu.harness.vectors import sensor_words, xiaomi_locks, xiaomi_presses

__all__ = ["tell"]

_TITLES = {
    "temperature_c": "Temperature", "body_temperature_c": "Temperature", "water_c": "Temperature",
    "humidity_percent": "Humidity", "battery_percent": "Battery", "illuminance_lx": "Illuminance",
    "soil_moisture_percent": "Moisture", "conductivity_us_cm": "Conductivity", "formaldehyde_mg_m3": "Formaldehyde",
    "consumable_percent": "Consumable", "present_for_min": "Duration detected", "absent_for_min": "Duration cleared",
    "pressed_for_s": "Pressure present duration", "not_pressed_for_s": "Pressure not present duration",
    "brush_count": "Counter", "brush_score": "Score",
}  # fmt: skip  # a table reads by rows
_FLAG_TITLES = {
    "motion": "Motion", "power_on": "Power", "kettle_state": "Power", "water_leak": "Moisture", "smoke_state": "Smoke",
    "light": "Light", "presence": "Occupancy", "close_presence": "Occupancy close range", "battery_low": "Battery",
    "asleep": "Asleep", "worn": "Wearing", "brushing": "Toothbrush", "left_open": "Door left open",
    "forced": "Device forcibly removed", "water_below": "Bottom submersion", "water_above": "Top splash",
}  # fmt: skip  # a table reads by rows
_NAMES = {
    "temperature_c": "temperature", "body_temperature_c": "temperature", "water_c": "temperature",
    "humidity_percent": "humidity", "battery_percent": "battery", "illuminance_lx": "illuminance",
    "light_code": "illuminance", "soil_moisture_percent": "moisture", "conductivity_us_cm": "conductivity",
    "formaldehyde_mg_m3": "formaldehyde", "consumable_percent": "consumable", "idle_s": "no motion time",
    "pressed_for_s": "pressure present duration", "not_pressed_for_s": "pressure not present duration",
    "pressed_limit_s": "pressure present time set", "not_pressed_limit_s": "pressure not present time set",
    "brush_count": "counter", "brush_score": "score", "mode": "mode", "kettle_state": "switch", "power_on": "switch",
    "motion": "motion", "water_leak": "moisture detected", "smoke_state": "smoke", "light": "light",
    "presence": "pressure state", "battery_low": "low battery", "asleep": "sleeping", "snoring": "snoring",
    "brushing": "toothbrush", "bed_occupied": "bed occupancy", "contact_open": "opening",
}  # fmt: skip  # a table reads by rows
_PLACES = {0x4801: 1, 0x4808: 1, 0x4C01: 2}  # to which xiaomi-ble rounds
_WHOLE_PERCENT = {0x055B, 0x0387}  # sensors whose humidity xiaomi-ble cuts off behind the point
_ALKALINE = {0x01AA, 0x4F59}
_CHARGING = {0: "Charging", 1: "Not Charging", 2: "Full"}
_SCALES = {0x30D9, 0x3BD5, 0x48CF, 0x4FC2, 0x45C9, 0x4C04, 0x4DCB, 0x4B05}
_CONTACT_STATUS = {0: "opened", 1: "closed", 2: "closing timeout", 3: "device reset"}
_DOORS = {  # action, open, and what xiaomi-ble sets and resets with it
    0: ("open the door", True, {"Door stuck": False, "Knock on the door": False}),
    1: ("close the door", False, {"Door left open": False, "Pry the door": False}),
    2: ("timeout, not closed", True, {"Door left open": True}),
    3: ("knock on the door", False, {"Knock on the door": True}),
    4: ("pry the door", True, {"Pry the door": True}),
    5: ("door stuck", False, {"Door stuck": True}),
}
_APPROACH, _HUMIDITY, _LIGHT, _MOTION_AND_LIGHT, _BATTERY = 0x0003, 0x1006, 0x1007, 0x000F, 0x100A
_STATUS = {0x4A0F: "door/window broken open", 0x4A1A: "door not closed"}


def tell(beacon: Mibeacon) -> dict[str, object]:
    """Everything that it tells."""
    found: dict[str, object] = {}
    for one in beacon.told.values:
        if one.name in _NAMES:
            found[_NAMES[one.name]] = one.value
        if one.name in _TITLES:
            found[_TITLES[one.name]] = one.value
        elif one.name in _FLAG_TITLES:
            found[_FLAG_TITLES[one.name]] = one.value > 0
    for further in (_rounded, _contact, _motion, _bright, _battery, _skin, _charging, _reset, _weighing, _theengs):
        found |= further(beacon)
    return found | xiaomi_locks.tell(beacon) | xiaomi_presses.tell(beacon)


def _ids(beacon: Mibeacon) -> set[int]:
    return {one.id for one in beacon.objects}


def _rounded(beacon: Mibeacon) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for name, title in (("temperature_c", "Temperature"), ("humidity_percent", "Humidity")):
        value = beacon.told.get(name)
        places = max((_PLACES.get(one, 0) for one in _ids(beacon)), default=0)
        if value is not None and places:
            found[title] = round(value, places)
        elif (
            value is not None
            and name == "humidity_percent"
            and _HUMIDITY in _ids(beacon)
            and beacon.head.product in _WHOLE_PERCENT
        ):
            found[title] = int(value)
    return found


def _contact(beacon: Mibeacon) -> Mapping[str, object]:
    told = beacon.told
    event, opened = told.get("door_event"), told.get("contact_open")
    if event is not None:
        known = _DOORS.get(int(event))
        return {} if known is None else {"door": known[1], "door action": known[0], "Door": known[1], **known[2]}
    if told.get("door_state") is not None:
        return {"Door": bool(opened)}
    state = told.get("contact_state")
    found: dict[str, object] = {} if opened is None else {"Opening": bool(opened)}
    if state is not None:
        found |= {"status": _CONTACT_STATUS.get(int(state)), "opening": state in {0, 2, 3}}
        found |= {1: {"Door left open": False}, 2: {"Door left open": True}}.get(int(state), {})
    elif opened:
        status = next((text for number, text in _STATUS.items() if number in _ids(beacon)), None)
        found |= {} if status is None else {"status": status}
    return found


def _motion(beacon: Mibeacon) -> Mapping[str, object]:
    motion, idle_s = beacon.told.get("motion"), beacon.told.get("idle_s")
    if motion is None:
        return {}
    if idle_s is not None:
        return {"motion": idle_s == 0}
    if _APPROACH in _ids(beacon):
        return {"motion timer": motion, "Motion": {"event_type": "motion_detected", "properties": None}}
    return {"motion timer": motion}


def _bright(beacon: Mibeacon) -> Mapping[str, object]:
    illuminance = beacon.told.get("illuminance_lx")
    if illuminance is None:
        return {}
    if _MOTION_AND_LIGHT in _ids(beacon):
        return {"light": illuminance >= 100}
    return {"light": illuminance == 100} if _LIGHT in _ids(beacon) else {}


def _battery(beacon: Mibeacon) -> Mapping[str, object]:
    charge = beacon.told.get("battery_percent")
    if charge is None or _BATTERY not in _ids(beacon):
        return {}
    coin = Decimal("2.2") + Decimal("0.9") * charge / 100
    alkaline = Decimal("0.8") + Decimal("0.8") * charge / 100
    return {"voltage": coin, "Voltage": alkaline if beacon.head.product in _ALKALINE else coin}


def _skin(beacon: Mibeacon) -> Mapping[str, object]:
    """Fitted by ble_monitor to what the maker's app showed between 36.5 and 37.8."""
    skin, board = beacon.told.get("skin_c"), beacon.told.get("board_c")
    if skin is None or board is None:
        return {}
    body = 3.71934e-11 * math.exp(0.69314 * float(skin)) - 1.02801e-8 * math.exp(0.53871 * float(board)) + 36.413
    return {"temperature": body, "Temperature": body}


def _charging(beacon: Mibeacon) -> Mapping[str, object]:
    state = beacon.told.get("charging_state")
    return {} if state is None else {"Charging State": _CHARGING.get(int(state), "Unknown")}


def _reset(beacon: Mibeacon) -> Mapping[str, object]:
    value = beacon.told.get("device_reset")
    return {} if value is None else {"reset": value, "device reset": value}


def _weighing(beacon: Mibeacon) -> Mapping[str, object]:
    found = scale_of(beacon)
    if found is None:
        return {"Stabilized": False} if beacon.head.product in _SCALES and not beacon.objects else {}
    told: dict[str, object] = {"Profile ID": found.profile, "Stabilized": found.settled}
    if found.weight_kg is not None:
        told["Mass"] = found.weight_kg
    if found.heart_rate_bpm is not None:
        told["Heart Rate"] = found.heart_rate_bpm
    if found.impedance_ohm is not None:
        alone = found.weight_kg is None and found.heart_rate_bpm is None
        told["Impedance High" if alone else "Impedance Low"] = found.impedance_ohm
    return told


def _theengs(beacon: Mibeacon) -> Mapping[str, object]:
    told = beacon.told
    found: dict[str, object] = dict(sensor_words.celsius("", told.get("temperature_c")))
    names = {
        "humidity_percent": "hum", "battery_percent": "batt", "formaldehyde_mg_m3": "for", "illuminance_lx": "lux",
        "soil_moisture_percent": "moi", "conductivity_us_cm": "fer",
    }  # fmt: skip  # a table reads by rows
    found |= {word: told.get(name) for name, word in names.items() if told.get(name) is not None}
    if _APPROACH in _ids(beacon):
        found["darkness"] = beacon.head.counter  # the byte that it takes for darkness counts the packets
    return found
