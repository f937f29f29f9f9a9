"""The way of a finding to an alert event: small stages in a line, each answering with a named reason that is stored.

`build_pipeline` is the picture: evaluate, confirm, group, inhibit, route. Notification follows the event, not the
finding. Stages are pure: everything they need is in the case.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial, reduce

from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.state import RANK, AlertState, Grouping, Reopening, reopening
from kanhu.contract import Finding, Phase, Priority


class Reason(StrEnum):
    """Every answer a stage can give."""

    # evaluate
    LIVE = "live"
    LATE = "late"
    WORKLIST = "worklist"
    AGE_UNKNOWN = "age_unknown"
    # confirm
    CONFIRMED_BY_GATEWAY = "confirmed_by_gateway"
    CONFIRMED_BY_COUNTY = "confirmed_by_county"
    CONDITION_ENDED = "condition_ended"
    # group
    NEW_ALERT = "new_alert"
    SAME_ALERT = "same_alert"
    RECURRED = "recurred"
    LEVEL_ROSE = "level_rose"
    CALLED_AGAIN = "called_again"  # also of inhibit
    # inhibit
    NOT_INHIBITED = "not_inhibited"
    ALERT_CLOSED = "alert_closed"
    RETURNED = "returned"
    # route
    AT_ONCE = "at_once"
    LIVES_ALONE = "lives_alone"
    HELD_FOR_NIGHT = "held_for_night"
    DAY_LIST = "day_list"


class Judge(StrEnum):
    """Where a finding was judged."""

    GATEWAY = "gateway"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Case:
    """One finding on its way, with what is known about it."""

    finding: Finding
    judge: Judge
    now_ms: int
    at_ms: int | None
    """When it happened by the county's clock; None where the gateway's clock cannot be believed."""
    lives_alone: bool
    known: AlertState | None
    """The alert so far, where its id is known."""
    kin: AlertState | None
    """The open alert of the same subject and rule, where the id is new."""
    priority: Priority
    late: bool = False
    held_until_ms: int | None = None
    grouping: Grouping | None = None
    """Why it joins its kin."""
    stages: tuple[tuple[str, str], ...] = ()


Stage = Callable[[Case], Case]


def build_pipeline(policy: Policy) -> Callable[[Case], Case]:
    """All stages, in order."""
    stages: tuple[Stage, ...] = (
        partial(evaluate, policy),
        confirm,
        group,
        inhibit,
        partial(route, policy),
    )
    return lambda case: reduce(lambda so_far, stage: stage(so_far), stages, case)


def evaluate(policy: Policy, case: Case) -> Case:
    """Late data never pages as if live; where the age is not known it counts as live, which is the safe side."""
    if case.at_ms is None:
        return _answer(case, "evaluate", Reason.AGE_UNKNOWN)
    age_ms = case.now_ms - case.at_ms
    if case.priority is not Priority.TECHNICAL and age_ms > policy.worklist_ms:
        return _answer(case, "evaluate", Reason.WORKLIST, priority=Priority.LOW, late=True)
    if case.priority is Priority.HIGH and age_ms > policy.late_ms:
        return _answer(case, "evaluate", Reason.LATE, priority=Priority.MEDIUM, late=True)
    return _answer(case, "evaluate", Reason.LIVE)


def confirm(case: Case) -> Case:
    """One judge a rule: what the gateway confirmed is not judged again."""
    if case.finding.phase is Phase.END:
        return _answer(case, "confirm", Reason.CONDITION_ENDED)
    by_gateway = case.judge is Judge.GATEWAY
    return _answer(case, "confirm", Reason.CONFIRMED_BY_GATEWAY if by_gateway else Reason.CONFIRMED_BY_COUNTY)


def group(case: Case) -> Case:
    """The same alert id is the same alert, and so is what recurs while it is open; a high one is told again."""
    if case.known is not None:
        rose = RANK[case.priority] < RANK[case.known.priority]
        return _answer(case, "group", Reason.LEVEL_ROSE if rose else Reason.SAME_ALERT)
    if case.kin is None:
        return _answer(case, "group", Reason.NEW_ALERT)
    grouping = Grouping.RECURRED
    if RANK[case.priority] < RANK[case.kin.priority]:
        grouping = Grouping.LEVEL_ROSE
    elif case.priority is Priority.HIGH and case.finding.phase is not Phase.END:
        grouping = Grouping.CALLED_AGAIN
    return dataclasses.replace(_answer(case, "group", Reason(grouping.value)), grouping=grouping)


def inhibit(case: Case) -> Case:
    """A closed alert stays closed, unless it calls again, rises in level, or had ended and is back."""
    known = case.known
    if known is None or known.closed_ms is None:
        return _answer(case, "inhibit", Reason.NOT_INHIBITED)
    back: Reopening | None = reopening(
        known,
        phase=case.finding.phase,
        priority=case.priority,
        reason=case.finding.reason,
        own_ms=case.now_ms if case.at_ms is None else case.at_ms,
    )
    return _answer(case, "inhibit", Reason.ALERT_CLOSED if back is None else Reason(back.value))


def route(policy: Policy, case: Case) -> Case:
    """Medium at night is told at once only where the person lives alone; the board shows it always."""
    if case.priority is Priority.LOW:
        return _answer(case, "route", Reason.DAY_LIST)
    night_ends_ms = policy.night_ends_ms(case.now_ms)
    if case.priority is not Priority.MEDIUM or night_ends_ms is None:
        return _answer(case, "route", Reason.AT_ONCE)
    if case.lives_alone:
        return _answer(case, "route", Reason.LIVES_ALONE)
    return _answer(case, "route", Reason.HELD_FOR_NIGHT, held_until_ms=night_ends_ms)


def _answer(
    case: Case,
    stage: str,
    reason: Reason,
    *,
    priority: Priority | None = None,
    late: bool | None = None,
    held_until_ms: int | None = None,
) -> Case:
    return dataclasses.replace(
        case,
        stages=(*case.stages, (stage, reason.value)),
        priority=case.priority if priority is None else priority,
        late=case.late if late is None else late,
        held_until_ms=held_until_ms,
    )
