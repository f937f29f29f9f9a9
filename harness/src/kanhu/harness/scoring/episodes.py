"""Happenings against tellings: which were answered, which not and why; which tellings were right, which for nothing.

An alert is matched with a happening by its own time, so that what arrives late is late and not false. One telling may
answer several happenings at once (somebody fell and pressed the button); a happening counts once, whatever is told of
it again.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kanhu.cloud.replay.outcome import Alert, Told
from kanhu.contract import Priority
from kanhu.firmware_sim.truth import Happening
from kanhu.harness.scoring.expectations import Expectation, Expectations
from kanhu.harness.scoring.limits_reached import Reach
from kanhu.harness.scoring.recorded import Known, Outcome
from kanhu.vitals import RulePack

__all__ = ["MISSED", "SOUNDING", "Episode", "Episodes", "EventResult", "Telling", "TellingResult", "compare_with_truth"]

RANK = {priority.value: rank for rank, priority in enumerate(Priority)}

SOUNDING = (Priority.HIGH.value, Priority.MEDIUM.value)
"""What makes a sound; low and technical ones stand in a list (docs/dashboard.md, Priorities)."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class EventResult(StrEnum):
    """What became of a happening that asks for an alert."""

    FOUND = "found"
    FOUND_OPEN = "found_open"  # an alert of the day before was still open on the board
    LATE = "late"  # told, but after the time
    UNMEASURED = "unmeasured"  # no reading of a metric that can show it
    WITHOUT_RULE = "without_rule"
    SPOILT = "spoilt"  # every reading of it was an artefact
    NOT_REACHED = "not_reached"  # at the moments of measurement the true value had not reached the limit
    BELOW_PRIORITY = "below_priority"
    NOT_RAISED = "not_raised"
    NOT_DUE = "not_due"  # too short to need anything, or cut off by the start or the end of the recording


MISSED = (
    EventResult.UNMEASURED,
    EventResult.WITHOUT_RULE,
    EventResult.SPOILT,
    EventResult.NOT_REACHED,
    EventResult.BELOW_PRIORITY,
    EventResult.NOT_RAISED,
)


class TellingResult(StrEnum):
    """What one telling was worth."""

    RIGHT = "right"
    ROSE = "rose"  # the same happening, said more urgently than before
    AGAIN = "again"  # a duplicate: the happening had been told
    RIGHT_OUTSIDE = "right_outside"  # no happening, and the true value had reached the limit
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Telling:
    """One telling of one alert, judged."""

    alert: Alert
    told: Told
    result: TellingResult
    happenings: tuple[str, ...] = ()
    beside: str = ""
    """Kind of a happening that asks for nothing and in which a false one lies."""

    @property
    def sounded_ms(self) -> int:
        """When a person could hear it; one in a list, could read it."""
        return self.told.at_ms if self.told.held_until_ms is None else self.told.held_until_ms

    @property
    def sounds(self) -> bool:
        """Whether it is ever heard: one held for the night is not where somebody took it off the board before."""
        held_ms, claimed_ms = self.told.held_until_ms, self.told.claimed_ms
        silenced = held_ms is not None and claimed_ms is not None and claimed_ms < held_ms
        return self.told.priority in SOUNDING and not silenced


@dataclass(frozen=True, slots=True)
class Episode:
    """One happening, judged."""

    happening: Happening
    result: EventResult
    told: Told | None = None
    """The telling that answered it."""
    rule: str = ""
    first_good_ms: int | None = None
    """The first good reading of a metric that can show it."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """A whole recording, judged."""

    known: Known
    outcome: Outcome
    expectations: Expectations
    pack: RulePack
    """Whose rules spoke."""
    episodes: tuple[Episode, ...]
    """Those that ask for an alert, in order of time."""
    tellings: tuple[Telling, ...]

    def of(self, whose: Literal["person", "gateway"]) -> tuple[Episode, ...]:
        """Those of people, or those of gateways."""
        kinds = self.expectations.kinds
        return tuple(each for each in self.episodes if kinds[each.happening.kind].of == whose)


@dataclass(slots=True)
class _Open:
    """A happening while tellings come in."""

    happening: Happening
    expectation: Expectation
    answer: tuple[Told, str] | None = None
    low: tuple[Told, str] | None = None
    """Told below the priority it asks for."""
    rank: int = len(RANK)
    """Most urgent of what was told of it."""

    @property
    def ends_ms(self) -> int:
        return self.happening.end_ms + int(self.expectation.after_end_s * 1000)

    @property
    def deadline_ms(self) -> int:
        in_time_s = self.expectation.in_time_s
        return self.ends_ms if in_time_s is None else self.happening.onset_ms + int(in_time_s * 1000)

    def holds(self, moment_ms: int) -> bool:
        return self.happening.onset_ms <= moment_ms <= self.ends_ms


def compare_with_truth(
    known: Known, outcome: Outcome, *, expectations: Expectations, pack: RulePack, reference: RulePack | None = None
) -> Episodes:
    """Judge every happening and every telling.

    `pack` says which rules could speak. `reference` says where their limits stand, so that two packs are held to the
    same; rules that it does not have are taken from `pack`.
    """
    reach = Reach(known, pack, reference=reference or pack, tolerance=expectations.tolerance)
    of_subject: defaultdict[str, list[_Open]] = defaultdict(list)
    for happening in known.happenings:
        expectation = expectations.kinds[happening.kind]
        name = happening.gateway if expectation.of == "gateway" else happening.subject
        of_subject[f"{expectation.of} {name}"].append(_Open(happening, expectation))
    tellings = tuple(
        _judge(alert, told, _concerned(of_subject, alert), reach)
        for told, alert in sorted(
            ((told, alert) for alert in outcome.alerts for told in alert.told),
            key=lambda pair: (pair[0].at_ms, pair[1].village, pair[1].alert),
        )
    )
    standing = _standing(outcome)
    episodes = [
        _episode(each, standing, reach, known, open_ms=int(expectations.budget.open_for_s * 1000))
        for group in of_subject.values()
        for each in group
        if each.expectation.required
    ]
    episodes.sort(key=lambda each: (each.happening.onset_ms, each.happening.village, each.happening.id))
    return Episodes(known, outcome, expectations, pack, tuple(episodes), tellings)


def _concerned(of_subject: dict[str, list[_Open]], alert: Alert) -> list[_Open]:
    return [*of_subject.get(f"person {alert.subject}", ()), *of_subject.get(f"gateway {alert.gateway}", ())]


def _judge(alert: Alert, told: Told, concerned: list[_Open], reach: Reach) -> Telling:
    own_ms = _own_ms(told)
    around = [each for each in concerned if each.holds(own_ms)]
    answered = [each for each in around if alert.rule in each.expectation.raises]
    allowed = [each for each in around if alert.rule in each.expectation.may_raise]
    rank = RANK[told.priority]
    if answered or allowed:
        new = [each for each in answered if each.answer is None]
        for each in answered:
            _credit(each, alert, told)
        rose = any(rank < each.rank for each in answered)
        result = TellingResult.RIGHT if new or not answered else TellingResult.ROSE if rose else TellingResult.AGAIN
        for each in answered:
            each.rank = min(each.rank, rank)
        return Telling(alert, told, result, tuple(each.happening.id for each in answered or allowed))
    span = {"from_ms": own_ms, "to_ms": own_ms + 1}
    if reach.reached(alert.rule, alert.subject, **span) or reach.silent(alert.rule, alert.gateway, **span):
        return Telling(alert, told, TellingResult.RIGHT_OUTSIDE)
    beside = min((each.happening.kind.value for each in around), default="")
    return Telling(alert, told, TellingResult.FALSE, beside=beside)


def _credit(happening: _Open, alert: Alert, told: Told) -> None:
    """Late data counts less by the county's own rule; late it is, and not too low."""
    asked = RANK[happening.expectation.priority_of(happening.happening)]
    if RANK[told.priority] <= asked or told.late:
        happening.answer = happening.answer or (told, alert.rule)
    else:
        happening.low = happening.low or (told, alert.rule)


def _own_ms(told: Told) -> int:
    """Its own time, unless that cannot be: in the future, or more than 31 days old."""
    return told.own_ms if told.at_ms - 31 * _DAY_MS <= told.own_ms <= told.at_ms + _HOUR_MS else told.at_ms


def _standing(outcome: Outcome) -> dict[tuple[str, str], list[Alert]]:
    standing: defaultdict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in outcome.alerts:
        standing[alert.rule, alert.subject].append(alert)
        if alert.gateway != alert.subject:
            standing[alert.rule, alert.gateway].append(alert)
    return standing


def _episode(
    each: _Open, standing: dict[tuple[str, str], list[Alert]], reach: Reach, known: Known, *, open_ms: int
) -> Episode:
    happening, expectation = each.happening, each.expectation
    shown = (ms for metric, ms in happening.first_good_ms.items() if metric in expectation.measured_by)
    first_good_ms = min(shown, default=None)
    if each.answer is not None:
        told, rule = each.answer
        late = told.late or told.at_ms > each.deadline_ms
        return Episode(happening, EventResult.LATE if late else EventResult.FOUND, told, rule, first_good_ms)
    if not _due(each, known):
        return Episode(happening, EventResult.NOT_DUE)
    open_alert = _still_open(each, standing, open_ms=open_ms)
    if open_alert is not None:
        return Episode(happening, EventResult.FOUND_OPEN, open_alert.told[-1], open_alert.rule, first_good_ms)
    if each.low is not None:
        return Episode(happening, EventResult.BELOW_PRIORITY, *each.low, first_good_ms)
    return Episode(happening, _why_missed(each, reach), first_good_ms=first_good_ms)


def _due(each: _Open, known: Known) -> bool:
    happening, expectation = each.happening, each.expectation
    long_enough = happening.end_ms - happening.onset_ms >= expectation.least_s * 1000
    warm = happening.onset_ms - known.manifest.starts_ms >= expectation.warm_up_s * 1000
    return long_enough and warm and each.deadline_ms <= known.manifest.ends_ms


def _still_open(each: _Open, standing: dict[tuple[str, str], list[Alert]], *, open_ms: int) -> Alert | None:
    """An alert told in the day before that nobody had closed when this began, urgent enough: recurrence joins it."""
    happening, expectation = each.happening, each.expectation
    name = happening.gateway if expectation.of == "gateway" else happening.subject
    asked = RANK[expectation.priority_of(happening)]
    for rule in expectation.raises:
        for alert in standing.get((rule, name), ()):
            told = [told for told in alert.told if told.at_ms <= happening.onset_ms and RANK[told.priority] <= asked]
            still = alert.closed_ms is None or alert.closed_ms >= happening.onset_ms
            if told and still and happening.onset_ms - told[-1].at_ms <= open_ms:
                return alert
    return None


def _why_missed(each: _Open, reach: Reach) -> EventResult:
    happening, expectation = each.happening, each.expectation
    if not any(map(reach.speaking, expectation.raises)):
        return EventResult.WITHOUT_RULE
    if expectation.of == "gateway":
        return EventResult.NOT_RAISED
    if not any(happening.readings.get(metric) for metric in expectation.measured_by):
        return EventResult.UNMEASURED
    if not reach.could_see(expectation.raises, happening):
        return EventResult.WITHOUT_RULE
    if not any(happening.good.get(metric) for metric in expectation.measured_by):
        return EventResult.SPOILT
    from_ms, to_ms = happening.onset_ms, max(happening.end_ms, happening.onset_ms + 1)
    speaking = [rule for rule in expectation.raises if reach.speaking(rule)]
    if all(reach.never_reached(rule, happening.subject, from_ms=from_ms, to_ms=to_ms) for rule in speaking):
        return EventResult.NOT_REACHED
    return EventResult.NOT_RAISED
