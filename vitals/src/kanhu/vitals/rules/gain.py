"""Rules about weight gained within days: each scale against its own mornings, once for each gain."""

from datetime import tzinfo
from decimal import Decimal

import msgspec

from kanhu.contract import Observation, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.moment import local_time
from kanhu.vitals.rules.episode import Alert, number_text, point_of, raised
from kanhu.vitals.rules.records import GainTrigger, Rule
from kanhu.vitals.weight import GainDetector, WeightReason, WeightSettings

_ANSWERED = {
    WeightReason.ALREADY_SAID: DecisionReason.ALREADY_RAISED,
    WeightReason.AS_USUAL: DecisionReason.AS_USUAL,
    WeightReason.LEARNING: DecisionReason.LEARNING,
    WeightReason.NOT_MORNING: DecisionReason.NOT_APPLICABLE,
    WeightReason.JUMP: DecisionReason.NOT_CONFIRMED,
    WeightReason.NO_VALUE: DecisionReason.NO_VALUE,
    WeightReason.OUT_OF_RANGE: DecisionReason.OUT_OF_RANGE,
    WeightReason.CLOCK_UNSET: DecisionReason.CLOCK_UNSET,
    WeightReason.DUPLICATE: DecisionReason.DUPLICATE,
    WeightReason.OUT_OF_ORDER: DecisionReason.OUT_OF_ORDER,
}


class GainState(msgspec.Struct, frozen=True, array_like=True, tag="gain"):
    """What the detector of weight keeps, and the last alert."""

    mornings: bytes = b""
    alert: Alert | None = None


def judge_gain(
    rule: Rule, trigger: GainTrigger, *, state: GainState, observation: Observation, timezone: tzinfo
) -> tuple[GainState, list[Decision]]:
    """One weighing."""
    if observation.quality.level is QualityLevel.UNUSABLE:
        return state, [Decision(rule.id, DecisionReason.QUALITY_UNUSABLE)]
    if observation.quality.level is QualityLevel.QUESTIONABLE:
        return state, [Decision(rule.id, DecisionReason.QUALITY_QUESTIONABLE)]
    weight, at = observation.value(trigger.metric), local_time(observation, timezone)
    if weight is None or at is None:
        missing = DecisionReason.NO_VALUE if weight is None else DecisionReason.CLOCK_UNSET
        return state, [Decision(rule.id, missing)]
    detector = _detector(trigger, state.mornings)
    answer = detector.update(float(weight), at, scale=observation.device)
    state = msgspec.structs.replace(state, mornings=detector.state())
    if answer.reason is not WeightReason.GAINED or answer.weight_kg is None or answer.before_kg is None:
        return state, [Decision(rule.id, _ANSWERED[answer.reason])]
    alert, decision = raised(
        rule,
        observation,
        last=state.alert,
        priority=rule.priority,
        reasons=(DecisionReason.CONFIRMED, DecisionReason.RECURRED),
        points=(point_of(observation, (trigger.metric,)),),
        params={
            "value": _kg(answer.weight_kg),
            "before": _kg(answer.before_kg),
            "gain": _kg(answer.weight_kg - answer.before_kg),
            "limit": number_text(trigger.gain),
            "days": str(trigger.days),
        },
    )
    return msgspec.structs.replace(state, alert=alert), [decision]


def _detector(trigger: GainTrigger, mornings: bytes) -> GainDetector:
    settings = WeightSettings(
        gain_kg=float(trigger.gain),
        days=trigger.days,
        over_kg=float(trigger.over),
        morning_h=(trigger.from_hour, trigger.to_hour),
    )
    try:
        return GainDetector(settings, state=mornings)
    except StateRefused:  # damaged: mornings are gathered anew
        return GainDetector(settings)


def _kg(value: float) -> str:
    return number_text(Decimal(str(round(value, 1))))
