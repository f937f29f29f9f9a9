"""Times of day of one time zone as instants, on days that may be 23 or 25 hours long."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kanhu.gateway.daily.settings import minute_of


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: true time as far as it is known, and the monotonic clock of this boot."""

    ms: int | None
    """Unix milliseconds; None where nobody has set the clock."""
    boot: str
    mono_ns: int


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
