"""What sensors tell by advertisement: named quantities with exact values, and which of them are measures here.

The unit is in the name of a quantity. A quantity without a metric is decoded, and becomes no observation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from kanhu.contract import Observation, Part, Subject, Times, metric
from kanhu.edge.errors import DecodeError, DecodeReason

MAX_BYTES = 255
"""An advertising structure has one byte of length."""

_VALUES = {
    "temperature_c": "room_temperature", "humidity_percent": "room_humidity", "body_temperature_c": "temperature",
    "settled_weight_kg": "weight",
}  # fmt: skip  # a table reads by rows
_EVENTS = {
    "motion": "motion", "presence": "presence", "bed_occupied": "bed_occupancy",
    "contact_open": "contact", "smoke": "smoke", "water_leak": "water",
    "gas_leak": "gas", "carbon_monoxide": "carbon_monoxide",
}  # fmt: skip  # a table reads by rows
_PRESSES = {"button": "help_button"}  # a button that is not pressed says nothing


class Quantity(NamedTuple):
    """One value, its unit in the name."""

    name: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Advertisement:
    """One advertisement of a sensor; what it did not tell is not in `values`."""

    values: tuple[Quantity, ...]
    address: bytes | None = None  # in printed order, where the sensor repeats it in its data
    packet: int | None = None  # changes with each new reading; the same again is a repeat

    def get(self, name: str) -> Decimal | None:
        """The first value of this name, None where it was not told."""
        return next((one.value for one in self.values if one.name == name), None)


def steps_of(values: Iterable[Quantity]) -> dict[str, int]:
    """What of it is a measure, in steps by metric; a value between two steps is rounded to even.

    Of several temperatures the first is taken; an event is one where any of its sensors says so.
    """
    steps: dict[str, int] = {}
    for one in values:
        if one.name in _VALUES:
            code = _VALUES[one.name]
            steps.setdefault(code, _steps(code, one.value))
        elif one.name in _EVENTS:
            code = _EVENTS[one.name]
            steps[code] = max(steps.get(code, 0), int(one.value != 0))
        elif one.name in _PRESSES and one.value:
            steps[_PRESSES[one.name]] = 1
    return steps


def observe_advertised(
    values: Iterable[Quantity], *, subject: Subject, device: str, times: Times
) -> tuple[Observation, ...]:
    """One observation a metric, as `steps_of`.

    Raises:
        DecodeError: nothing of it is a measure.
    """
    steps = steps_of(values)
    if not steps:
        raise DecodeError(DecodeReason.NO_VALUE, "nothing of this advertisement is a measure")
    return tuple(Observation(code, (Part(code, (step,)),), subject, device, times) for code, step in steps.items())


def piece(frame: bytes, start: int, count: int) -> bytes:
    """`count` bytes from `start`.

    Raises:
        DecodeError: the frame ends before, or is longer than an advertisement can be.
    """
    if len(frame) > MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if start + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"needs {start + count} bytes, got {len(frame)}")
    return frame[start : start + count]


def unsigned(data: bytes, factor: str = "1") -> Decimal:
    """A little-endian number without sign times `factor`."""
    return int.from_bytes(data, "little") * Decimal(factor)


def signed(data: bytes, factor: str = "1") -> Decimal:
    """A little-endian number with sign times `factor`."""
    return int.from_bytes(data, "little", signed=True) * Decimal(factor)


def battery(percent: int) -> tuple[Quantity, ...]:
    """The battery; none above full."""
    return (Quantity("battery_percent", Decimal(percent)),) if percent <= 100 else ()


def _steps(code: str, value: Decimal) -> int:
    return int((value * metric(code).steps_per_unit).to_integral_value(ROUND_HALF_EVEN))
