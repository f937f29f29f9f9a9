"""What publishers of sensor frames call the quantities, and how one advertisement differs from what they state."""

from collections.abc import Collection
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement
from tests.edge.vectors import Vector

_LABELS = {"brand", "model", "model_id", "type", "firmware", "track", "cont", "encr", "cipher", "ctr", "mic"}
_QUANTITIES = {
    "temperature": "temperature_c", "tempc": "temperature_c", "humidity": "humidity_percent",
    "hum": "humidity_percent", "battery": "battery_percent", "batt": "battery_percent", "voltage": "voltage_v",
    "volt": "voltage_v", "pressure": "pressure_hpa", "pres": "pressure_hpa", "illuminance": "illuminance_lx",
    "lux": "illuminance_lx", "co2": "carbon_dioxide_ppm", "pm2.5": "pm25_ug_m3", "pm25": "pm25_ug_m3",
    "pm10": "pm10_ug_m3", "light": "light", "open": "contact_open", "motion": "motion", "led": "led_on",
    "scopetested": "scope_tested", "in_ct": "entrance_count", "out_ct": "exit_count", "push_ct": "press_count",
    "tx": "transmit_power_dbm", "mov": "movement_count", "distance mm": "distance_mm", "side": "side",
    "magnetic field detected": "magnet", "moving": "moving", "movement counter": "movement_count",
    "roll": "roll_degrees", "pitch": "pitch_degrees", "time": "uptime_s",
    "time_max": "highest_at_s", "time_min": "lowest_at_s",
    "tempc_max": "highest_temperature_c", "tempc_min": "lowest_temperature_c", "acceleration x": "acceleration_x_mg",
    "acceleration y": "acceleration_y_mg", "acceleration z": "acceleration_z_mg",
}  # fmt: skip  # a table reads by rows
_WORDS = {
    "lightlevel": ("light", {"dark": 0, "bright": 1}),
    "contact": ("contact_open", {"closed": 0, "open": 1}),
    "sensingdistance": ("sensing_distance", {"long": 0, "middle": 1, "short": 2}),
    "button": ("button", {"toggle": 1}),
}


def differences(told: Advertisement, vector: Vector, *, but: Collection[str] = ()) -> dict[str, object]:
    """Every field that differs; `but` are fields the publisher estimated, or states in a way that a test names."""
    found: dict[str, object] = {}
    for key, expected in vector.expected.items():
        if key in _LABELS or key in but or key.startswith("tempf"):
            continue
        decoded: object
        wanted: object
        if key == "mac":
            address = told.address or bytes.fromhex(vector.given.get("address", ""))
            decoded, wanted = address.hex(), expected.replace(":", "").lower()
        elif key in {"packet", "seq"}:
            decoded, wanted = told.packet, None if expected == "no packet id" else expected
        elif key in _WORDS:
            name, words = _WORDS[key]
            decoded, wanted = told.get(name), words[expected]
        else:
            decoded, wanted = told.get(_QUANTITIES[key]), Decimal(expected)
        if decoded != wanted:
            found[key] = (wanted, decoded)
    return found
