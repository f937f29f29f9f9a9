"""Two outcomes of one recording: which events were won or lost, which false alerts are new or gone, and the verdict.

Worse is anything a resident or a person on duty would notice as worse, whatever got better beside it; both lists are
shown, and a person decides.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from kanhu.harness.report import Value
from kanhu.harness.scoring.episodes import MISSED, Episode, EventResult, Telling, TellingResult
from kanhu.harness.scoring.expectations import Expectations
from kanhu.harness.scoring.figures import Scored
from kanhu.harness.scoring.spread import spread

__all__ = ["Comparison", "Difference", "Verdict", "compare_outcomes"]

_SLOWER_S = 60.0
"""A median that moved by less is the same; project choice."""

_SeenAs = tuple[str, str, str, str, int]


class Verdict(StrEnum):
    """Whether the second outcome is better for people."""

    WORSE = "worse"
    BETTER = "better"
    EQUAL = "equal"


class Difference(StrEnum):
    """What differs; each is a reason for a verdict."""

    EVENTS_LOST = "events_lost"
    EVENTS_NOW_LATE = "events_now_late"
    FALSE_MORE = "false_more"
    DUPLICATES_MORE = "duplicates_more"
    UNOWNED_MORE = "unowned_more"
    READINGS_LOST = "readings_lost"
    READINGS_DUPLICATED = "readings_duplicated"
    SLOWER = "slower"
    EVENTS_WON = "events_won"
    EVENTS_IN_TIME = "events_in_time"
    FALSE_FEWER = "false_fewer"
    DUPLICATES_FEWER = "duplicates_fewer"
    UNOWNED_FEWER = "unowned_fewer"
    FASTER = "faster"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second outcome against the first."""

    lost: tuple[Episode, ...]
    """Told before, missed now; as it is now."""
    won: tuple[Episode, ...]
    now_late: tuple[Episode, ...]
    in_time: tuple[Episode, ...]
    false_new: tuple[Telling, ...]
    false_gone: tuple[Telling, ...]
    figures: dict[str, tuple[Value | None, Value | None]]
    """Side by side, where they differ."""
    worse: dict[Difference, str]
    """Why it is worse, in words."""
    better: dict[Difference, str]

    @property
    def verdict(self) -> Verdict:
        """Worse where anything is."""
        if self.worse:
            return Verdict.WORSE
        return Verdict.BETTER if self.better else Verdict.EQUAL


def compare_outcomes(before: Scored, after: Scored) -> Comparison:
    """Compare two outcomes of the same recording."""
    was = {each.happening.id: each for each in before.episodes.episodes}
    pairs = [(was[each.happening.id], each) for each in after.episodes.episodes if each.happening.id in was]
    false_new, false_gone = _apart(_false(before), _false(after))
    comparison = Comparison(
        lost=tuple(now for then, now in pairs if _told(then) and now.result in MISSED),
        won=tuple(now for then, now in pairs if then.result in MISSED and _told(now)),
        now_late=tuple(now for then, now in pairs if _in_time(then) and now.result is EventResult.LATE),
        in_time=tuple(now for then, now in pairs if then.result is EventResult.LATE and _in_time(now)),
        false_new=false_new,
        false_gone=false_gone,
        figures=_side_by_side(before.figures(), after.figures()),
        worse={},
        better={},
    )
    _weigh_events(comparison, after.episodes.expectations)
    _weigh_tellings(comparison, before, after)
    _weigh_account(comparison, before, after)
    _weigh_delay(comparison, pairs)
    return comparison


def _weigh_events(comparison: Comparison, expected: Expectations) -> None:
    """Of people and of gateways alike: a house that nobody hears is a house that nobody watches."""
    worse, better = comparison.worse, comparison.better
    for side, why, episodes, words in (
        (worse, Difference.EVENTS_LOST, comparison.lost, "told by the first and missed by the second"),
        (worse, Difference.EVENTS_NOW_LATE, comparison.now_late, "in time with the first and late with the second"),
        (better, Difference.EVENTS_WON, comparison.won, "missed by the first and told by the second"),
        (better, Difference.EVENTS_IN_TIME, comparison.in_time, "late with the first and in time with the second"),
    ):
        gateways = sum(expected.kinds[each.happening.kind].of == "gateway" for each in episodes)
        if episodes:
            side[why] = f"{len(episodes) - gateways} events of people and {gateways} of gateways: {words}"


def _weigh_tellings(comparison: Comparison, before: Scored, after: Scored) -> None:
    was, now = Counter(_priorities(_false(before))), Counter(_priorities(_false(after)))
    for priority in sorted(was.keys() | now.keys()):
        if now[priority] == was[priority]:
            continue
        more = now[priority] > was[priority]
        side, why = (comparison.worse, Difference.FALSE_MORE) if more else (comparison.better, Difference.FALSE_FEWER)
        said = f"{now[priority]} false {priority} tellings instead of {was[priority]}"
        side[why] = f"{side[why]}; {said}" if why in side else said
    again_was, again_now = (each.told.all_of(TellingResult.AGAIN) for each in (before, after))
    if again_now != again_was:
        more = again_now > again_was
        side = comparison.worse if more else comparison.better
        why = Difference.DUPLICATES_MORE if more else Difference.DUPLICATES_FEWER
        side[why] = f"the same happening was told again {again_now} times instead of {again_was}"


def _weigh_account(comparison: Comparison, before: Scored, after: Scored) -> None:
    was, now = len(before.load.unowned), len(after.load.unowned)
    if was != now:
        side = comparison.worse if now > was else comparison.better
        why = Difference.UNOWNED_MORE if now > was else Difference.UNOWNED_FEWER
        side[why] = f"{now} alerts that nobody took did not climb, instead of {was}"
    if after.account.lost > before.account.lost:
        comparison.worse[Difference.READINGS_LOST] = f"{after.account.lost} readings lost"
    if after.account.duplicated > before.account.duplicated:
        comparison.worse[Difference.READINGS_DUPLICATED] = f"{after.account.duplicated} readings stored twice"


def _weigh_delay(comparison: Comparison, pairs: list[tuple[Episode, Episode]]) -> None:
    """Of the same events, told both times: the middle one of how much later each is told."""
    moved = spread(
        (now.told.at_ms - then.told.at_ms) / 1000
        for then, now in pairs
        if then.told is not None and now.told is not None and _told(then) and _told(now)
    )
    middle_s = moved.median if moved is not None else 0.0
    if middle_s > _SLOWER_S:
        comparison.worse[Difference.SLOWER] = f"the middle one of the same events is told {middle_s:.0f} s later"
    elif middle_s < -_SLOWER_S:
        comparison.better[Difference.FASTER] = f"the middle one of the same events is told {-middle_s:.0f} s earlier"


def _told(episode: Episode) -> bool:
    return _in_time(episode) or episode.result is EventResult.LATE


def _in_time(episode: Episode) -> bool:
    return episode.result in {EventResult.FOUND, EventResult.FOUND_OPEN}


def _false(scored: Scored) -> list[Telling]:
    return [each for each in scored.episodes.tellings if each.result is TellingResult.FALSE]


def _priorities(tellings: list[Telling]) -> list[str]:
    return [each.told.priority for each in tellings]


def _apart(before: list[Telling], after: list[Telling]) -> tuple[tuple[Telling, ...], tuple[Telling, ...]]:
    """New ones and gone ones; a false one is the same where subject, rule, priority and its own minute are."""
    was, now = Counter(map(_seen_as, before)), Counter(map(_seen_as, after))
    return _beyond(after, was), _beyond(before, now)


def _beyond(tellings: list[Telling], known: Counter[_SeenAs]) -> tuple[Telling, ...]:
    left = Counter(known)
    beyond: list[Telling] = []
    for telling in tellings:
        if left[_seen_as(telling)] > 0:
            left[_seen_as(telling)] -= 1
        else:
            beyond.append(telling)
    return tuple(beyond)


def _seen_as(telling: Telling) -> _SeenAs:
    alert, told = telling.alert, telling.told
    return alert.village, alert.subject, alert.rule, told.priority, told.own_ms // 60_000


def _side_by_side(before: dict[str, Value], after: dict[str, Value]) -> dict[str, tuple[Value | None, Value | None]]:
    names = [*before, *(name for name in after if name not in before)]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
