"""What a radar reports: named values, and which of them are measures here. Shared by the radars' codecs.

The unit is in the name of a value. A value without a metric is decoded, and becomes no observation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from kanhu.contract import Observation, Part, Subject, Times, metric
from kanhu.edge.errors import DecodeError, DecodeReason

_FLAGS = {"present": "presence", "fall": "fall"}
_RATES = {"respiration_per_min": "respiration", "heart_bpm": "heart_rate_radar"}
_WORDS = {
    ("bed", "left bed"): ("bed_occupancy", 0),
    ("bed", "in bed"): ("bed_occupancy", 1),
    ("motion", "none"): ("motion", 0),
    ("motion", "still"): ("motion", 0),
    ("motion", "active"): ("motion", 1),
}


class Target(NamedTuple):
    """One target of a radar's list; no maker's table that was read names the unit of its place."""

    x: Decimal
    y: Decimal
    doppler_index: int
    cluster: int


Value = bool | int | Decimal | str | tuple[int, ...] | tuple[Target, ...] | None


class Told(NamedTuple):
    """One value, its unit in the name; None where the radar says that it has none."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class RadarReport:
    """One message of a radar, or of its host to it."""

    name: str | None  # None: no table that was read names this message
    values: tuple[Told, ...] = ()
    query: bool = False  # the host asks for it

    def get(self, name: str) -> Value:
        """The value of this name; None where it was not told."""
        return next((one.value for one in self.values if one.name == name), None)


def steps_of_radar(report: RadarReport) -> dict[str, int]:
    """What of it is a measure, in steps by metric; a value between two steps is rounded to even."""
    steps: dict[str, int] = {}
    for name, value in report.values:
        if isinstance(value, bool) and name in _FLAGS:
            steps[_FLAGS[name]] = int(value)
        elif isinstance(value, int | Decimal) and name in _RATES:
            code = _RATES[name]
            steps[code] = int((value * Decimal(metric(code).steps_per_unit)).to_integral_value(ROUND_HALF_EVEN))
        elif isinstance(value, str) and (name, value) in _WORDS:
            code, step = _WORDS[name, value]
            steps[code] = step
    return steps


def observe_radar(report: RadarReport, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """One observation a metric, as `steps_of_radar`.

    Raises:
        DecodeError: nothing of it is a measure.
    """
    steps = steps_of_radar(report)
    if not steps:
        raise DecodeError(DecodeReason.NO_VALUE, f"nothing of {report.name or 'this message'} is a measure")
    return observe_steps(steps, subject=subject, device=device, times=times)


def observe_steps(steps: Mapping[str, int], *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """One observation a metric."""
    return tuple(Observation(code, (Part(code, (step,)),), subject, device, times) for code, step in steps.items())
