"""The numbers of alert work: how fast, how late, when it is night. All are per site; defaults from the clinical rules.

Escalation (clinical reference, timers and route): high 5, 10, 15 min; medium 60 min, 2 h, 4 h; low 1, 3, 7 days.
A recheck after a claim: 15 min, 4 h, 24 h.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kanhu.contract import Priority

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_NIGHT_BEGINS = time(20)
_NIGHT_ENDS = time(8)


@dataclass(frozen=True, slots=True)
class Silence:
    """When a gateway that is not heard becomes an alert; counted in time during which the county listened."""

    technical_ms: int
    watch_list_ms: int
    everyone_ms: int
    grace_ms: int
    """After the county was deaf: least time to listen before anybody is called silent."""
    watch_list: tuple[str, ...]
    """Tags that put a person on the watch list."""
    then: Priority
    """Once people are at risk."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Numbers of one county."""

    timezone: ZoneInfo
    silence: Silence
    late_ms: int = 30 * MINUTE_MS
    worklist_ms: int = DAY_MS
    undo_ms: int = 10 * SECOND_MS
    escalate_ms: Mapping[Priority, tuple[int, ...]] = field(
        default_factory=lambda: {
            Priority.HIGH: (5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS),
            Priority.MEDIUM: (60 * MINUTE_MS, 2 * HOUR_MS, 4 * HOUR_MS),
            Priority.LOW: (DAY_MS, 3 * DAY_MS, 7 * DAY_MS),
            Priority.TECHNICAL: (DAY_MS, 3 * DAY_MS, 7 * DAY_MS),
        }
    )
    recheck_ms: Mapping[Priority, int] = field(
        default_factory=lambda: {
            Priority.HIGH: 15 * MINUTE_MS,
            Priority.MEDIUM: 4 * HOUR_MS,
            Priority.LOW: DAY_MS,
            Priority.TECHNICAL: DAY_MS,
        }
    )

    def act_within_ms(self, priority: Priority, *, now_ms: int) -> int:
        """How long staff have: 15 min, 2 h, to the end of the county's day; equipment like medium."""
        if priority is Priority.HIGH:
            return 15 * MINUTE_MS
        if priority is Priority.LOW:
            local = self.local(now_ms)
            midnight = datetime.combine(local.date() + timedelta(days=1), time(0), self.timezone)
            return max(HOUR_MS, _ms(midnight) - now_ms)
        return 2 * HOUR_MS

    def local(self, now_ms: int) -> datetime:
        """The county's wall clock."""
        return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self.timezone)

    def day_start_ms(self, now_ms: int) -> int:
        """Midnight at which the county's day began."""
        return _ms(datetime.combine(self.local(now_ms).date(), time(0), self.timezone))

    def night_ends_ms(self, now_ms: int) -> int | None:
        """When the night that it is now will end; None by day."""
        local = self.local(now_ms)
        if _NIGHT_ENDS <= local.time() < _NIGHT_BEGINS:
            return None
        morning = local.date() + timedelta(days=1 if local.time() >= _NIGHT_BEGINS else 0)
        return _ms(datetime.combine(morning, _NIGHT_ENDS, self.timezone))

    def first_step_ms(self, priority: Priority) -> int:
        """How long before nobody having taken it is escalated for the first time."""
        return self.escalate_ms[priority][0]

    def next_step(self, priority: Priority, *, level: int, opened_ms: int, now_ms: int) -> tuple[int, int]:
        """Level after the one that has run out, and when that runs out; the top one is asked again and again."""
        steps = self.escalate_ms[priority]
        top = len(steps)
        if level + 1 < top:
            return level + 1, max(opened_ms + steps[level + 1], now_ms + MINUTE_MS)
        return top, now_ms + steps[-1]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
