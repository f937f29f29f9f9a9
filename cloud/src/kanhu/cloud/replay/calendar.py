"""What is to happen when: moments in order of time, and at the same time in a fixed order."""

import heapq
from collections.abc import Callable
from enum import IntEnum
from itertools import count

__all__ = ["Calendar", "Order"]


class Order(IntEnum):
    """What comes first of what happens in the same millisecond; ticks of the county come after all of these."""

    LINK = 0
    PARCEL = 1
    STAFF = 2


class Calendar:
    """Acts with their moments."""

    def __init__(self) -> None:
        """Nothing is to happen."""
        self._heap: list[tuple[int, int, int, Callable[[int], None]]] = []
        self._numbers = count()

    def add(self, at_ms: int, order: Order, act: Callable[[int], None]) -> None:
        """Call `act` with its moment once that has come."""
        heapq.heappush(self._heap, (at_ms, order.value, next(self._numbers), act))

    def next_ms(self) -> int | None:
        """The next moment; None where nothing is to happen."""
        return self._heap[0][0] if self._heap else None

    def take(self) -> Callable[[int], None]:
        """What is to happen next, which then happens no more."""
        return heapq.heappop(self._heap)[3]
