"""The books of the room: what each device told, compared with what arrived."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Told", "in_order", "owed", "reckon"]


@dataclass(slots=True)
class Told:
    """What one device told, in order, as the gateway has to say it."""

    certain: list[str] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)
    """Handed over, and not confirmed."""


def reckon(told: Mapping[str, Told], arrived: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many were told, and of these lost or there more than once; how many nobody told; devices out of order."""
    twice = unknown = 0
    for name, one in told.items():
        more = Counter(arrived.get(name, ())) - Counter(one.certain) - Counter(one.uncertain)
        twice += sum(count for value, count in more.items() if value in one.certain)
        unknown += sum(count for value, count in more.items() if value not in one.certain)
    return {
        "readings": sum(len(one.certain) for one in told.values()),
        "lost": sum(owed(one, arrived.get(name, ())) for name, one in told.items()),
        "twice": twice,
        "unknown": unknown,
        "out_of_order": sum(not in_order(one, arrived.get(name, ())) for name, one in told.items()),
    }


def owed(told: Told, arrived: Sequence[str]) -> int:
    """How many of what is certain are not there."""
    return (Counter(told.certain) - Counter(arrived)).total()


def in_order(told: Told, arrived: Sequence[str]) -> bool:
    """Whether what is there of what is certain came in its order."""
    certain = iter(told.certain)
    return all(value in certain for value in arrived if value in told.certain)
