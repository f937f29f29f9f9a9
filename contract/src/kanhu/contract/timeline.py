"""When a moment of a boot truly was: intervals from a few marks, carried through the boot and across boots.

    boot a                 boot b                        boot c
    |---- reading ---|     |-- reading --- mark --|      |--- mark ---|
    after a's start,       the mark, carried back        b ended before c began
    before b began         by the monotonic clock

A mark says that one monotonic moment lay in an interval of true time. Within a boot the monotonic clock carries it to
every other moment, wider by the drift. Between boots nothing but their order is known: whoever ran earlier ended
earlier. Pure, and never narrower than what is known.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

__all__ = ["DRIFT_PPM", "MAX_BOOTS", "Boot", "Interval", "Mark", "Timeline"]

DRIFT_PPM = 200
"""Most that a monotonic clock runs fast or slow, parts per million: 100 is in the fault model of a board's crystal, and
as much again for the kernel, which bends it a little while it is being set (project choice)."""
MAX_BOOTS = 16
"""How many boots are remembered and told, the newest; a home with more power cuts than that in one outage has wider
intervals for the oldest."""

_NS_IN_MS = 1_000_000
_LIMIT = 2**63 - 1

_Ms = Annotated[int, msgspec.Meta(ge=0, le=_LIMIT)]
_Ns = Annotated[int, msgspec.Meta(ge=0, le=_LIMIT)]


class Mark(msgspec.Struct, frozen=True):
    """At this monotonic moment the true time lay in [earliest, latest], Unix milliseconds."""

    mono_ns: _Ns
    earliest_ms: _Ms
    latest_ms: _Ms

    def at(self, mono_ns: int) -> tuple[int, int]:
        """What it says of another moment of the same boot."""
        passed_ns = mono_ns - self.mono_ns
        drift_ns = abs(passed_ns) * DRIFT_PPM // 1_000_000 + 1
        return self.earliest_ms + (passed_ns - drift_ns) // _NS_IN_MS, self.latest_ms + _ceil(passed_ns + drift_ns)

    def joined(self, later: "Mark") -> "Mark":
        """Both in one, at the later moment; the later one alone where they contradict each other: a clock was set."""
        earliest_ms, latest_ms = self.at(later.mono_ns)
        earliest_ms, latest_ms = max(earliest_ms, later.earliest_ms), min(latest_ms, later.latest_ms)
        return later if earliest_ms > latest_ms else Mark(later.mono_ns, earliest_ms, latest_ms)


class Boot(msgspec.Struct, frozen=True):
    """One run of a machine from power to power."""

    boot: Annotated[str, msgspec.Meta(max_length=128)]
    lasted_ns: _Ns = 0
    """It ran at least so long."""
    mark: Mark | None = None


class Interval(msgspec.Struct, frozen=True):
    """The true time lies in [earliest, latest], Unix milliseconds."""

    earliest_ms: int
    latest_ms: int

    @property
    def middle_ms(self) -> int:
        """The instant to show."""
        return (self.earliest_ms + self.latest_ms) // 2


class Timeline:
    """The boots of one machine, oldest first, and what was before and after all of them."""

    def __init__(self, boots: Sequence[Boot], *, earliest_ms: int, latest_ms: int) -> None:
        """No boot began before `earliest_ms`; nothing that is asked for happened after `latest_ms`."""
        self._boots = boots
        self._place = {boot.boot: place for place, boot in enumerate(boots)}
        self._begins_ms = self._earliest_starts(earliest_ms)
        self._ends_ms = self._latest_ends(latest_ms)

    def interval(self, boot: str, mono_ns: int) -> Interval | None:
        """When that moment was; None for an unknown boot, and where marks contradict the order of boots."""
        place = self._place.get(boot)
        if place is None:
            return None
        one = self._boots[place]
        earliest_ms = self._begins_ms[place] + _shrunk(mono_ns) // _NS_IN_MS
        latest_ms = self._ends_ms[place] - _shrunk(max(0, one.lasted_ns - mono_ns)) // _NS_IN_MS
        if one.mark is not None:
            told = one.mark.at(mono_ns)
            earliest_ms, latest_ms = max(earliest_ms, told[0]), min(latest_ms, told[1])
        return Interval(earliest_ms, latest_ms) if earliest_ms <= latest_ms else None

    def is_bounded(self, boot: str) -> bool:
        """Whether a mark says by when moments of this boot had been."""
        place = self._place.get(boot)
        return place is not None and any(later.mark is not None for later in self._boots[place:])

    def _earliest_starts(self, earliest_ms: int) -> list[int]:
        """Of each boot: it began when the one before had ended, or later."""
        starts: list[int] = []
        for boot in self._boots:
            start_ms = earliest_ms if boot.mark is None else max(earliest_ms, boot.mark.at(0)[0])
            starts.append(start_ms)
            end_ms = start_ms + _shrunk(boot.lasted_ns) // _NS_IN_MS
            earliest_ms = end_ms if boot.mark is None else max(end_ms, boot.mark.at(boot.lasted_ns)[0])
        return starts

    def _latest_ends(self, latest_ms: int) -> list[int]:
        """Of each boot: it had ended when the next one began, or before."""
        ends: list[int] = []
        for boot in reversed(self._boots):
            ends.append(latest_ms)
            start_ms = latest_ms - _shrunk(boot.lasted_ns) // _NS_IN_MS
            latest_ms = start_ms if boot.mark is None else min(start_ms, boot.mark.at(0)[1])
        return ends[::-1]


def _shrunk(passed_ns: int) -> int:
    """At least so much true time passed while the monotonic clock said so much."""
    return max(0, passed_ns - passed_ns * DRIFT_PPM // 1_000_000 - 1)


def _ceil(ns: int) -> int:
    return -(-ns // _NS_IN_MS)
