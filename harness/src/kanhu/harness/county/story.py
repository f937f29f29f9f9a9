"""What happened, in words: the part of the page that a county director reads."""

from html import escape

from kanhu.harness.county.words import both, counted, duration
from kanhu.harness.scoring.episodes import EventResult, TellingResult
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread

__all__ = ["glance", "story"]


def story(scored: Scored) -> str:
    """Paragraphs in English, and the numbers once more in Chinese."""
    total, about, load, known = scored.total, scored.people, scored.load, scored.episodes.known
    silent, unheard = total.events - about.events, total.missed - about.missed
    days, people, villages = known.days, known.manifest.people, len(known.manifest.villages)
    told = about.found + about.late
    tellings = scored.episodes.tellings
    personal = sum(each.alert.subject in known.people for each in tellings)
    paragraphs = [
        f"{counted(people, 'person', 'people')} in {counted(villages, 'village', 'villages')} were watched for "
        f"{counted(days, 'day', 'days')}. In that time there {_were(about.events)} "
        f"{counted(about.events, 'emergency or change', 'emergencies and changes')} of which somebody should "
        f"have been told. The system told of {told:,}{_late(about.late)} and missed {about.missed:,}. Gateways were "
        f"silent {counted(silent, 'time', 'times')}; it missed {unheard:,} of these.",
        _why_missed(scored),
        _speed(scored),
        f"It called people {counted(len(tellings), 'time', 'times')}, {len(tellings) / days:.1f} a day in the county: "
        f"{counted(personal, 'time', 'times')} about a person, {counted(len(tellings) - personal, 'time', 'times')} "
        f"about a gateway. {counted(total.false, 'time', 'times')} it called for nothing about a person, "
        f"{counted(total.of('technical', TellingResult.FALSE), 'time', 'times')} for nothing about equipment, and "
        f"{counted(total.all_of(TellingResult.AGAIN), 'time', 'times')} to say again what had been said. "
        f"Answering would have taken about {load.effort_minutes / 60 / days:.1f} hours of people's time a day, "
        f"{load.false_effort_minutes / 60 / days:.1f} of them for nothing; that is "
        f"{load.effort_minutes / days / max(villages, 1):.0f} minutes a day in each village. Sleep was broken in "
        f"{counted(load.nights_woken, 'night', 'nights')} of {round(days * villages):,} that the villages slept, "
        f"{load.nights_woken_falsely:,} of them for nothing.",
        _account(scored),
    ]
    false = {each: total.of(each, TellingResult.FALSE) for each in ("high", "medium", "low")}
    chinese = (
        f"{villages} 个村、{people:,} 位老人，连续看护 {days:g} 天。期间应当报警的事件 {about.events:,} 件，"
        f"已报 {told:,} 件（其中迟报 {about.late:,} 件），漏报 {about.missed:,} 件；"
        f"网关失联 {silent:,} 次，漏报 {unheard:,} 次。"
        f"误报：高级 {false['high']:,} 次，中级 {false['medium']:,} 次，低级 {false['low']:,} 次。每村每天处理约需 "
        f"{load.effort_minutes / days / max(villages, 1):.0f} 分钟。"
    )
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return f'<div class="story">{body}<p lang="zh">{escape(chinese)}</p></div>'


def glance(scored: Scored) -> str:
    """The numbers that matter most, as tiles."""
    total, about, load, days = scored.total, scored.people, scored.load, scored.episodes.known.days
    tiles = [
        (f"{about.found + about.late:,} / {about.events:,}", both("events told", "已报事件"), False),
        (f"{about.missed:,}", both("missed", "漏报"), about.missed > 0),
        (f"{about.late:,}", both("told late", "迟报"), about.late > 0),
        (f"{total.of('high', TellingResult.FALSE):,}", both("false, high", "高级误报"), False),
        (f"{total.of('medium', TellingResult.FALSE):,}", both("false, medium", "中级误报"), False),
        (f"{len(scored.episodes.tellings) / days:.1f}", both("calls a day", "每天呼叫"), False),
        (f"{len(load.unowned):,}", both("left alone", "无人处理"), bool(load.unowned)),
        (f"{scored.account.lost:,}", both("readings lost", "丢失读数"), scored.account.lost > 0),
    ]
    items = (
        f"<li class='{'bad' if bad else 'plain'}'><b>{value}</b><span>{escape(label)}</span></li>"
        for value, label, bad in tiles
    )
    return f'<ul class="glance">{"".join(items)}</ul>'


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _late(count: int) -> str:
    return f", {count:,} of them too late," if count else ""


def _why_missed(scored: Scored) -> str:
    results = scored.total.results
    if not scored.total.missed:
        return "Nothing was missed."
    parts = [
        f"for {results[why]:,} {said}"
        for why, said in (
            (EventResult.UNMEASURED, "no device took a reading"),
            (EventResult.WITHOUT_RULE, "no rule looks at what was measured"),
            (EventResult.SPOILT, "every reading was spoilt"),
            (EventResult.NOT_REACHED, "the value was below the limit whenever it was measured"),
            (EventResult.BELOW_PRIORITY, "the alert was not urgent enough"),
            (EventResult.NOT_RAISED, "good readings were there and no alert came"),
        )
        if results[why]
    ]
    return f"Of the missed ones, {'; '.join(parts)}. Each is listed below with its evidence."


def _speed(scored: Scored) -> str:
    total = scored.total
    tell, claim = spread(total.tell_s), spread(total.claim_s)
    if tell is None:
        return ""
    words = [
        f"Once a rule had spoken, half of all urgent calls reached a person within {duration(tell.median)}, "
        f"95 of 100 within {duration(tell.p95)} (nights and cut links included)."
    ]
    if claim is not None:
        words.append(
            f"Half were taken by somebody within {duration(claim.median)}, 95 of 100 within {duration(claim.p95)}."
        )
    if total.unclaimed:
        words.append(f"{counted(total.unclaimed, 'call was', 'calls were')} taken by nobody.")
    if scored.load.flood_minutes:
        words.append(
            f"In {counted(scored.load.flood_minutes, 'minute', 'minutes')} calls came faster than anybody can answer."
        )
    return " ".join(words)


def _account(scored: Scored) -> str:
    account = scored.account
    return (
        f"Of {account.readings:,} readings {account.stored:,} are stored, {account.lost:,} were lost, "
        f"{account.duplicated:,} stored twice, {account.refused:,} refused with a reason; {account.owed:,} still "
        f"waited at gateways when the time was over."
    )
