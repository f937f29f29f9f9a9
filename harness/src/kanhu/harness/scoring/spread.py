"""Middle values and ends of small samples, the same on every machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

__all__ = ["Spread", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of a sample lie; all in the unit of the values."""

    count: int
    median: float
    p95: float
    """The smallest that at least 95 of 100 do not exceed."""
    largest: float


def spread(values: Iterable[float]) -> Spread | None:
    """Of these values; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Spread(len(ordered), median, ordered[ceil(0.95 * len(ordered)) - 1], ordered[-1])
