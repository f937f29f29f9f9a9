"""Rules about events: one is enough, at once. A call is ended by a person only, a condition by its own end.

    nothing ── press ──▶ called ── "I am fine" within `dedupe_s` ──▶ called off ── press ──▶ called, a new alert
       └────── "I am fine", nobody had called: counts as a press ──▲

Calling off ends the condition under the same alert id; the county still has a person close it. A rule that clears by
readings is about a condition: while it is open the same again says nothing new, and an event of zero ends it.
"""

import msgspec

from kanhu.contract import Observation, Phase, Priority, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import moment_of
from kanhu.vitals.rules.episode import Alert, Point, minutes_text, point_of, raised, told, within
from kanhu.vitals.rules.records import Asked, ByReadings, EventTrigger, Rule

_MS_PER_S = 1000


class EventState(msgspec.Struct, frozen=True, array_like=True, tag="event"):
    """The last alert."""

    alert: Alert | None = None
    called_off: bool = False


def judge_event(
    rule: Rule, trigger: EventTrigger, *, state: EventState, observation: Observation
) -> tuple[EventState, list[Decision]]:
    """Raise at once; a further press within `dedupe_s` of the first adds its evidence to the same alert."""
    if observation.quality.level is QualityLevel.UNUSABLE:
        return state, [Decision(rule.id, DecisionReason.QUALITY_UNUSABLE)]
    point = point_of(observation, (trigger.metric,))
    if isinstance(rule.clear, ByReadings):
        return _condition(rule, trigger, state=state, observation=observation, point=point)
    if point.values[0][1] <= 0:
        return state, [Decision(rule.id, DecisionReason.RELEASED)]
    doubted = observation.quality.level is QualityLevel.QUESTIONABLE
    priority: Priority = trigger.questionable_priority if doubted else rule.priority
    last = state.alert
    fine = point.values[0][1] == trigger.fine_step and not doubted
    if fine and last is not None and within(last.started, moment_of(observation), rule.dedupe_s):
        if state.called_off:  # said once
            return state, [Decision(rule.id, DecisionReason.CALLED_OFF)]
        alert = msgspec.structs.replace(last, open=False)
        decision = told(
            rule,
            observation,
            alert=alert,
            phase=Phase.END,
            reason=DecisionReason.CALLED_OFF,
            evidence=point.evidence(),
            params={"presses": str(alert.count)},
        )
        return EventState(alert, called_off=True), [decision]
    if state.called_off:
        last = None  # who calls after "I am fine" calls anew
    presses = 1
    if last is not None and within(last.started, moment_of(observation), rule.dedupe_s):
        presses = last.count + 1
    alert, decision = raised(
        rule,
        observation,
        last=last,
        priority=priority,
        reasons=(DecisionReason.PRESSED, DecisionReason.REPEATED),
        points=(point,),
        params={"presses": str(presses)},
    )
    return EventState(msgspec.structs.replace(alert, count=presses)), [decision]


def _condition(
    rule: Rule, trigger: EventTrigger, *, state: EventState, observation: Observation, point: Point
) -> tuple[EventState, list[Decision]]:
    """A condition that says by itself that it is over; a doubted end ends nothing."""
    last, doubted = state.alert, observation.quality.level is QualityLevel.QUESTIONABLE
    is_open = last is not None and last.open
    if point.values[0][1] <= 0:
        if last is None or not is_open:
            return state, [Decision(rule.id, DecisionReason.RELEASED)]
        if doubted:
            return state, [Decision(rule.id, DecisionReason.QUALITY_QUESTIONABLE)]
        alert = msgspec.structs.replace(last, open=False)
        evidence = point.evidence()
        decision = told(
            rule,
            observation,
            alert=alert,
            phase=Phase.END,
            reason=DecisionReason.CLEARED,
            evidence=evidence,
            params=_params(rule, point),
        )
        return EventState(alert), [decision]
    if last is not None and is_open and within(last.started, moment_of(observation), rule.dedupe_s):
        again = trigger.again_priority
        if again is None or doubted or last.priority is again:
            return state, [Decision(rule.id, DecisionReason.ALREADY_RAISED)]
        alert = msgspec.structs.replace(last, priority=again, touched=moment_of(observation))
        decision = told(
            rule,
            observation,
            alert=alert,
            phase=Phase.CONTINUE,
            reason=DecisionReason.LEVEL_RAISED,
            evidence=point.evidence(),
            params=_params(rule, point),
        )
        return EventState(alert), [decision]
    alert, decision = raised(
        rule,
        observation,
        last=last,
        priority=trigger.questionable_priority if doubted else rule.priority,
        reasons=(DecisionReason.CONFIRMED, DecisionReason.RECURRED),
        points=(point,),
        params=_params(rule, point),
    )
    return EventState(alert), [decision]


def _params(rule: Rule, point: Point) -> dict[str, str]:
    """The number of the event, and how long the person was asked before where the rule says so."""
    value = {"value": str(point.values[0][1])}
    if not isinstance(rule.confirm, Asked):
        return value | {"presses": "1"}
    return value | {"minutes": minutes_text(round(rule.confirm.prompts * rule.confirm.apart_s * _MS_PER_S))}
