"""When a reading came, and how much time passed between two, without trusting a wall clock more than it deserves."""

from datetime import UTC, datetime, tzinfo

import msgspec

from kanhu.contract import ClockState, Observation, Times

_NS_PER_MS = 1_000_000
_LATEST_MS = 253_000_000_000_000  # the year 9987: calendars end at 9999


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """When and from where a reading came, as far as rules need it."""

    device: str
    boot: str
    mono_ns: int
    arrival_ms: int
    clock: ClockState


def moment_of(observation: Observation) -> Moment:
    """The moment of a reading's arrival."""
    times: Times = observation.times
    return Moment(observation.device, times.boot, times.mono_ns, times.arrival_ms, times.clock)


def elapsed_ms(earlier: Moment, later: Moment) -> int | None:
    """Milliseconds between two moments; None where nobody knows.

    Within a boot the monotonic clock says, so a corrected wall clock changes nothing. Across boots the wall clock has
    to: not where it was never set, and not where it runs backwards. A restored clock can only be behind, so its answer
    is the least time that passed.
    """
    if earlier.boot == later.boot:
        return (later.mono_ns - earlier.mono_ns) // _NS_PER_MS
    if ClockState.UNSET in {earlier.clock, later.clock}:
        return None
    passed = later.arrival_ms - earlier.arrival_ms
    return passed if passed >= 0 else None


def local_time(observation: Observation, timezone: tzinfo) -> datetime | None:
    """By the calendar on the wall; None where the clock was never set and nothing better is known."""
    times = observation.times
    if times.clock is ClockState.UNSET and times.earliest_ms is None:
        return None
    shown_ms = times.shown_ms()
    if not 0 <= shown_ms <= _LATEST_MS:
        return None
    return datetime.fromtimestamp(shown_ms / 1000, UTC).astimezone(timezone)
