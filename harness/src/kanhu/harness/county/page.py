"""The report: one HTML file without scripts, read from top to bottom, the same for the same seed but for one block."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from kanhu.harness.county.alike import group_table, groups, village_table, villages
from kanhu.harness.county.drawings import delays, false_by_rule, found_by_kind, hours, strip_of_events
from kanhu.harness.county.evidence import event_table, missed_lists, period, table, telling_table
from kanhu.harness.county.story import glance, story
from kanhu.harness.county.words import PRIORITIES, both, rule_title
from kanhu.harness.report import Value
from kanhu.harness.scoring.comparing import Comparison
from kanhu.harness.scoring.episodes import MISSED, TellingResult
from kanhu.harness.scoring.expectations import Expectations
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread
from kanhu.harness.scoring.tally import by_kind, by_rule

__all__ = ["Making", "page"]


@dataclass(frozen=True, slots=True)
class Making:
    """What made the report: the only part of it that two runs of one seed do not share."""

    command: str
    machine: Mapping[str, Value]
    seconds: Mapping[str, float]


def page(scored: Scored, making: Making, *, comparison: Comparison | None = None) -> str:
    """The whole file."""
    known = scored.episodes.known
    title = (
        f"County report 县域看护报告: {known.manifest.people:,} people, {known.days:g} days, seed {known.manifest.seed}"
    )
    sections = [
        f"<h1>{escape(title)}</h1><p class='sub'>{escape(period(known))} Simulated people, real rules and real alert "
        "work. Reference software for research; no medical device, not for diagnosis, no emergency service. "
        "模拟人群，仅供研究。</p>",
        f"<div class='top'>{story(scored)}{glance(scored)}</div>",
        _comparison(scored, comparison),
        _drawings(scored),
        _heading("What was missed, and why", "漏报事件及原因"),
        missed_lists(known, [each for each in scored.episodes.episodes if each.result in MISSED], _expected(scored)),
        _heading("What was raised for nothing", "误报"),
        _false_lists(scored),
        _heading("Tables", "数据表"),
        _tables(scored),
        _heading("How this was made", "方法"),
        _method(scored),
        _making(making),
    ]
    style = files("kanhu.harness.county").joinpath("style.css").read_text(encoding="utf-8")
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'><style>{style}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _drawings(scored: Scored) -> str:
    return (
        _heading("Day by day", "逐日")
        + f"<div class='card'>{strip_of_events(scored)}</div>"
        + _heading("How well, and at what cost", "效果与代价")
        + "<div class='cards'>"
        + "".join(
            f"<section class='card'><h3>{escape(both(english, chinese))}</h3>{drawing}</section>"
            for english, chinese, drawing in (
                ("Told and missed, by kind of event", "各类事件", found_by_kind(scored)),
                ("False alerts in 1,000 person-days, by rule", "各规则误报率", false_by_rule(scored)),
                ("How soon it is found", "报警延迟", delays(scored)),
                ("When alerts sound", "响铃时段", hours(scored)),
                ("Are villages served alike?", "各村是否一致", villages(scored)),
                ("Are groups of people served alike?", "各人群是否一致", groups(scored)),
            )
        )
        + "</div>"
    )


def _comparison(scored: Scored, comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    known, expected = scored.episodes.known, _expected(scored)
    reasons = [*(f"worse: {why}" for why in comparison.worse.values())]
    reasons += [f"better: {why}" for why in comparison.better.values()]
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons) or "<li>no difference that counts</li>"
    figures = [(name, _shown(before), _shown(after)) for name, (before, after) in comparison.figures.items()]
    parts = [
        _heading(f"Against the other: {comparison.verdict.value}", "对比"),
        f"<div class='card'><ul>{listed}</ul></div>",
        _details(
            f"Figures that differ: {len(figures)}", table(("Figure", "The other", "This"), figures, numbers_from=1)
        ),
    ]
    for name, episodes in (
        ("Lost: told by the other, missed here", comparison.lost),
        ("Won: missed by the other, told here", comparison.won),
        ("In time with the other, late here", comparison.now_late),
        ("Late with the other, in time here", comparison.in_time),
    ):
        if episodes:
            parts.append(_details(f"{name}: {len(episodes)}", event_table(known, episodes, expected)))
    for name, tellings in (("New false alerts", comparison.false_new), ("False alerts gone", comparison.false_gone)):
        if tellings:
            parts.append(_details(f"{name}: {len(tellings)}", telling_table(scored.episodes, tellings)))
    return "".join(parts)


def _false_lists(scored: Scored) -> str:
    lists = []
    for priority in PRIORITIES:
        false = [
            each
            for each in scored.episodes.tellings
            if each.result is TellingResult.FALSE and each.told.priority == priority
        ]
        if false:
            shown = telling_table(scored.episodes, false)
            lists.append(_details(f"{both(*PRIORITIES[priority])}: {len(false):,}", shown))
    return "".join(lists) or "<p>Nothing was raised for nothing.</p>"


def _tables(scored: Scored) -> str:
    kinds = _expected(scored).kinds
    rows = []
    for kind, tally in by_kind(scored.episodes).items():
        delay = spread(tally.detect_s)
        rows.append((
            both(kinds[kind].en, kinds[kind].zh),
            *map(_shown, (tally.events, tally.found, tally.late, *(tally.results[why] for why in MISSED))),
            "" if delay is None else f"{delay.median / 60:,.1f}",
        ))  # fmt: skip
    heads = ("Kind", "Events", "In time", "Late", "Missed: not measured", "no rule", "spoilt",
             "short of limit", "too low", "not raised", "Middle delay, min")  # fmt: skip
    events = table(heads, rows, numbers_from=1)
    rules = [
        (rule_title(scored.episodes.pack, name), *(_shown(tally.all_of(result)) for result in TellingResult))
        for name, tally in by_rule(scored.episodes).items()
    ]
    told = table(("Rule", "Right", "More urgent", "Said again", "Right, no event", "False"), rules, numbers_from=1)
    told += (
        "<p class='note'>More urgent: the same event, said more urgently than before. Right, no event: outside every "
        "event, and the person's true value had reached the limit that day, or the gateway truly was silent.</p>"
    )
    climbed = [
        (both(*PRIORITIES[priority]), *(f"{share:.1%}" for share in shares))
        for priority, shares in scored.load.unclaimed_share.items()
    ]
    ladder = table(("Priority", "First step", "Second step", "Third step"), climbed, numbers_from=1)
    ladder += (
        "<p class='note'>Share of alerts that went on to the next person because nobody had taken them in time, by how "
        "far up they went.</p>"
    )
    return (
        _details("Events by kind 各类事件", events)
        + _details("Alerts by rule 各规则报警", told)
        + _details("By village 各村", village_table(scored))
        + _details("By group of people 各人群", group_table(scored))
        + _details("Taken by nobody in time 未及时认领", ladder)
        + _details("All figures 全部指标", table(
            ("Figure", "Value"), [(name, _shown(value)) for name, value in scored.figures().items()], numbers_from=1
        ) + "<p class='note'>Each name is explained in docs/scoring.md; _s is seconds.</p>")
    )  # fmt: skip


def _method(scored: Scored) -> str:
    known, expected = scored.episodes.known, _expected(scored)
    said = (
        "The simulator wrote down what devices gave and, apart from it, what truly happened. The judge saw the first "
        "only and ran in its own process. This page compares both, event by event: an alert within an event's window "
        "counts once, what is said again is a duplicate, silence is a miss. An alert outside every event is right "
        "where the person's true value had reached the rule's limit that day, and false otherwise. What has to "
        f"be raised for what: harness/expectations.toml, version {expected.version}. What each figure means: "
        "docs/scoring.md."
    )
    made = ", ".join(f"{name} {version}" for name, version in sorted(known.manifest.versions.items()))
    recording = f"Recording: {known.manifest.name}, {made}."
    return f"<div class='card'><p>{escape(said)}</p><p class='note'>{escape(recording)}</p></div>"


def _making(making: Making) -> str:
    rows = [
        *((name, str(value)) for name, value in making.machine.items()),
        *((f"seconds, {name}", f"{seconds:.1f}") for name, seconds in making.seconds.items()),
    ]
    return (
        "<section id='making' class='card'><h3>Machine and times 机器与用时</h3>"
        f"<p class='note'><code>{escape(making.command)}</code></p>{table(('What', 'Is'), rows)}</section>"
    )


def _heading(english: str, chinese: str) -> str:
    return f"<h2>{escape(both(english, chinese))}</h2>"


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def _shown(value: Value | None) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value or "")


def _expected(scored: Scored) -> Expectations:
    return scored.episodes.expectations
