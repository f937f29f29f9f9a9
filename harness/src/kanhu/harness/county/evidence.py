"""Tables of single events and alerts, each with what is known about it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from kanhu.contract import METRICS
from kanhu.firmware_sim.truth import Happening
from kanhu.harness.county.words import PRIORITIES, REASONS, both, rule_title, unit
from kanhu.harness.scoring.episodes import Episode, Episodes, Telling
from kanhu.harness.scoring.expectations import Expectations
from kanhu.harness.scoring.recorded import Known

__all__ = ["event_rows", "event_table", "missed_lists", "period", "table", "telling_table"]

_SHOWN = 400
"""A page with more rows of one kind is no longer read; the JSON outcome holds all."""
_READ_AT_ONCE = 20
"""So few missed events are shown without asking."""
_WORTH_SHOWING = ("spo2", "systolic", "diastolic", "heart_rate", "glucose_capillary", "temperature_axillary", "weight")


def missed_lists(known: Known, missed: Sequence[Episode], expectations: Expectations) -> str:
    """Every missed event, by why it was missed."""
    lists = []
    for why, (english, chinese, says) in REASONS.items():
        of = [episode for episode in missed if episode.result is why]
        if of:
            head = f"<summary>{escape(both(english, chinese))}: {len(of):,}</summary><p class='note'>{escape(says)}</p>"
            shown = " open" if len(missed) <= _READ_AT_ONCE else ""
            lists.append(f"<details{shown}>{head}{event_table(known, of, expectations)}</details>")
    return "".join(lists) or "<p>Nothing was missed.</p>"


def event_table(known: Known, episodes: Sequence[Episode], expectations: Expectations) -> str:
    """Events with their evidence."""
    heads = (
        "When",
        "Village",
        "Person or gateway",
        "What",
        "Lasted, min",
        "Readings (of these good)",
        "True values that day",
        "Link cut by",
    )
    return table(heads, event_rows(known, episodes, expectations))


def event_rows(known: Known, episodes: Iterable[Episode], expectations: Expectations) -> list[tuple[str, ...]]:
    """One row an event, in order of time."""
    zone = ZoneInfo(known.manifest.timezone)
    rows: list[tuple[str, ...]] = []
    for episode in episodes:
        happening = episode.happening
        kind = expectations.kinds[happening.kind]
        grave = ", grave" if happening.severity >= 2 else ""
        rows.append((
            _clock(happening.onset_ms, zone),
            happening.village,
            happening.subject or happening.gateway,
            both(kind.en, kind.zh) + grave,
            f"{(happening.end_ms - happening.onset_ms) / 60_000:,.0f}",
            _readings(happening),
            _true_values(known, happening),
            _cuts(known, happening),
        ))  # fmt: skip
    return rows


def telling_table(scored: Episodes, tellings: Sequence[Telling]) -> str:
    """False alerts, and what they fell into."""
    zone = ZoneInfo(scored.known.manifest.timezone)
    names = {kind.value: both(each.en, each.zh) for kind, each in scored.expectations.kinds.items()}
    rows = [
        (
            _clock(each.told.at_ms, zone),
            each.alert.village,
            each.alert.subject,
            rule_title(scored.pack, each.alert.rule),
            both(*PRIORITIES[each.told.priority]),
            names.get(each.beside, ""),
        )
        for each in tellings
    ]
    return table(("When", "Village", "Person or gateway", "Rule", "Priority", "While"), rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int = 99) -> str:
    """A plain table; columns from `numbers_from` on are set to the right."""
    head = "".join(
        f"<th scope='col'{_right(number, numbers_from)}>{escape(text)}</th>" for number, text in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_right(number, numbers_from)}>{escape(cell)}</td>" for number, cell in enumerate(row))
        + "</tr>"
        for row in rows[:_SHOWN]
    )
    more = f"<p class='note'>{len(rows) - _SHOWN:,} more are in the outcome file.</p>" if len(rows) > _SHOWN else ""
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll' tabindex='0'>{whole}</div>{more}"


def period(known: Known) -> str:
    """From which day to which, local time."""
    zone = ZoneInfo(known.manifest.timezone)
    first, last = (
        datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone).strftime("%d %b %Y")
        for moment_ms in (known.manifest.starts_ms, known.manifest.ends_ms - 1)
    )
    return f"{first} to {last}, {known.manifest.timezone} time."


def _right(number: int, numbers_from: int) -> str:
    return " class='r'" if number >= numbers_from else ""


def _clock(moment_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone).strftime("%d %b %H:%M")


def _readings(happening: Happening) -> str:
    taken = [
        f"{_name(metric)} {count} ({happening.good.get(metric, 0)})"
        for metric, count in sorted(happening.readings.items())
        if count
    ]
    return ", ".join(taken) or "none"


def _name(metric: str) -> str:
    return METRICS[metric].en if metric in METRICS else metric


def _true_values(known: Known, happening: Happening) -> str:
    reached: dict[str, tuple[float, float]] = {}
    for day in known.extremes.get(happening.subject, ()):
        if day.from_ms < max(happening.end_ms, happening.onset_ms + 1) and happening.onset_ms < day.to_ms:
            for metric, (low, high) in day.values.items():
                lowest, highest = reached.get(metric, (low, high))
                reached[metric] = (min(lowest, low), max(highest, high))
    shown = [
        f"{_name(metric)} {reached[metric][0]:.3g} to {reached[metric][1]:.3g} {unit(METRICS[metric].ucum)}"
        for metric in _WORTH_SHOWING
        if metric in reached
    ]
    return "; ".join(shown)


def _cuts(known: Known, happening: Happening) -> str:
    causes = {
        silence.cause
        for silence in known.silences
        if silence.gateway == happening.gateway
        and silence.from_ms <= happening.end_ms
        and silence.to_ms >= happening.onset_ms
    }
    return ", ".join(sorted(causes))
