"""NEWS2, the National Early Warning Score (Royal College of Physicians, 2017).

A missing value is never normal: the total is then a lower bound, says so, and may raise but never clear.
"""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from kanhu.contract import Oxygen


class Consciousness(StrEnum):
    """ACVPU; confusion counts when it is new."""

    ALERT = "A"
    CONFUSION = "C"
    VOICE = "V"
    PAIN = "P"
    UNRESPONSIVE = "U"


class Spo2Scale(StrEnum):
    """Scale 2 is set by a clinician for one person with a target of 88-92 %; it never follows from a diagnosis."""

    ONE = "1"
    TWO = "2"


class Band(StrEnum):
    """Bands of the total; a single 3 makes low_medium of low."""

    LOW = "low"
    LOW_MEDIUM = "low_medium"
    MEDIUM = "medium"
    HIGH = "high"


class VitalSigns(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in one session; None is not measured."""

    respiration_per_min: Decimal | None = None
    spo2_percent: Decimal | None = None
    oxygen: Oxygen | None = None
    systolic_mmhg: Decimal | None = None
    pulse_bpm: Decimal | None = None
    consciousness: Consciousness | None = None
    temperature_celsius: Decimal | None = None
    spo2_scale: Spo2Scale = Spo2Scale.ONE


class News2Score(msgspec.Struct, frozen=True):
    """Total and parts, in the order of the chart. `partial`: the total is the least it can be."""

    total: int
    parts: dict[str, int]
    partial: bool
    missing: tuple[str, ...]
    band: Band


# Upper end of each step, inclusive, and its points; the last step has no end.
_Steps = tuple[tuple[Decimal | None, int], ...]


def _steps(*rows: tuple[str | None, int]) -> _Steps:
    return tuple((None if end is None else Decimal(end), points) for end, points in rows)


_RESPIRATION = _steps(("8", 3), ("11", 1), ("20", 0), ("24", 2), (None, 3))
_SPO2_SCALE_1 = _steps(("91", 3), ("93", 2), ("95", 1), (None, 0))
_SPO2_SCALE_2_AIR = _steps(("83", 3), ("85", 2), ("87", 1), (None, 0))
_SPO2_SCALE_2_OXYGEN = _steps(("83", 3), ("85", 2), ("87", 1), ("92", 0), ("94", 1), ("96", 2), (None, 3))
_SYSTOLIC = _steps(("90", 3), ("100", 2), ("110", 1), ("219", 0), (None, 3))
_PULSE = _steps(("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2), (None, 3))
_TEMPERATURE = _steps(("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1), (None, 2))
_ON_OXYGEN = 2
_NOT_ALERT = 3
_SINGLE = 3
_MEDIUM_FROM = 5
_HIGH_FROM = 7

_WHOLE = Decimal(1)
_TENTH = Decimal("0.1")
_BEYOND = Decimal(1000)  # past every step of every table, and still exact to a tenth


def news2(vital_signs: VitalSigns) -> News2Score:
    """Score what was measured."""
    signs = vital_signs
    points: dict[str, int | None] = {
        "respiration": _points(_RESPIRATION, signs.respiration_per_min, _WHOLE),
        "spo2": _points(_spo2_steps(signs), signs.spo2_percent, _WHOLE),
        "oxygen": None if signs.oxygen is None else _ON_OXYGEN * (signs.oxygen is Oxygen.SUPPLEMENTAL),
        "systolic": _points(_SYSTOLIC, signs.systolic_mmhg, _WHOLE),
        "pulse": _points(_PULSE, signs.pulse_bpm, _WHOLE),
        "consciousness": (
            None if signs.consciousness is None else _NOT_ALERT * (signs.consciousness is not Consciousness.ALERT)
        ),
        "temperature": _points(_TEMPERATURE, signs.temperature_celsius, _TENTH),
    }
    parts = {name: value for name, value in points.items() if value is not None}
    missing = tuple(name for name, value in points.items() if value is None)
    total = sum(parts.values())
    return News2Score(total, parts, bool(missing), missing, _band(total, max(parts.values(), default=0)))


def _spo2_steps(signs: VitalSigns) -> _Steps:
    """Scale 2 above its target depends on oxygen; where that is not known, the lower of the two counts."""
    if signs.spo2_scale is Spo2Scale.ONE:
        return _SPO2_SCALE_1
    return _SPO2_SCALE_2_OXYGEN if signs.oxygen is Oxygen.SUPPLEMENTAL else _SPO2_SCALE_2_AIR


def _points(steps: _Steps, value: Decimal | None, step: Decimal) -> int | None:
    if value is None or not value.is_finite():
        return None
    rounded = min(max(value, -_BEYOND), _BEYOND).quantize(step, ROUND_HALF_UP)
    return next(points for end, points in steps if end is None or rounded <= end)


def _band(total: int, highest: int) -> Band:
    if total >= _HIGH_FROM:
        return Band.HIGH
    if total >= _MEDIUM_FROM:
        return Band.MEDIUM
    return Band.LOW_MEDIUM if highest >= _SINGLE else Band.LOW
