"""What answering costs: tellings by hour, floods, nights, minutes of people's time, and alerts that nobody took."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kanhu.cloud.replay.outcome import Alert, Told
from kanhu.contract import Priority
from kanhu.harness.scoring.episodes import SOUNDING, Episodes, Telling, TellingResult
from kanhu.harness.scoring.expectations import Budget, Effort, Staff, Unowned

__all__ = ["Load", "flood_minutes", "measure_load"]

_MINUTE_MS = 60_000
_LEVELS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Load:
    """Of a whole recording."""

    by_hour: dict[str, tuple[int, ...]]
    """Tellings that sounded, by priority, for each of 24 hours of the day."""
    sounded: int
    """Tellings that were heard; the others stood in a list, or were taken before they sounded."""
    flood_minutes: int
    """Minutes at the county desk at whose end a flood's worth of sounds lay within the window."""
    effort_minutes: float
    false_effort_minutes: float
    nights_woken: int
    """Nights in which something sounded, each village for itself."""
    nights_woken_falsely: int
    """Of those, nights with nothing but false ones."""
    per_worker_hour: float
    busiest_day: int
    """Most tellings on one day in one village."""
    unclaimed_share: dict[str, tuple[float, ...]]
    """By priority: share of alerts that climbed to level 1, 2, 3 because nobody had taken them."""
    unowned: tuple[Alert, ...]
    """Alerts that nobody took and that did not climb."""
    stale: int
    """Alerts open for more than a day after the last telling."""


def measure_load(scored: Episodes) -> Load:
    """Count it."""
    known, expectations = scored.known, scored.expectations
    zone = ZoneInfo(known.manifest.timezone)
    heard = [each for each in scored.tellings if each.sounds]
    nights: Counter[tuple[str, str]] = Counter()
    nights_right: Counter[tuple[str, str]] = Counter()
    hours = {priority: [0] * 24 for priority in SOUNDING}
    days: Counter[tuple[str, str]] = Counter()
    for telling in scored.tellings:
        days[telling.alert.village, _local(telling.sounded_ms, zone).date().isoformat()] += 1
    for telling in heard:
        local = _local(telling.sounded_ms, zone)
        hours[telling.told.priority][local.hour] += 1
        night = _night(local, expectations.staff)
        if night is not None:
            nights[telling.alert.village, night] += 1
            nights_right[telling.alert.village, night] += telling.result is not TellingResult.FALSE
    workers = expectations.staff.workers_per_village * len(known.manifest.villages)
    worker_hours = workers * expectations.staff.hours_a_day * known.days
    effort = expectations.effort
    return Load(
        by_hour={priority: tuple(counts) for priority, counts in hours.items()},
        sounded=len(heard),
        flood_minutes=flood_minutes((each.sounded_ms for each in heard), budget=expectations.budget),
        effort_minutes=sum(_minutes(each, effort) for each in scored.tellings),
        false_effort_minutes=sum(
            _minutes(each, effort) for each in scored.tellings if each.result is TellingResult.FALSE
        ),
        nights_woken=len(nights),
        nights_woken_falsely=sum(1 for night in nights if not nights_right[night]),
        per_worker_hour=len(scored.tellings) / worker_hours if worker_hours else 0.0,
        busiest_day=max(days.values(), default=0),
        unclaimed_share={priority.value: _climbed(scored.outcome.alerts, priority.value) for priority in Priority},
        unowned=tuple(
            alert
            for alert in scored.outcome.alerts
            if _left_alone(alert, expectations.unowned, ends_ms=known.manifest.ends_ms)
        ),
        stale=sum(_stale(alert, expectations.budget, known.manifest.ends_ms) for alert in scored.outcome.alerts),
    )


def flood_minutes(moments_ms: Iterable[int], *, budget: Budget) -> int:
    """Minutes in which a window that ends there holds a flood."""
    window_ms = int(budget.flood_window_s * 1000)
    recent: deque[int] = deque()
    flooded: set[int] = set()
    for moment_ms in sorted(moments_ms):
        recent.append(moment_ms)
        while recent[0] <= moment_ms - window_ms:
            recent.popleft()
        if len(recent) >= budget.flood_tellings:
            # full until the one falls out with which there are just enough
            empties_ms = recent[-budget.flood_tellings] + window_ms
            flooded.update(range(moment_ms // _MINUTE_MS, -(-empties_ms // _MINUTE_MS)))
    return len(flooded)


def _minutes(telling: Telling, effort: Effort) -> float:
    ended_ms, soon_ms = telling.alert.ended_ms, telling.told.at_ms + effort.mends_itself_s * 1000
    if telling.told.priority == Priority.TECHNICAL.value and ended_ms is not None and ended_ms <= soon_ms:
        return 0.0
    return effort.minutes(telling.told.priority)


def _climbed(alerts: Iterable[Alert], priority: str) -> tuple[float, ...]:
    of = [alert for alert in alerts if alert.priority == priority]
    return tuple(sum(alert.level >= level for alert in of) / len(of) if of else 0.0 for level in _LEVELS)


def _left_alone(alert: Alert, limits: Unowned, *, ends_ms: int) -> bool:
    """Level is the highest it ever had; zero says that no deadline ever fired."""
    if alert.level > 0:
        return False
    patience_ms = {Priority.HIGH.value: limits.high_s * 1000, Priority.MEDIUM.value: limits.medium_s * 1000}
    owned_from_ms: int | None = None
    for told in alert.told:
        until_ms = told.at_ms + patience_ms.get(told.priority, float("inf"))
        taken_ms = min((ms for ms in (told.claimed_ms, alert.closed_ms) if ms is not None), default=None)
        # A claim holds over what is told next, until somebody closes it or the recheck gives it back and it climbs.
        owned = owned_from_ms is not None and owned_from_ms <= told.at_ms
        if not owned and until_ms < ends_ms and (taken_ms is None or taken_ms > until_ms) and not _ended(alert, told):
            return True
        owned_from_ms = owned_from_ms if told.claimed_ms is None else told.claimed_ms
    return False


def _ended(alert: Alert, told: Told) -> bool:
    """Equipment that is well again ends by itself."""
    return alert.priority == Priority.TECHNICAL.value and alert.ended_ms is not None and alert.ended_ms >= told.at_ms


def _stale(alert: Alert, budget: Budget, ends_ms: int) -> bool:
    last_ms = alert.told[-1].at_ms if alert.told else ends_ms
    over_ms = alert.closed_ms if alert.closed_ms is not None else ends_ms
    return over_ms - last_ms > budget.open_for_s * 1000


def _night(local: datetime, staff: Staff) -> str | None:
    if staff.night_to_hour <= local.hour < staff.night_from_hour:
        return None
    return (local - timedelta(hours=staff.night_to_hour)).date().isoformat()


def _local(moment_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone)
