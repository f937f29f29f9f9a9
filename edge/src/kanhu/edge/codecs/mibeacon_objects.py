"""What the objects of a MiBeacon mean, as a table: id, then lengths, then named quantities.

Ids below 0x4800 are the maker's (miio_open, "BLE Object", and its later edition as kept in an esphome component); those
above follow miot-spec and are as xiaomi-ble (1.21.2) and ble_monitor (056feba) read them. Which product it is decides
where one id has two uses.
"""

import math
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal

from kanhu.edge.codecs.advertised import Quantity, battery, signed, unsigned

LIGHT_ONLY = frozenset({0x07F6, 0x098B, 0x0A8D})
"""Products whose illuminance only says bright or dark."""
SAFE_BOX, PRESENCE_SENSOR, WATER_SENSOR_2, WATER_SENSORS_BELOW = 0x09B0, 0x4683, 0x6375, frozenset({0x6375, 0x7712})
CLOSE_RANGE_SENSOR = 0x6A0F
STILL_MOVING_S = 30
"""Up to here the maker's app still shows motion (xiaomi-ble)."""
_BRIGHT = 100
_FIRST_OF_VENDORS = 0x2000  # the maker's own state of one byte may have the second of the event behind it
_TIME_BYTES = 4

Values = tuple[Quantity, ...]
_Read = Callable[[int, bytes], Values | None]


def quantities(product: int, object_id: int, data: bytes) -> Values | None:
    """None for an object, or a length of it, that is not known."""
    found = _exactly(product, object_id, data)
    if found is None and object_id < _FIRST_OF_VENDORS and len(data) > 1:
        found = _exactly(product, object_id, data[:1])
        if found is not None and len(data) == 1 + _TIME_BYTES:
            found = (*found, Quantity("at_s", unsigned(data[1:])))
    return found


def _exactly(product: int, object_id: int, data: bytes) -> Values | None:
    plain = _PLAIN.get(object_id)
    if plain is not None:
        length, name, factor = plain
        return (Quantity(name, unsigned(data, factor)),) if len(data) == length else None
    if object_id in _BATTERIES:
        return battery(data[0]) if len(data) == 1 else None
    if object_id in _FLOATS:
        return _floats(_FLOATS[object_id], data)
    read = _READERS.get((object_id, len(data)))
    return None if read is None else read(product, data)


_PLAIN: Mapping[int, tuple[int, str, str]] = {
    0x1002: (1, "asleep", "1"), 0x1006: (2, "humidity_percent", "0.1"), 0x1008: (1, "soil_moisture_percent", "1"),
    0x1009: (2, "conductivity_us_cm", "1"), 0x1010: (2, "formaldehyde_mg_m3", "0.01"), 0x1012: (1, "power_on", "1"),
    0x1013: (1, "consumable_percent", "1"), 0x1014: (1, "water_leak", "1"), 0x000C: (1, "water_leak", "1"),
    0x1018: (1, "light", "1"), 0x101A: (2, "load_g", "1"), 0x101D: (2, "formaldehyde_mg_m3", "0.001"),
    0x4802: (1, "humidity_percent", "1"), 0x4C02: (1, "humidity_percent", "1"), 0x4811: (1, "snoring", "1"),
    0x5011: (1, "snoring", "1"), 0x483C: (1, "presence", "1"), 0x483D: (4, "pressed_for_s", "1"),
    0x483E: (4, "not_pressed_for_s", "1"), 0x483F: (4, "pressed_limit_s", "1"),
    0x4840: (4, "not_pressed_limit_s", "1"), 0x4851: (1, "present_for_min", "1"), 0x4852: (1, "absent_for_min", "1"),
    0x4A01: (1, "battery_low", "1"), 0x4E01: (1, "battery_low", "1"), 0x5601: (1, "battery_low", "1"),
    0x4A1C: (1, "device_reset", "1"), 0x4E1C: (1, "device_reset", "1"), 0x4C14: (1, "mode", "1"),
    0x5414: (1, "mode", "1"), 0x5422: (1, "charging_state", "1"), 0x0008: (1, "arming_state", "1"),
    0x100E: (1, "bolts", "1"),
}  # fmt: skip  # a table reads by rows
_BATTERIES = frozenset({0x100A, 0x4803, 0x4C03, 0x5003, 0x5403})
_FLOATS = {
    0x4801: "temperature_c", 0x4C01: "temperature_c", 0x4805: "illuminance_lx", 0x4808: "humidity_percent",
    0x4C08: "humidity_percent",
}  # fmt: skip  # a table reads by rows


def _floats(name: str, data: bytes) -> Values | None:
    if len(data) != 4:
        return None
    (value,) = struct.unpack("<f", data)
    return (Quantity(name, Decimal(value)),) if math.isfinite(value) else ()


def _flag(name: str, told: int) -> Quantity:
    return Quantity(name, Decimal(int(bool(told))))


def _idle(_: int, data: bytes) -> Values:
    idle_s = unsigned(data)
    return _flag("motion", idle_s <= STILL_MOVING_S), Quantity("idle_s", idle_s)


def _timed_out(_: int, data: bytes) -> Values:
    """A set time without motion has passed, however short it was."""
    return _flag("motion", not any(data)), Quantity("idle_s", unsigned(data))


def _motion_and_light(product: int, data: bytes) -> Values:
    return _flag("motion", 1), *_light(product, data)


def _light(product: int, data: bytes) -> Values:
    value = unsigned(data)
    if product in LIGHT_ONLY:
        return _flag("light", value >= _BRIGHT), Quantity("light_code", value)
    return (Quantity("illuminance_lx", value),)


def _smoke(_: int, data: bytes) -> Values:
    """0 watching and 1 fire; a failure, a self-test and a simulated alarm are no fire."""
    state = Quantity("smoke_state", unsigned(data))
    return (_flag("smoke", data[0]), state) if data[0] <= 1 else (state,)


def _gas(_: int, data: bytes) -> Values:
    """0 watching and 1 a leak; a failure, an aged or cold sensor, a self-test and a simulated alarm are none."""
    state = Quantity("gas_state", unsigned(data))
    return (_flag("gas_leak", data[0]), state) if data[0] <= 1 else (state,)


_OPENED, _CLOSED = _flag("contact_open", 1), _flag("contact_open", 0)
_CONTACT_STATES: Mapping[int, Values] = {
    0: (_OPENED,), 1: (_CLOSED, _flag("left_open", 0)), 2: (_OPENED, _flag("left_open", 1)),
}  # fmt: skip  # a table reads by rows
_DOOR_EVENTS: Mapping[int, Values] = {
    0: (_OPENED,), 1: (_CLOSED, _flag("left_open", 0), _flag("pried", 0)), 2: (_OPENED, _flag("left_open", 1)),
    4: (_OPENED, _flag("pried", 1)),
}  # fmt: skip  # a table reads by rows


def _door(_: int, data: bytes) -> Values:
    """0 opened, 1 closed, 2 not closed in time, 3 knocked at, 4 pried open, 5 stuck: a stuck one may be either."""
    state = Quantity("door_event", unsigned(data))
    return *_DOOR_EVENTS.get(data[0], ()), state


def _door_state(product: int, data: bytes) -> Values | None:
    """0 open, 1 closed, 255 not known; one safe box says it the other way round (xiaomi-ble)."""
    if data[0] > 1:
        return () if data[0] == 0xFF else None
    opened = data[0] == 1 if product == SAFE_BOX else data[0] == 0
    return _flag("contact_open", opened), Quantity("door_state", unsigned(data))


def _contact(_: int, data: bytes) -> Values:
    """0 opened, 1 closed, 2 not closed in time, 3 the sensor was reset: then the door is not known."""
    state = Quantity("contact_state", unsigned(data))
    return *_CONTACT_STATES.get(data[0], ()), state


def _opening(_: int, data: bytes) -> Values | None:
    """1 open, 2 closed; a closed one is neither left open nor forced."""
    if data[0] == 1:
        return (_OPENED,)
    return (_CLOSED, _flag("left_open", 0), _flag("forced", 0)) if data[0] == 2 else None


def _when_one(*values: Quantity) -> _Read:
    return lambda _, data: values if data[0] == 1 else ()


def _bed(_: int, data: bytes) -> Values | None:
    """1 in bed, 2 out of it; 3 is the button of the sensor."""
    return (_flag("bed_occupied", data[0] == 1),) if data[0] in {1, 2} else None


def _sleep(_: int, data: bytes) -> Values | None:
    return (_flag("asleep", data[0]),) if data[0] <= 1 else None


def _toothbrush(_: int, data: bytes) -> Values:
    name = "brush_score" if data[0] else "brush_count"
    more = (Quantity(name, Decimal(data[1])),) if len(data) == 2 else ()
    return _flag("brushing", data[0] == 0), *more


def _toothbrush_timed(_: int, data: bytes) -> Values | None:
    if data[0] > 1:
        return None
    score = (Quantity("brush_score", Decimal(data[5])),) if len(data) == 6 else ()
    return _flag("brushing", data[0] == 0), Quantity("brushed_at_s", unsigned(data[1:5])), *score


def _presence(product: int, data: bytes) -> Values:
    return (_flag("presence", data[0] == 1 if product == PRESENCE_SENSOR else data[0]),)


def _water(product: int, data: bytes) -> Values:
    told = (_flag("water_below", data[0]),) if product in WATER_SENSORS_BELOW else ()
    return _flag("water_leak", data[0]), *told


def _splash(product: int, data: bytes) -> Values | None:
    return (_flag("water_leak", data[0]), _flag("water_above", data[0])) if product == WATER_SENSOR_2 else None


def _water_event(product: int, data: bytes) -> Values | None:
    """0 and 1: water below came and went; 2 and 3: above."""
    if product != WATER_SENSOR_2 or data[0] > 3:
        return None
    wet = data[0] in {0, 2}
    return _flag("water_leak", wet), _flag("water_below" if data[0] < 2 else "water_above", wet)


def _close_range(product: int, data: bytes) -> Values | None:
    return (_flag("presence", data[0]), _flag("close_presence", data[0])) if product == CLOSE_RANGE_SENSOR else None


_READERS: Mapping[tuple[int, int], _Read] = {
    (0x0003, 1): lambda _, data: (_flag("motion", data[0]),),
    (0x0007, 1): _door,
    (0x000A, 2): lambda _, data: (Quantity("body_temperature_c", signed(data, "0.01")),) if any(data) else (),
    (0x000D, 1): _smoke, (0x1015, 1): _smoke, (0x000E, 1): _gas, (0x1016, 1): _gas,
    (0x000F, 3): _motion_and_light, (0x1007, 3): _light,
    (0x0010, 1): _toothbrush, (0x0010, 2): _toothbrush,
    (0x1004, 2): lambda _, data: (Quantity("temperature_c", signed(data, "0.1")),),
    (0x1005, 2): lambda _, data: (Quantity("kettle_state", Decimal(data[0])), Quantity("water_c", signed(data[1:]))),
    (0x100D, 4): lambda _, data: (
        Quantity("temperature_c", signed(data[:2], "0.1")), Quantity("humidity_percent", unsigned(data[2:], "0.1")),
    ),
    (0x100F, 1): _door_state, (0x1017, 4): _idle, (0x101B, 4): _timed_out, (0x4818, 2): _idle, (0x1019, 1): _contact,
    (0x101B, 1): lambda _, data: (_flag("motion", data[0] == 0),),
    (0x101C, 1): lambda _, data: (_flag("bed_occupied", data[0]),) if data[0] <= 1 else None,
    (0x2000, 5): lambda _, data: (
        Quantity("skin_c", signed(data[:2], "0.01")), Quantity("board_c", signed(data[2:4], "0.01")), *battery(data[4]),
    ),
    (0x2001, 4): lambda _, data: (Quantity("steps", unsigned(data[:2])),),
    (0x2003, 4): lambda _, data: (
        Quantity("steps", unsigned(data[:2])), Quantity("heart_rate_bpm", Decimal(data[2])),
    ),
    (0x3003, 5): _toothbrush_timed, (0x3003, 6): _toothbrush_timed,
    (0x4804, 1): _opening, (0x4A12, 1): _opening, (0x4806, 1): _water, (0x487B, 1): _splash, (0x4A68, 1): _water_event,
    (0x480C, 1): lambda _, data: (_flag("contact_open", data[0] == 0),) if data[0] <= 1 else None,
    (0x4810, 1): _sleep, (0x5010, 1): _sleep, (0x484E, 1): _presence, (0x5413, 1): _close_range,
    (0x4A0F, 1): _when_one(_OPENED, _flag("forced", 1)),
    (0x4A1A, 1): _when_one(_OPENED, _flag("left_open", 1)),
    (0x4A08, 4): lambda _, data: (_flag("motion", 1), *(_floats("illuminance_lx", data) or ())),
    (0x4E16, 1): _when_one(_flag("bed_occupied", 1)), (0x4E17, 1): _when_one(_flag("bed_occupied", 0)),
    (0x5A16, 1): _bed,
    (0x5810, 1): lambda _, data: (_flag("asleep", data[0] ^ 1),),
    (0x6461, 1): lambda _, data: (_flag("worn", data[0] ^ 1),),
}  # fmt: skip  # a table reads by rows
