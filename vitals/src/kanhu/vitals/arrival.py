"""Whether a value comes after the last one of its stream: shared by detectors that take one sample after another."""

import math
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

__all__ = ["Arrival", "Order"]

LATE_IN_A_ROW: Final = 8
"""So many values before the last one, without one after it: then it was the last one whose clock was wrong."""


class Arrival(StrEnum):
    """What its time makes of a value."""

    NEXT = "next"
    ANEW = "anew"  # counts, and the last time does not: the clock had been ahead
    CLOCK_UNSET = "clock_unset"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


class Order(msgspec.Struct, array_like=True):
    """Remembers the last time taken."""

    last_s: float = -math.inf
    """Since 1970."""
    late: int = 0

    def __post_init__(self) -> None:
        """Refuse what no order can be: stored state is read back into this."""
        if math.isnan(self.last_s) or self.last_s == math.inf or not 0 <= self.late < LATE_IN_A_ROW:
            raise ValueError("not an order")

    def take(self, at: datetime) -> Arrival:
        """Take the time of one value."""
        if at.tzinfo is None:
            return Arrival.CLOCK_UNSET
        second = at.timestamp()
        if second == self.last_s:
            return Arrival.DUPLICATE
        if second < self.last_s:
            self.late += 1
            if self.late < LATE_IN_A_ROW:
                return Arrival.OUT_OF_ORDER
        arrival = Arrival.NEXT if second > self.last_s else Arrival.ANEW
        self.last_s, self.late = second, 0
        return arrival
