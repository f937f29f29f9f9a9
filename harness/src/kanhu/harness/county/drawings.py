"""The drawings of the page: which numbers of a scored recording go into which plot, and what is said beside it."""

from collections import defaultdict
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from kanhu.contract import Priority
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.county.plots import CROWD, Bar, Mark, aim_bars, bars, columns, cumulative, strip
from kanhu.harness.county.words import PRIORITIES, both, duration, rule_title
from kanhu.harness.scoring.episodes import SOUNDING, EventResult, TellingResult
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread
from kanhu.harness.scoring.tally import by_kind, by_rule

__all__ = ["RESULTS", "delays", "false_by_rule", "found_by_kind", "hours", "legend", "strip_of_events"]

RESULTS = (("found", "in time 及时"), ("late", "late 迟报"), ("missed", "missed 漏报"))
"""Style and words of what became of an event."""

_DAY_MS = 86_400_000
_MOST_DATES = 10
_TICKS = ((1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (86_400, "1 d"), (864_000, "10 d"))
_RAISED = {EventResult.FOUND: "found", EventResult.FOUND_OPEN: "found", EventResult.LATE: "late"}


def strip_of_events(scored: Scored) -> str:
    """Every event in time, a row a kind."""
    known, kinds = scored.episodes.known, scored.episodes.expectations.kinds
    span_ms = known.manifest.ends_ms - known.manifest.starts_ms
    rows: defaultdict[HappeningKind, list[Mark]] = defaultdict(list)
    for episode in scored.episodes.episodes:
        if episode.result is not EventResult.NOT_DUE:
            at = (episode.happening.onset_ms - known.manifest.starts_ms) / span_ms
            rows[episode.happening.kind].append(Mark(at, _RAISED.get(episode.result, "missed")))
    if not rows:
        return "<p>No event.</p>"
    zone = ZoneInfo(known.manifest.timezone)
    days = max(1, round(known.days))
    every = -(-days // _MOST_DATES)
    ticks = [(day / known.days, _date(known.manifest.starts_ms + day * _DAY_MS, zone)) for day in range(0, days, every)]
    drawn = strip(
        [(both(kinds[kind].en, kinds[kind].zh), rows[kind]) for kind in HappeningKind if kind in rows],
        ticks=ticks,
        title=f"{sum(map(len, rows.values()))} events in time by kind; the table by kind below holds the numbers",
    )
    band = (("many", "in time, too many to draw one by one 及时（密集）"),)
    keys = RESULTS + (band if any(len(marks) > CROWD for marks in rows.values()) else ())
    return f"<div class='scroll' tabindex='0'>{drawn}</div>" + legend(*keys)


def found_by_kind(scored: Scored) -> str:
    """Stacked bars: in time, late, missed."""
    kinds = scored.episodes.expectations.kinds
    rows = [
        Bar(
            both(kinds[kind].en, kinds[kind].zh),
            (("found", tally.found), ("late", tally.late), ("missed", tally.missed)),
            f"{tally.found + tally.late} of {tally.events}",
        )
        for kind, tally in by_kind(scored.episodes).items()
        if tally.events
    ]
    return bars(rows, title="events in time, late and missed by kind") + legend(*RESULTS)


def false_by_rule(scored: Scored) -> str:
    """False tellings in 1,000 person-days, against the aim of the medium ones."""
    person_days = scored.episodes.known.person_days or 1
    budget = scored.episodes.expectations.budget
    rows = []
    for rule, tally in by_rule(scored.episodes).items():
        parts = tuple((each.value, 1000 * tally.of(each, TellingResult.FALSE) / person_days) for each in Priority)
        rows.append(Bar(rule_title(scored.episodes.pack, rule), parts, f"{sum(length for _, length in parts):.1f}"))
    aim = budget.medium_per_1000_person_days
    label = f"aim of all rules together 目标: medium ≤ {aim:g}, high ≤ {budget.high_per_1000_person_days:g}"
    drawn = aim_bars(rows, aim=aim, aim_label=label, title="false alerts in 1,000 person-days by rule, against the aim")
    return drawn + legend(*((name, both(*words)) for name, words in PRIORITIES.items()))


def delays(scored: Scored) -> str:
    """How many events had been told after how long."""
    people = scored.people
    onset, reading = spread(people.detect_s), spread(people.from_reading_s)
    if onset is None:
        return "<p>Nothing was told.</p>"
    drawn = cumulative(
        [("curve1", people.detect_s), ("curve2", people.from_reading_s)],
        ticks=_TICKS,
        x_axis="time passed (each step about ten times the one before)",
        y_axis="of the events that were told, share found by then",
        title=f"share of told events by delay: half within {duration(onset.median)} of the onset",
    )
    words = f"Full line: since it began; half within {duration(onset.median)}, 95 of 100 within {duration(onset.p95)}."
    if reading is not None:
        words += (
            f" Broken line: since the first good reading of it; {duration(reading.median)} and {duration(reading.p95)}."
        )
    return drawn + f"<p class='note'>{escape(words)}</p>"


def hours(scored: Scored) -> str:
    """What sounds, by hour of the day."""
    staff = scored.episodes.expectations.staff
    days = scored.episodes.known.days or 1
    night = frozenset(hour for hour in range(24) if not staff.night_to_hour <= hour < staff.night_from_hour)
    drawn = columns(
        {priority: [count / days for count in scored.load.by_hour[priority]] for priority in reversed(SOUNDING)},
        shaded=night,
        x_axis="hour of the day",
        y_axis="alerts with sound in this hour of an average day, whole county",
        title="alerts with sound in an hour of an average day, by priority; nights are shaded",
    )
    silent = (len(scored.episodes.tellings) - scored.load.sounded) / days
    words = (
        f"Shaded: {staff.night_from_hour}:00 to {staff.night_to_hour:02d}:00. Medium alerts of the night wait for the "
        f"morning, unless the person lives alone. {silent:.1f} more a day, low ones and equipment, stand in lists and "
        "make no sound."
    )
    keys = legend(*((name, both(*PRIORITIES[name])) for name in SOUNDING))
    return drawn + f"<p class='note'>{escape(words)}</p>" + keys


def legend(*entries: tuple[str, str]) -> str:
    """What each style means."""
    keys = {
        "found": "<circle class='m-found' cx='7' cy='7' r='4.5'/>",
        "many": "<rect class='m-many' x='1' y='4' width='12' height='6'/>",
        "late": "<path class='m-late' d='M7 1.5l6 11h-12z'/>",
        "missed": "<path class='m-missed' d='M2 2l10 10m0-10l-10 10'/>",
    }
    drawn = [
        (keys.get(style, f"<rect class='{style}' x='1' y='1' width='12' height='12'/>"), text)
        for style, text in entries
    ]
    items = "".join(
        f"<li><svg viewBox='0 0 14 14' aria-hidden='true'>{key}</svg>{escape(text)}</li>" for key, text in drawn
    )
    return f"<ul class='legend'>{items}</ul>"


def _date(moment_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone).strftime("%d %b")
