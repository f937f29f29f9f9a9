"""Rules about events: one is enough, at once, and only a person ends the alert."""

import msgspec

from kanhu.contract import Observation, Priority, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import moment_of
from kanhu.vitals.rules.episode import Alert, point_of, raised, within
from kanhu.vitals.rules.records import EventTrigger, Rule


class EventState(msgspec.Struct, frozen=True, array_like=True, tag="event"):
    """The last alert."""

    alert: Alert | None = None


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
