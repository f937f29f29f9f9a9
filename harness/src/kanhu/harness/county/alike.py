"""Whether everybody is served alike: villages against chance, groups of people side by side, in words and drawings."""

from collections import Counter
from html import escape

from kanhu.harness.county.drawings import RESULTS, legend
from kanhu.harness.county.evidence import table
from kanhu.harness.county.plots import Bar, Point, bars, chance_band, funnel
from kanhu.harness.county.words import GROUPS, duration, group
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread
from kanhu.harness.scoring.tally import Tally, by_group, by_village

__all__ = ["alike", "group_table", "groups", "village_table", "villages", "weak_villages"]

_MINUTE_MS = 60_000
_WEAK_TIMES = 2.0
"""A village cut off for so many times as long as the middle one has a weak link; project choice."""
_FEW = 10
"""Of fewer events a share says nothing; project choice."""
_CHANCE = 1.96
"""Deviations between which chance alone leaves 95 of 100."""


def alike(scored: Scored) -> str:
    """Which villages and groups are served worst, in one paragraph."""
    places = {name: tally for name, tally in by_village(scored.episodes).items() if tally.events}
    said = []
    if len(places) > 1:
        worse = _below_chance(places)
        said.append(
            f"Villages: from {_extreme(places, best=False)} to {_extreme(places, best=True)} events told in time; "
            + (f"worse than by chance: {', '.join(worse)}." if worse else "none is worse than chance alone explains.")
        )
    many = {group(name): tally for name, tally in _groups(scored).items() if tally.events >= _FEW}
    if len(many) > 1:
        said.append(
            f"Groups of people: from {_extreme(many, best=False)} to {_extreme(many, best=True)} "
            f"(groups with {_FEW} events or more)."
        )
    return " ".join(said)


def villages(scored: Scored) -> str:
    """Funnel: is a village served worse than chance alone would have it?"""
    weak = _weak(scored)
    points = [
        Point(village, tally.events, tally.found, "weak" if village in weak else "point")
        for village, tally in by_village(scored.episodes).items()
    ]
    drawn = funnel(
        points,
        x_axis="events of people in the village",
        y_axis="told in time",
        title="share of events told in time by number of events, one point a village",
    )
    words = (
        "One point a village. Between the full lines lie 95 of 100 villages by chance alone, between the dotted ones "
        "998 of 1,000; a village below them is served worse. Diamond: weak link."
    )
    return drawn + f"<p class='note'>{escape(words)}</p><p class='note'>{escape(weak_villages(scored))}</p>"


def groups(scored: Scored) -> str:
    """Stacked bars: in time, late, missed of each group of people."""
    rows = [
        Bar(
            group(name),
            (("found", tally.found), ("late", tally.late), ("missed", tally.missed)),
            f"{tally.found} of {tally.events} in time",
        )
        for name, tally in _groups(scored).items()
        if tally.events
    ]
    if not rows:
        return "<p>No event.</p>"
    words = "One person may be in several groups. Few events say little: look at the numbers beside the bars."
    drawn = bars(rows, title="events in time, late and missed by group of people")
    return drawn + f"<p class='note'>{escape(words)}</p>" + legend(*RESULTS)


def village_table(scored: Scored) -> str:
    """Each village in numbers."""
    places, cut, weak = by_village(scored.episodes), _minutes_cut(scored), _weak(scored)
    rows = []
    for village, tally in places.items():
        tell = spread(tally.tell_s)
        rows.append((
            village + (" (weak link)" if village in weak else ""),
            f"{tally.people:,}",
            f"{cut.get(village, 0.0):.0f}",
            f"{tally.found} of {tally.events}",
            f"{tally.missed:,}",
            duration(tell.p95) if tell is not None else "",
            f"{tally.false:,}",
        ))  # fmt: skip
    heads = ("Village", "People", "Link cut, min a day", "In time", "Missed", "95 of 100 heard within", "False alerts")
    return table(heads, rows, numbers_from=1)


def group_table(scored: Scored) -> str:
    """Each group of people in numbers."""
    days = scored.episodes.known.days
    rows = [
        (
            group(name),
            f"{tally.people:,}",
            f"{tally.events:,}",
            f"{tally.found:,}",
            f"{tally.late:,}",
            f"{tally.missed:,}",
            f"{1000 * tally.false / (tally.people * days):.1f}" if tally.people else "",
        )
        for name, tally in _groups(scored).items()
        if tally.people
    ]
    heads = ("Group", "People", "Events", "In time", "Late", "Missed", "False alerts in 1,000 person-days")
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


def _groups(scored: Scored) -> dict[str, Tally]:
    """In the order of the words; names unknown there last."""
    order = list(GROUPS)
    of = by_group(scored.episodes)
    return dict(sorted(of.items(), key=lambda each: order.index(each[0]) if each[0] in GROUPS else len(order)))


def _below_chance(places: dict[str, Tally]) -> list[str]:
    events, found = sum(each.events for each in places.values()), sum(each.found for each in places.values())
    return [
        village
        for village, tally in places.items()
        if tally.found / tally.events < chance_band(found / events, tally.events, deviations=_CHANCE)[0]
    ]


def _extreme(of: dict[str, Tally], *, best: bool) -> str:
    sign = -1 if best else 1
    name, tally = min(of.items(), key=lambda each: (sign * each[1].found / each[1].events, each[0]))
    return f"{tally.found} of {tally.events} ({name})"


def _served(places: list[Tally]) -> str:
    events, found = sum(each.events for each in places), sum(each.found for each in places)
    missed = sum(each.missed for each in places)
    tell = spread(seconds for each in places for seconds in each.tell_s)
    share = f"{found / events:.0%}" if events else "no"
    speed = f", 95 of 100 alerts with sound heard within {duration(tell.p95)}" if tell is not None else ""
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
