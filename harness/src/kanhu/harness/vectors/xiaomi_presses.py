"""Pressed buttons of Xiaomi products, in the words of ble_monitor and, by titles, of xiaomi-ble."""

from collections.abc import Mapping

from kanhu.edge.codecs.mibeacon import Mibeacon
from kanhu.edge.codecs.mibeacon_presses import BUTTON, CUBE, DIMMER, Press, PressKind

__all__ = ["tell"]

_KINDS = {
    PressKind.SINGLE: "single press", PressKind.DOUBLE: "double press", PressKind.LONG: "long press",
    PressKind.TRIPLE: "triple press", PressKind.RELEASED: "release", PressKind.UNKNOWN: "no press",
    PressKind.LEFT: "rotate left", PressKind.RIGHT: "rotate right", PressKind.LEFT_PRESSED: "rotate left (pressed)",
    PressKind.RIGHT_PRESSED: "rotate right (pressed)",
}  # fmt: skip  # a table reads by rows
_COUNTED = {
    PressKind.SINGLE: "number_of_presses",
    PressKind.LONG: "duration",
    PressKind.DOUBLE: None,
    PressKind.UNKNOWN: None,
}
# By product: what ble_monitor calls it, its buttons there, and those of xiaomi-ble.
_LAMP = 0x0153
_REMOTES: Mapping[int, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    _LAMP: ("remote", ("on", "off", "sun", "+", "m", "-"), ("on", "off", "brightness", "plus", "M", "min")),
    0x068E: (
        "fan remote",
        ("fan toggle", "light toggle", "wind speed", "color temperature", "wind mode", "brightness"),
        ("fan", "light", "wind_speed", "color_temperature", "wind_mode", "brightness"),
    ),
    0x04E6: (
        "ventilator fan remote",
        ("swing", "power toggle", "timer 60 minutes", "strong wind speed", "timer 30 minutes", "low wind speed"),
        ("swing", "power", "timer_60_minutes", "increase_wind_speed", "timer_30_minutes", "decrease_wind_speed"),
    ),
    0x03BF: (
        "bathroom heater remote",
        ("stop", "air exchange", "fan", "speed +", "speed -", "dry", "light toggle", "swing", "heat"),
        ("stop", "air_exchange", "fan", "increase_speed", "decrease_speed", "dry", "light", "swing", "heat"),
    ),
}
_LAMP_STATES = {0: True, 1: False, 3: True, 5: True}
_COUNTS = {0x1569: "two", 0x1949: "two", 0x5968: "two", 0x0DFD: "three", 0x3A61: "four", 0x3E17: "four"}
_FOURS = {"left": "1", "mid_left": "2", "mid_right": "3", "right": "4"}
_OPENING_BUTTON = 0x4A13


def tell(beacon: Mibeacon) -> dict[str, object]:
    """Every press of this advertisement."""
    found: dict[str, object] = {}
    numbered = any(one.id == BUTTON for one in beacon.objects)
    for press in beacon.presses:
        if not numbered:
            found |= _button(beacon.head.product, press)
        elif beacon.head.product == DIMMER:
            found |= _dimmer(press)
        elif beacon.head.product == CUBE:
            side = press.kind.value.removeprefix("rotate_")
            found |= {"button": side, "Cube": _event(press.kind)}
        elif beacon.head.product in _REMOTES:
            found |= _remote(beacon.head.product, press)
        else:
            found |= _button(beacon.head.product, press)
    if any(one.id == _OPENING_BUTTON for one in beacon.objects) and beacon.presses:
        found["button"] = "toggle"
    return found


def _event(kind: PressKind, properties: Mapping[str, int] | None = None) -> Mapping[str, object]:
    return {"event_type": kind.value, "properties": properties}


def _button(product: int, press: Press) -> dict[str, object]:
    count = _COUNTS.get(product, "one")
    place = _FOURS.get(press.place, press.place) if count == "four" else press.place
    words = _KINDS[press.kind]
    title = f"button_{press.place}" if press.place else "button"
    return {
        "button": words,
        "button switch": words,
        f"{count} btn switch {place}".rstrip(): "toggle",
        title.replace("_", " ").title(): _event(press.kind),
    }


def _dimmer(press: Press) -> dict[str, object]:
    words = "short press" if press.kind is PressKind.SINGLE else _KINDS[press.kind]
    counted = _COUNTED.get(press.kind, "steps")
    properties = None if counted is None else {counted: press.amount or 0}
    return {"dimmer": words, "steps": press.amount, "Dimmer": _event(press.kind, properties)}


def _remote(product: int, press: Press) -> dict[str, object]:
    name, plain, titled = _REMOTES[product]
    number = int(press.place)
    if number >= len(plain):
        return {"button": _KINDS[press.kind]}
    title = f"button_{titled[number]}".replace("_", " ").title()
    found: dict[str, object] = {name: plain[number], "button": _KINDS[press.kind], title: _event(press.kind)}
    if product == _LAMP and number in _LAMP_STATES:
        single = press.kind is PressKind.SINGLE
        found["remote single press" if single else "remote long press"] = _LAMP_STATES[number]
        if number < 2:
            found["Power"] = number == 0
    return found
