"""What the county itself finds about a part of a gateway's equipment: a technical alert of its own."""

from collections.abc import Mapping

from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.pipeline import Judge
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import Clock, Evidence, Finding, Phase, Subject, SubjectKind, Times, alert_id
from kanhu.vitals import Rule


def part_of(gateway: str, part: str) -> Subject:
    """A part of a dwelling's equipment: an alert of its own, and one that nobody is unseen behind."""
    return Subject(SubjectKind.DWELLING, f"{gateway}/{part}")


def raise_technical(
    transaction: Transaction,
    intake: Intake,
    clock: Clock,
    rule: Rule,
    *,
    gateway: str,
    part: str,
    reason: str,
    params: Mapping[str, str],
) -> None:
    """Raise one alert of this moment about a part; whether one is open is for the caller to see."""
    now_ms, subject = transaction.now_ms, part_of(gateway, part)
    first = Evidence(reason, 0, part, gateway, now_ms, now_ms)
    finding = Finding(
        alert_id=alert_id(subject, rule.id, first),
        rule=rule.id,
        rule_version=rule.version,
        subject=subject,
        priority=rule.priority,
        phase=Phase.START,
        reason=reason,
        times=Times(now_ms, clock.mono_ns(), clock.boot, clock.state()),
        evidence=(),
        params=dict(params),
    )
    intake.take(transaction, finding, gateway=gateway, at_ms=now_ms, judge=Judge.COUNTY)
