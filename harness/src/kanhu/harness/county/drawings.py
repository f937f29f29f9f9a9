"""The drawings of the page: which numbers of a scored recording go into which plot, and what is said beside it."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from kanhu.contract import Priority
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.county.evidence import table
from kanhu.harness.county.plots import Bar, Mark, Point, aim_bars, bars, columns, cumulative, funnel, strip
from kanhu.harness.county.words import PRIORITIES, both, duration
from kanhu.harness.scoring.episodes import EventResult, TellingResult
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread
from kanhu.harness.scoring.tally import Tally, by_kind, by_rule, by_village

__all__ = [
    "delays",
    "false_by_rule",
    "found_by_kind",
    "hours",
    "strip_of_events",
    "village_table",
    "villages",
    "weak_villages",
]

_DAY_MS = 86_400_000
_MINUTE_MS = 60_000
_MOST_DATES = 10
_WEAK_TIMES = 2.0
"""A village cut off for so many times as long as the middle one has a weak link; project choice."""
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
    return f"<div class='scroll' tabindex='0'>{drawn}</div>" + _legend(
        ("found", "in time 及时"), ("late", "late 迟报"), ("missed", "missed 漏报")
    )


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
    return bars(rows, title="events in time, late and missed by kind") + _legend(
        ("found", "in time 及时"), ("late", "late 迟报"), ("missed", "missed 漏报")
    )


def false_by_rule(scored: Scored) -> str:
    """False tellings in 1,000 person-days, against the aim of the medium ones."""
    person_days = scored.episodes.known.person_days or 1
    budget = scored.episodes.expectations.budget
    rows = []
    for rule, tally in by_rule(scored.episodes).items():
        parts = tuple((each.value, 1000 * tally.of(each, TellingResult.FALSE) / person_days) for each in Priority)
        rows.append(Bar(rule, parts, f"{sum(length for _, length in parts):.1f}"))
    aim = budget.medium_per_1000_person_days
    label = f"aim 目标: medium ≤ {aim:g}, high ≤ {budget.high_per_1000_person_days:g}"
    drawn = aim_bars(rows, aim=aim, aim_label=label, title="false alerts in 1,000 person-days by rule, against the aim")
    return drawn + _legend(*((name, both(*words)) for name, words in PRIORITIES.items()))


def delays(scored: Scored) -> str:
    """How many events had been told after how long."""
    people = scored.people
    onset, reading = spread(people.detect_s), spread(people.from_reading_s)
    if onset is None:
        return "<p>Nothing was told.</p>"
    drawn = cumulative(
        [("curve1", people.detect_s), ("curve2", people.from_reading_s)],
        ticks=_TICKS,
        title=f"share of told events by delay: half within {duration(onset.median)} of the onset",
    )
    words = f"From the onset: half within {duration(onset.median)}, 95 of 100 within {duration(onset.p95)}."
    if reading is not None:
        words += f" From the first good reading: {duration(reading.median)} and {duration(reading.p95)}."
    return (
        drawn
        + f"<p class='note'>Full line: from the onset; broken line: from the first good reading. {escape(words)}</p>"
    )


def hours(scored: Scored) -> str:
    """Calls by hour of the day."""
    staff = scored.episodes.expectations.staff
    days = scored.episodes.known.days or 1
    night = frozenset(hour for hour in range(24) if not staff.night_to_hour <= hour < staff.night_from_hour)
    values = {
        priority: [count / days for count in scored.load.by_hour[priority]]
        for priority in ("technical", "low", "medium", "high")
    }
    drawn = columns(values, shaded=night, title="calls in an hour of an average day, by priority; nights are shaded")
    words = "Calls in an hour of an average day, whole county. Low ones stand in the day's list and make no sound."
    return (
        drawn + f"<p class='note'>{escape(words)}</p>" + _legend(*((name, both(*w)) for name, w in PRIORITIES.items()))
    )


def villages(scored: Scored) -> str:
    """Funnel: is a village served worse than chance alone would have it?"""
    weak = _weak(scored)
    points = [
        Point(village, tally.events, tally.found, "weak" if village in weak else "point")
        for village, tally in by_village(scored.episodes).items()
    ]
    drawn = funnel(points, title="share of events told in time by number of events, one point a village")
    words = (
        "Share of events told in time, by number of events. Between the full lines lie 95 of 100 villages by chance "
        "alone, between the dotted ones 99.8; a village below is served worse. Diamonds: weak link."
    )
    return drawn + f"<p class='note'>{escape(words)}</p><p class='note'>{escape(weak_villages(scored))}</p>"


def village_table(scored: Scored) -> str:
    """Each village in numbers."""
    places, cut, weak = by_village(scored.episodes), _minutes_cut(scored), _weak(scored)
    rows = []
    for village, tally in places.items():
        tell = spread(tally.tell_s)
        rows.append((
            village + (" (weak)" if village in weak else ""),
            f"{tally.people:,}",
            f"{cut.get(village, 0.0):.0f}",
            f"{tally.found} of {tally.events}",
            f"{tally.missed:,}",
            duration(tell.p95) if tell is not None else "",
            f"{tally.false:,}",
        ))  # fmt: skip
    heads = ("Village", "People", "Cut off, min a day", "In time", "Missed", "95 of 100 heard within", "False")
    return table(heads, rows, numbers_from=1)


def weak_villages(scored: Scored) -> str:
    """Whether villages with a weak link are served worse, in words."""
    places, weak = by_village(scored.episodes), _weak(scored)
    if not weak:
        return "No village has a link much weaker than the others."
    return (
        f"Villages with a weak link, cut off for more than twice as long as the middle one: "
        f"{_served([places[village] for village in sorted(weak)])}. The others: "
        f"{_served([tally for village, tally in places.items() if village not in weak])}."
    )


def _served(places: list[Tally]) -> str:
    events, found = sum(each.events for each in places), sum(each.found for each in places)
    missed = sum(each.missed for each in places)
    tell = spread(seconds for each in places for seconds in each.tell_s)
    share = f"{found / events:.0%}" if events else "no"
    speed = f", 95 of 100 calls heard within {duration(tell.p95)}" if tell is not None else ""
    return f"{share} of {events:,} events told in time, {missed:,} missed{speed}"


def _minutes_cut(scored: Scored) -> dict[str, float]:
    """By village: minutes of an average day in which an average gateway there could not be heard."""
    known = scored.episodes.known
    gateways = Counter(known.village_of.values())
    cut_ms: Counter[str] = Counter()
    for silence in known.silences:
        cut_ms[known.village_of.get(silence.gateway, "")] += silence.to_ms - silence.from_ms
    days = known.days or 1.0
    return {village: cut_ms[village] / _MINUTE_MS / count / days for village, count in sorted(gateways.items())}


def _weak(scored: Scored) -> frozenset[str]:
    cut = _minutes_cut(scored)
    middle = spread(cut.values())
    if middle is None:
        return frozenset()
    return frozenset(village for village, minutes in cut.items() if minutes > _WEAK_TIMES * middle.median)


def _legend(*entries: tuple[str, str]) -> str:
    keys = {
        "found": "<circle class='m-found' cx='7' cy='7' r='4.5'/>",
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
