"""Which button of which Xiaomi product was pressed, and how: products number their buttons and presses differently.

Layouts by product as xiaomi-ble and ble_monitor have them; a product that is not listed follows the maker's definition.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

BUTTON = 0x1001


class PressKind(StrEnum):
    """How a button was pressed or a knob turned."""

    SINGLE = "press"
    DOUBLE = "double_press"
    LONG = "long_press"
    TRIPLE = "triple_press"
    RELEASED = "release"
    LEFT = "rotate_left"
    RIGHT = "rotate_right"
    LEFT_PRESSED = "rotate_left_pressed"
    RIGHT_PRESSED = "rotate_right_pressed"
    UNKNOWN = "no_press"


class Press(NamedTuple):
    """One press; `place` is empty where there is one button, else its side or its number."""

    place: str
    kind: PressKind
    amount: int | None = None  # presses, seconds or steps of a dimmer


CUBE, DIMMER = 0x04E1, 0x03B6
NOT_CALLS = frozenset({CUBE, DIMMER, 0x0153, 0x068E, 0x04E6, 0x03BF, 0x0997, 0x0863, 0x0A8D, 0x1889})
"""Remotes of lamps, fans and heaters, and the test or pairing button of a sensor: pressed for another purpose."""

_SINGLE_BUTTON = frozenset({0x0997, 0x0863, 0x0A8D, 0x07BF})
_SINGLE_SWITCH = 0x1568
_TWO, _THREE = ("left", "right"), ("left", "middle", "right")
_SWITCHES: Mapping[int, tuple[tuple[str, ...], ...]] = {
    0x1569: (("left",), ("right",), _TWO),
    0x0DFD: (("left",), ("middle",), ("right",), _THREE[:2], _THREE[1:], ("left", "right"), _THREE),
}
_KINDS = (PressKind.SINGLE, PressKind.DOUBLE, PressKind.LONG, PressKind.TRIPLE, PressKind.RELEASED)
_SENSOR_KINDS = {**dict(enumerate(_KINDS[:3])), 5: PressKind.SINGLE, 6: PressKind.LONG}
_SWITCH_KINDS = {0: PressKind.SINGLE, 1: PressKind.LONG, 2: PressKind.DOUBLE}  # K9B counts the other way round

# Events of the newer numbering: the last two digits say how it was pressed.
_EVENT_KINDS = {0x0C: PressKind.SINGLE, 0x0D: PressKind.DOUBLE, 0x0E: PressKind.LONG}
_EVENT_SERIES = frozenset({0x4A, 0x4E, 0x56})
_TWO_FROM_ZERO = 0x5968
_TWO_BY_BITS = 0x1949
_FOUR_FROM_ONE = frozenset({0x3A61, 0x3E17})
_FOUR = {1: "left", 2: "mid_left", 3: "mid_right", 4: "right"}
_ONE_BUTTON = frozenset({0x2387, 0x520B, 0x78A3})
_ONE_BUTTON_BY_VALUE = 0x1C10
_VALUE_KINDS = {1: PressKind.SINGLE, 8: PressKind.LONG, 15: PressKind.DOUBLE}


def presses(product: int, object_id: int, data: bytes) -> tuple[Press, ...] | None:
    """All buttons pressed at once; None where the object is no press, or one of no known meaning."""
    if object_id == BUTTON:
        return _presses_by_number(product, *data) if len(data) == 3 else None
    if object_id == 0x4A13 and len(data) == 1:
        return (Press("", PressKind.SINGLE),) if data[0] == 1 else ()
    kind = _EVENT_KINDS.get(object_id & 0xFF)
    if kind is None or object_id >> 8 not in _EVENT_SERIES:
        return None
    return _presses_by_event(product, object_id >> 8, data, kind)


def _presses_by_number(product: int, number: int, value: int, code: int) -> tuple[Press, ...] | None:
    if product == DIMMER:
        return (_dimmer(number, value, code),)
    if product == CUBE:
        turned = {0: PressKind.RIGHT, 1: PressKind.LEFT}.get(number)
        return None if turned is None else (Press("", turned),)
    if product in _SINGLE_BUTTON:
        return (Press("", _SENSOR_KINDS.get(code, PressKind.UNKNOWN)),)
    if product == _SINGLE_SWITCH or product in _SWITCHES:
        kind = _SWITCH_KINDS.get(code)
        places = _SWITCHES.get(product, (("",),))
        if kind is None or number >= len(places):
            return None
        return tuple(Press(place, kind) for place in places[number])
    kinds = dict(enumerate(_KINDS)) if product not in NOT_CALLS else _SENSOR_KINDS
    return (Press(str(number), kinds.get(code, PressKind.UNKNOWN)),)


def _dimmer(number: int, value: int, code: int) -> Press:
    """Pressed or held with a count; turned with steps, to the left as a negative byte, and pressed while turning."""
    match code, number:
        case 3, 0:
            return Press("", PressKind.SINGLE, value)
        case 3, 1:
            return Press("", PressKind.LONG, value)
        case 4, 0 if value < 0x80:
            return Press("", PressKind.RIGHT, value)
        case 4, 0:
            return Press("", PressKind.LEFT, 0x100 - value)
        case 4, steps if steps < 0x80:
            return Press("", PressKind.RIGHT_PRESSED, steps)
        case 4, steps:
            return Press("", PressKind.LEFT_PRESSED, 0x100 - steps)
        case _:
            return Press("", _SENSOR_KINDS.get(code, PressKind.UNKNOWN))


def _presses_by_event(product: int, series: int, data: bytes, kind: PressKind) -> tuple[Press, ...] | None:
    value = data[0] if data else None
    if (series == 0x4A and product != _TWO_FROM_ZERO) or product in _ONE_BUTTON:
        return (Press("", kind),)
    if product == _TWO_FROM_ZERO and value is not None and value < len(_TWO):
        return (Press(_TWO[value], kind),)
    if product == _TWO_BY_BITS and value in {1, 2, 3}:
        return tuple(Press(side, kind) for bit, side in enumerate(_TWO) if value & 1 << bit)
    if product == _ONE_BUTTON_BY_VALUE and kind is PressKind.SINGLE and value in _VALUE_KINDS:
        return (Press("", _VALUE_KINDS[value]),)
    if product in _FOUR_FROM_ONE and value in _FOUR:
        return (Press(_FOUR[value], kind),)
    return None
