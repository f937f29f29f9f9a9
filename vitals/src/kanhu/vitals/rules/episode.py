"""The life of one alert on the spot: raised, continued, cleared, and the finding that says so each time.

A finding with phase `start` is the only one with a new alert id; `continue` and `end` name an alert already raised.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from kanhu.contract import Evidence, Finding, Observation, Phase, Priority, alert_id, metric
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import Moment, elapsed_ms, moment_of
from kanhu.vitals.rules.records import Rule, Seconds

_MS_PER_S = 1000
_MS_PER_MINUTE = 60_000


class Alert(msgspec.Struct, frozen=True, array_like=True):
    """The last alert of one rule for one subject."""

    id: str
    priority: Priority
    started: Moment
    touched: Moment
    """The last good reading at the limit."""
    open: bool
    count: int = 1
    """How often it was raised or pressed again."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One reading that counts, with the values that count."""

    moment: Moment
    values: tuple[tuple[str, int], ...]
    """Metric and steps."""

    def __post_init__(self) -> None:
        """Refuse what no finding could carry: stored state is read back into this."""
        for piece in self.evidence():
            metric(piece.metric)

    def evidence(self) -> tuple[Evidence, ...]:
        """The same, for a finding."""
        at = self.moment
        return tuple(
            Evidence(code, steps, at.device, at.boot, at.mono_ns, at.arrival_ms) for code, steps in self.values
        )


def point_of(observation: Observation, codes: Iterable[str]) -> Point:
    """The named single values of a reading; those it does not have are left out."""
    values = ((code, observation.series(code)) for code in codes)
    return Point(moment_of(observation), tuple((code, steps[0]) for code, steps in values if len(steps) == 1))


def within(earlier: Moment, later: Moment, limit_s: Seconds) -> bool:
    """Whether at most so much time passed; not where nobody knows."""
    passed = elapsed_ms(earlier, later)
    return passed is not None and passed <= limit_s * _MS_PER_S


def raised(
    rule: Rule,
    observation: Observation,
    *,
    last: Alert | None,
    priority: Priority,
    reasons: tuple[DecisionReason, DecisionReason],
    points: tuple[Point, ...],
    params: dict[str, str],
) -> tuple[Alert, Decision]:
    """A new alert, or the last one again where it began within the rule's `dedupe_s`.

    `reasons` are those for a new alert and for the same again.
    """
    now = moment_of(observation)
    evidence = tuple(piece for point in points for piece in point.evidence())
    if last is not None and within(last.started, now, rule.dedupe_s):
        worst = Priority.HIGH if Priority.HIGH in {last.priority, priority} else priority
        alert = msgspec.structs.replace(last, open=True, touched=now, priority=worst)
        reason, phase = reasons[1], Phase.CONTINUE
    else:
        new_id = alert_id(observation.subject, rule.id, evidence[0])
        alert = Alert(new_id, priority, points[0].moment, now, True)
        reason, phase = reasons[0], Phase.START
    return alert, told(rule, observation, alert=alert, phase=phase, reason=reason, evidence=evidence, params=params)


def told(
    rule: Rule,
    observation: Observation,
    *,
    alert: Alert,
    phase: Phase,
    reason: DecisionReason,
    evidence: tuple[Evidence, ...],
    params: dict[str, str],
) -> Decision:
    """The decision with its finding."""
    finding = Finding(
        alert_id=alert.id,
        rule=rule.id,
        rule_version=rule.version,
        subject=observation.subject,
        priority=alert.priority,
        phase=phase,
        reason=reason.value,
        times=observation.times,
        evidence=evidence,
        params=params,
    )
    return Decision(rule.id, reason, finding)


def number_text(value: Decimal) -> str:
    """An exact number as people write it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def minutes_text(passed_ms: int | None) -> str:
    """Whole minutes, at least one; the shortest that is sure where nobody knows."""
    return str(max(1, round((passed_ms or 0) / _MS_PER_MINUTE)))
