"""What a rule has to keep that takes the place of a shipped one: numbers and words may differ, and nothing else."""

from kanhu.contract import Priority
from kanhu.vitals.errors import PackRefused
from kanhu.vitals.rules.records import (
    AlarmTrigger,
    ClockTrigger,
    EventTrigger,
    FloodTrigger,
    GainTrigger,
    IdentityTrigger,
    RhythmTrigger,
    Rule,
    SilenceTrigger,
    ThresholdTrigger,
    TrendTrigger,
    Trigger,
)

_KEPT = ("runs", "kind", "population", "context")
_WAYS = ("confirm", "clear")
_SIDES = ("at_or_below", "at_or_above", "chronic_lung_below", "high_at_or_below")
_URGENCY = tuple(Priority)
"""As IEC 60601-1-8 orders them, the most urgent first; what is technical calls nobody to a person."""


def check_replacement(theirs: Rule, ours: Rule) -> None:
    """Refuse a rule that would hear or say less than the shipped one, other than by its numbers.

    Raises:
        PackRefused: names rule, field and what the shipped rule says.
    """
    for field in _KEPT:
        _same(theirs, field, getattr(theirs, field), getattr(ours, field))
    for field in _WAYS:
        ways = (getattr(each, field).__struct_config__.tag for each in (theirs, ours))
        _same(theirs, f"{field}.mode", *ways)
    heard, shipped = _heard(theirs.trigger), _heard(ours.trigger)
    for field, expected in shipped.items():
        _same(theirs, f"trigger.{field}", heard.get(field), expected)
    urgency, least = _urgency(theirs), _urgency(ours)
    for field, priority in least.items():
        if _URGENCY.index(urgency[field]) > _URGENCY.index(priority):
            problem = f"{urgency[field]} is lower than the shipped rule's"
            raise PackRefused(theirs.id, field, problem, remedy=f'write "{priority}", or a higher one')
    if ours.approved() and not theirs.approved():
        raise PackRefused(theirs.id, "approved_by", "empty: the rule would say nothing", remedy="say who approved it")


def _same(rule: Rule, field: str, found: object, shipped: object) -> None:
    if found != shipped:
        raise PackRefused(rule.id, field, "differs from the shipped rule", remedy=f"write {_words(shipped)}")


def _words(shipped: object) -> str:
    if isinstance(shipped, tuple):
        return ", ".join(_words(each) for each in shipped) or "none"
    return "none" if shipped is None else str(shipped)


def _heard(trigger: Trigger) -> dict[str, object]:
    """What it listens to, by field; the numbers it compares with are left out."""
    match trigger:
        case EventTrigger(metric=metric, fine_step=fine_step):
            return {"metric": metric, "fine_step": fine_step}
        case ThresholdTrigger(metrics=metrics, limits=limits, at_rest=at_rest):
            sides = tuple(
                f"{limit.metric}.{side}" for limit in limits for side in _SIDES if getattr(limit, side) is not None
            )
            return {"metrics": metrics, "at_rest": at_rest, "limits": sides}
        case RhythmTrigger(metric=metric, series=series):
            return {"metric": metric, "series": series}
        case GainTrigger(metric=metric):
            return {"metric": metric}
        case TrendTrigger(vitals=vitals):
            return {"vitals": tuple(f"{vital.metric} in {vital.group}" for vital in vitals)}
        case SilenceTrigger(watch_list=watch_list):
            return {"watch_list": watch_list}
        case AlarmTrigger() | ClockTrigger() | FloodTrigger() | IdentityTrigger():
            return {}


def _urgency(rule: Rule) -> dict[str, Priority]:
    match rule.trigger:
        case EventTrigger(questionable_priority=doubted, again_priority=again):
            told = {"priority": rule.priority, "trigger.questionable_priority": doubted}
            return told | {"trigger.again_priority": again or rule.priority}
        case SilenceTrigger(then=later):
            return {"priority": rule.priority, "trigger.then": later}
        case _:
            return {"priority": rule.priority}
