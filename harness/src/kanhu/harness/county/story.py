"""What happened, in words: the part of the page that a county director reads."""

from collections import Counter
from html import escape

from kanhu.contract import Priority
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.county.alike import alike
from kanhu.harness.county.words import counted, duration
from kanhu.harness.scoring.episodes import MISSED, EventResult, TellingResult
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread

__all__ = ["glance", "story"]

_MISSED_MOST = 3


def story(scored: Scored) -> str:
    """Paragraphs in English, and the numbers once more in Chinese."""
    paragraphs = (
        ("What happened.", _happened(scored)),
        ("What was missed, and why.", _why_missed(scored)),
        ("How fast.", _speed(scored)),
        ("What it cost.", _cost(scored)),
        ("Alike for all?", alike(scored)),
        ("The readings.", _account(scored)),
    )
    body = "".join(f"<p><b>{escape(about)}</b> {escape(text)}</p>" for about, text in paragraphs if text)
    return f'<div class="story">{body}<p lang="zh">{escape(_chinese(scored))}</p></div>'


def glance(scored: Scored) -> str:
    """The numbers that matter most, as tiles."""
    people, gateways, told, load = scored.people, scored.gateways, scored.told, scored.load
    days = scored.episodes.known.days
    heard_of, noticed = people.found + people.late, gateways.found + gateways.late
    tiles = [
        (f"{heard_of:,} of {people.events:,}", "events of people told", "人员事件已报", False),
        (f"{people.missed:,}", "events of people missed", "人员事件漏报", people.missed > 0),
        (f"{people.late:,}", "told too late", "迟报", people.late > 0),
        (f"{noticed:,} of {gateways.events:,}", "silent gateways told", "网关失联已报", gateways.missed > 0),
        (f"{told.of('high', TellingResult.FALSE):,}", "false alerts, high", "高级误报", False),
        (f"{told.of('medium', TellingResult.FALSE):,}", "false alerts, medium", "中级误报", False),
        (f"{load.sounded / days:.1f}", "alerts with sound a day", "每天响铃次数", False),
        (f"{_minutes_a_day(scored):.0f} min", "work a day in each village", "每村每天处理", False),
        (f"{len(load.unowned):,}", "alerts left alone", "无人处理", bool(load.unowned)),
        (f"{scored.account.lost:,}", "readings lost", "丢失读数", scored.account.lost > 0),
    ]
    items = (
        f"<li class='{'bad' if bad else 'plain'}'><b>{value}</b><span>{english}</span>"
        f"<span lang='zh'>{chinese}</span></li>"
        for value, english, chinese, bad in tiles
    )
    return f'<ul class="glance">{"".join(items)}</ul>'


def _happened(scored: Scored) -> str:
    people, gateways, manifest = scored.people, scored.gateways, scored.episodes.known.manifest
    silent_s = scored.episodes.expectations.kinds[HappeningKind.GATEWAY_SILENT].least_s
    return (
        f"{counted(manifest.people, 'person', 'people')} in {counted(len(manifest.villages), 'village', 'villages')} "
        f"were watched for {counted(scored.episodes.known.days, 'day', 'days')}. In that time there "
        f"{_were(people.events)} {counted(people.events, 'emergency or change', 'emergencies and changes')} of which "
        f"somebody should have been told. The system told of {people.found + people.late:,}{_late(people.late)} and "
        f"missed {people.missed:,}. Apart from that, gateways were silent {counted(gateways.events, 'time', 'times')} "
        f"for {duration(silent_s)} or longer. The system told of {gateways.found + gateways.late:,}"
        f"{_late(gateways.late)} and missed {gateways.missed:,} of these."
    )


def _why_missed(scored: Scored) -> str:
    results = scored.people.results
    if not scored.people.missed:
        return "Nothing was missed of what happened to people." if scored.gateways.missed else "Nothing was missed."
    parts = [
        f"for {results[why]:,} {said}"
        for why, said in (
            (EventResult.UNMEASURED, "no device took a reading"),
            (EventResult.WITHOUT_RULE, "no rule looks at what was measured"),
            (EventResult.SPOILT, "every reading was spoilt"),
            (EventResult.NOT_REACHED, "the value was short of the limit whenever it was measured"),
            (EventResult.BELOW_PRIORITY, "the alert was not urgent enough"),
            (EventResult.NOT_RAISED, "good readings were there and no alert came"),
        )
        if results[why]
    ]
    kinds = scored.episodes.expectations.kinds
    missed = Counter(each.happening.kind for each in scored.episodes.of("person") if each.result in MISSED)
    most = sorted(missed.items(), key=lambda each: (-each[1], each[0].value))[:_MISSED_MOST]
    named = ", ".join(f"{kinds[kind].en} ({count:,})" for kind, count in most)
    return (
        f"Of the missed ones, {'; '.join(parts)}. Missed most often: {named}. Each is listed below with its evidence."
    )


def _speed(scored: Scored) -> str:
    told = scored.told
    tell, claim = spread(told.tell_s), spread(told.claim_s)
    if tell is None:
        return ""
    words = [
        f"Once a rule had spoken, half of the alerts with sound were heard within {duration(tell.median)}, "
        f"95 of 100 within {duration(tell.p95)}, cut links included; at night medium ones wait for the morning, unless "
        "the person lives alone."
    ]
    if claim is not None:
        words.append(
            f"Half were taken by somebody within {duration(claim.median)}, 95 of 100 within {duration(claim.p95)}."
        )
    if told.unclaimed:
        words.append(f"{counted(told.unclaimed, 'alert was', 'alerts were')} taken by nobody.")
    return " ".join(words)


def _cost(scored: Scored) -> str:
    told, load, known = scored.told, scored.load, scored.episodes.known
    days, villages = known.days, len(known.manifest.villages)
    silent = len(scored.episodes.tellings) - load.sounded
    again = counted(told.all_of(TellingResult.AGAIN), "repetition", "repetitions")
    loud, lines = _false(scored, Priority.HIGH, Priority.MEDIUM), _false(scored, Priority.LOW, Priority.TECHNICAL)
    words = [
        f"Alerts sounded {counted(load.sounded, 'time', 'times')} (high and medium ones), {load.sounded / days:.1f} "
        f"a day in the whole county; {counted(silent, 'line', 'lines')} went into lists without a sound (low ones and "
        f"equipment). {loud:,} high or medium alerts and {lines:,} lines were for nothing, {again} came on top. "
        f"Answering would have taken about {load.effort_minutes / 60 / days:.1f} hours of people's time a day in the "
        f"county, {load.false_effort_minutes / 60 / days:.1f} of them for nothing; that is "
        f"{_minutes_a_day(scored):.0f} minutes a day in each village. Sleep was broken in "
        f"{counted(load.nights_woken, 'night', 'nights')} of {round(days * villages):,} that the villages slept, "
        f"{load.nights_woken_falsely:,} of them for nothing."
    ]
    if load.flood_minutes:
        words.append(
            f"In {counted(load.flood_minutes, 'minute', 'minutes')} alerts came faster than anybody can answer."
        )
    return " ".join(words)


def _account(scored: Scored) -> str:
    account = scored.account
    return (
        f"Of {account.readings:,} readings {account.stored:,} are stored, {account.lost:,} were lost, "
        f"{account.duplicated:,} stored twice, {account.refused:,} refused with a reason; {account.owed:,} still "
        f"waited at gateways when the time was over."
    )


def _chinese(scored: Scored) -> str:
    people, gateways, load, known = scored.people, scored.gateways, scored.load, scored.episodes.known
    false = {each: scored.told.of(each, TellingResult.FALSE) for each in ("high", "medium", "low")}
    return (
        f"{len(known.manifest.villages)} 个村、{known.manifest.people:,} 位老人，连续看护 {known.days:g} 天。"
        f"期间应当报警的人员事件 {people.events:,} 件，已报 {people.found + people.late:,} 件"
        f"（其中迟报 {people.late:,} 件），漏报 {people.missed:,} 件；"
        f"网关失联 {gateways.events:,} 次，漏报 {gateways.missed:,} 次。"
        f"误报：高级 {false['high']:,} 次，中级 {false['medium']:,} 次，低级 {false['low']:,} 次。"
        f"响铃 {load.sounded:,} 次，夜间被吵醒 {load.nights_woken:,} 村次。"
        f"每村每天处理约需 {_minutes_a_day(scored):.0f} 分钟。"
    )


def _false(scored: Scored, *priorities: Priority) -> int:
    return sum(scored.told.of(each.value, TellingResult.FALSE) for each in priorities)


def _minutes_a_day(scored: Scored) -> float:
    """Of people's time, in each village."""
    known = scored.episodes.known
    return scored.load.effort_minutes / known.days / max(len(known.manifest.villages), 1)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _late(count: int) -> str:
    return f", {count:,} of them too late," if count else ""
