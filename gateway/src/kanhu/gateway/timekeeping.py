"""When it is: intervals of true time for readings of a machine that may have no clock, from what it is told.

The kernel may call the clock synchronised, and the county's answer to a heartbeat carries the county's time. Either is
a mark in the running boot; marks of earlier boots are kept with the outbox and told to the county, which works out when
older readings were. Nothing here asks or changes the wall clock of the machine.
"""

from collections.abc import Sequence

import msgspec

from kanhu.contract import Boot, Clock, ClockState, Mark, Observation, Times
from kanhu.contract.clock import EARLIEST_PLAUSIBLE
from kanhu.contract.timeline import MAX_BOOTS
from kanhu.gateway.outbox import Outbox

SYNCED_WITHIN_MS = 1000
"""How far a clock may be off that the kernel calls synchronised, and the county's own; project choice: a time server
over a mobile network holds a tenth of it."""
_KEEP_EVERY_NS = 10 * 60 * 10**9
"""How often the card learns that this boot still runs: each time is a write."""
_HEARTBEATS_ASKED = 8
"""Unanswered heartbeats whose moment is remembered; an older one's answer would say little."""
_NARROWER = 4
"""A mark is worth telling at once where it is so many times narrower than the one told before."""
_NO_COUNTY_BEFORE_MS = int(EARLIEST_PLAUSIBLE.timestamp() * 1000)
"""A receipt that names the heartbeat and no time, or one of before this software, tells nothing."""

_KEPT = "boots"


def kept_boots(outbox: Outbox) -> tuple[Boot, ...]:
    """Boots of this machine as the outbox keeps them, oldest first."""
    text = outbox.text(_KEPT)
    try:
        return msgspec.json.decode(text, type=tuple[Boot, ...]) if text else ()
    except (msgspec.MsgspecError, ValueError):  # a bit fell over: older readings have wider intervals, no more
        return ()


def keep_boots(outbox: Outbox, *, boots: Sequence[Boot]) -> None:
    """Keep them with the outbox: what tells when records of an earlier boot were."""
    outbox.keep_text(_KEPT, msgspec.json.encode(boots).decode())


class Timekeeper:
    """The running boot and those before it."""

    def __init__(self, boots: Sequence[Boot], *, clock: Clock) -> None:
        """Go on from what the outbox kept."""
        self._clock = clock
        known = [boot for boot in boots if boot.boot != clock.boot]
        mine = next((boot for boot in boots if boot.boot == clock.boot), Boot(clock.boot))
        self._before = tuple(known[-(MAX_BOOTS - 1) :])
        self._mine = mine
        self._asked: list[int] = []
        self._kept: Boot | None = None

    def boots(self) -> tuple[Boot, ...]:
        """Oldest first, the running one last, as far as it has run."""
        now_ns = self._clock.mono_ns()
        if self._clock.state() is ClockState.SYNCED:
            wall_ms = self._clock.wall_ms()
            self._mark(Mark(now_ns, wall_ms - SYNCED_WITHIN_MS, wall_ms + SYNCED_WITHIN_MS))
        self._mine = msgspec.structs.replace(self._mine, lasted_ns=max(self._mine.lasted_ns, now_ns))
        return (*self._before, self._mine)

    def now(self) -> tuple[int, int] | None:
        """Unix milliseconds between which the true time lies at this moment; None where nobody has told it."""
        self.boots()
        return None if self._mine.mark is None else self._mine.mark.at(self._mine.lasted_ns)

    def asking(self) -> int:
        """The moment to say in a heartbeat; its answer tells the time."""
        now_ns = self._clock.mono_ns()
        self._asked = [*self._asked[1 - _HEARTBEATS_ASKED :], now_ns]
        return now_ns

    def told(self, *, county_ms: int, heard_ns: int) -> bool:
        """The county answered a heartbeat of this boot; returns whether that is news worth telling at once."""
        if heard_ns not in self._asked or county_ms < _NO_COUNTY_BEFORE_MS:
            return False
        now_ns = self._clock.mono_ns()
        passed_ms = -(-(now_ns - heard_ns) // 1_000_000)
        before = self._mine.mark
        self._mark(Mark(now_ns, county_ms - SYNCED_WITHIN_MS, county_ms + passed_ms + SYNCED_WITHIN_MS))
        return before is None or _width_ms(before, now_ns) > _NARROWER * _width_ms(self._mine.mark or before, now_ns)

    def filled(self, observation: Observation) -> Observation:
        """The same with its interval, where that is known now."""
        times = self._known(observation.times)
        return observation if times is observation.times else msgspec.structs.replace(observation, times=times)

    def to_keep(self) -> tuple[Boot, ...] | None:
        """What to write on the card; None while what is there says nearly the same."""
        boots = self.boots()
        kept = self._kept
        told = kept is not None and (kept.mark is None) == (self._mine.mark is None)
        if told and kept is not None and self._mine.lasted_ns - kept.lasted_ns < _KEEP_EVERY_NS:
            return None
        self._kept = self._mine
        return boots

    def _known(self, times: Times) -> Times:
        if times.earliest_ms is not None or times.boot != self._clock.boot:
            return times
        if times.clock is ClockState.SYNCED:
            span = (times.arrival_ms - SYNCED_WITHIN_MS, times.arrival_ms + SYNCED_WITHIN_MS)
        elif self._mine.mark is not None:
            span = self._mine.mark.at(times.mono_ns)
        else:
            return times
        return msgspec.structs.replace(times, earliest_ms=span[0], latest_ms=span[1])

    def _mark(self, mark: Mark) -> None:
        before = self._mine.mark
        self._mine = msgspec.structs.replace(self._mine, mark=mark if before is None else before.joined(mark))


def _width_ms(mark: Mark, mono_ns: int) -> int:
    earliest_ms, latest_ms = mark.at(mono_ns)
    return latest_ms - earliest_ms
