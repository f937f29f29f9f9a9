"""Rules about events: one is enough, at once, and only a person ends the alert.

    nothing ── press ──▶ called ── "I am fine" within `dedupe_s` ──▶ called off ── press ──▶ called, a new alert
       └────── "I am fine", nobody had called: counts as a press ──▲

Calling off ends the condition under the same alert id; the county still has a person close it.
"""

import msgspec

from kanhu.contract import Observation, Phase, Priority, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import moment_of
from kanhu.vitals.rules.episode import Alert, point_of, raised, told, within
from kanhu.vitals.rules.records import EventTrigger, Rule


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
    if point.values[0][1] <= 0:
        return state, [Decision(rule.id, DecisionReason.RELEASED)]
    doubted = observation.quality.level is QualityLevel.QUESTIONABLE
    priority: Priority = trigger.questionable_priority if doubted else rule.priority
    last = state.alert
    fine = point.values[0][1] == trigger.fine_step and not doubted
    if fine and last is not None and within(last.started, moment_of(observation), rule.dedupe_s):
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
