"""Whether a person's true values had reached the limit of a rule, and which readings a rule looks at."""

from collections.abc import Mapping
from decimal import Decimal

from kanhu.contract import METRICS
from kanhu.firmware_sim.truth import Happening, Person
from kanhu.harness.scoring.recorded import Known
from kanhu.vitals import Rule, RulePack, profile_from_tags, unknown_tag
from kanhu.vitals.rules.limits import Bound, bounds_for
from kanhu.vitals.rules.records import SilenceTrigger, ThresholdTrigger, TrendTrigger, heard_metrics

__all__ = ["Reach"]


class Reach:
    """Answers for one recording and one rule pack."""

    def __init__(self, known: Known, pack: RulePack, *, reference: RulePack, tolerance: Mapping[str, float]) -> None:
        """`pack` speaks, `reference` says where limits stand; `tolerance` is the readings' own error, by metric."""
        self._known = known
        self._pack = pack
        self._reference = reference
        self._tolerance = {metric: Decimal(str(value)) for metric, value in tolerance.items()}
        self._bounds: dict[tuple[str, str], tuple[Bound, ...]] = {}

    def speaking(self, rule_id: str) -> Rule | None:
        """A rule that may raise; one in shadow raises nothing."""
        rule = self._pack.rule(rule_id)
        return rule if rule is not None and rule.approved() else None

    def could_see(self, rule_ids: tuple[str, ...], happening: Happening) -> bool:
        """Whether a rule that may speak was given anything of what was read."""
        read = _with_parts(happening.readings)
        rules = [rule for rule in map(self.speaking, rule_ids) if rule is not None]
        return any(isinstance(rule.trigger, SilenceTrigger) or not read.isdisjoint(_looks_at(rule)) for rule in rules)

    def never_reached(self, rule_id: str, subject: str, *, from_ms: int, to_ms: int) -> bool:
        """Whether true values of this span are known, and none stood at the threshold's limit."""
        bounds = self._bounds_of(rule_id, subject)
        known = any(
            bound.metric in day.values
            for day in self._known.extremes.get(subject, ())
            if day.from_ms < to_ms and from_ms < day.to_ms
            for bound in bounds
        )
        return known and not self.reached(rule_id, subject, from_ms=from_ms, to_ms=to_ms)

    def reached(self, rule_id: str, subject: str, *, from_ms: int, to_ms: int) -> bool:
        """Whether true values stood at a threshold's limit on a day of this span; False for rules without a limit."""
        bounds = self._bounds_of(rule_id, subject)
        return any(
            self._stands(bound, *day.values[bound.metric])
            for day in self._known.extremes.get(subject, ())
            if day.from_ms < to_ms and from_ms < day.to_ms
            for bound in bounds
            if bound.metric in day.values
        )

    def silent(self, rule_id: str, gateway: str, *, from_ms: int, to_ms: int) -> bool:
        """Whether a gateway truly was not to be heard, for a rule that listens for silence."""
        rule = self._limits_of(rule_id)
        return (
            rule is not None
            and isinstance(rule.trigger, SilenceTrigger)
            and any(
                silence.gateway == gateway and silence.from_ms < to_ms and from_ms <= silence.to_ms
                for silence in self._known.silences
            )
        )

    def _limits_of(self, rule_id: str) -> Rule | None:
        return self._reference.rule(rule_id) or self._pack.rule(rule_id)

    def _stands(self, bound: Bound, lowest: float, highest: float) -> bool:
        error = self._tolerance.get(bound.metric, Decimal(0))
        low, high = Decimal(str(lowest)) - error, Decimal(str(highest)) + error
        return bound.reached_low(low) or bound.reached(high)

    def _bounds_of(self, rule_id: str, subject: str) -> tuple[Bound, ...]:
        key = (rule_id, subject)
        if key not in self._bounds:
            rule = self._limits_of(rule_id)
            trigger = rule.trigger if rule is not None else None
            profile = profile_from_tags(subject, _tags(self._known.people.get(subject)))
            self._bounds[key] = (
                tuple(bound for metric in trigger.metrics for bound in bounds_for(trigger, profile, heard=metric))
                if isinstance(trigger, ThresholdTrigger)
                else ()
            )
        return self._bounds[key]


def _tags(person: Person | None) -> tuple[str, ...]:
    return tuple(tag for tag in person.tags if unknown_tag([tag]) is None) if person is not None else ()


def _looks_at(rule: Rule) -> frozenset[str]:
    match rule.trigger:
        case TrendTrigger(vitals=vitals):
            return frozenset(vital.metric for vital in vitals)
        case trigger:
            return frozenset(heard_metrics(trigger))


def _with_parts(readings: Mapping[str, int]) -> frozenset[str]:
    parts = (part for code, taken in readings.items() if taken and code in METRICS for part in METRICS[code].parts)
    return frozenset(code for code, taken in readings.items() if taken).union(parts)
