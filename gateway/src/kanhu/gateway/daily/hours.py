"""Times of day of one time zone as instants, on days that may be 23 or 25 hours long."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kanhu.gateway.daily.settings import minute_of

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: true time as far as it is known, and the monotonic clock of this boot."""

    ms: int | None
    """Unix milliseconds; None where nobody has set the clock."""
    boot: str
    mono_ns: int

    def dated(self, now: "Moment") -> "Moment":
        """The same by what is known of the time now; where its own boot never knew the time, the latest it can be."""
        if self.boot == now.boot:
            passed_ms = (now.mono_ns - self.mono_ns) // _NS_PER_MS
            return replace(self, ms=None if now.ms is None else now.ms - passed_ms)
        return now if self.ms is None and now.ms is not None else self


def instant_ms(day: date, at: str, zone: ZoneInfo) -> int:
    """`HH:MM` of a local day; an hour that the clocks leave out is the one after it, a doubled one its first."""
    local = datetime.combine(day, time(*divmod(minute_of(at), 60)), tzinfo=zone)
    return round(local.timestamp() * 1000)


def day_of(ms: int, since: str, zone: ZoneInfo) -> date | None:
    """The day that began last at `since` local time; None for a time beyond the calendar."""
    try:
        today = datetime.fromtimestamp(ms / 1000, zone).date()
        return today if ms >= instant_ms(today, since, zone) else today - timedelta(days=1)
    except (ValueError, OverflowError, OSError):
        return None
