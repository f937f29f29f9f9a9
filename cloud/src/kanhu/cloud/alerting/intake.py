"""Takes a finding through the pipeline into the log, in the transaction that stored it."""

from collections.abc import Callable

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.pipeline import Case, Judge, build_pipeline
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.state import AlertState, Found
from kanhu.cloud.alerting.texts import texts_of
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import LIVES_ALONE, whereabouts
from kanhu.contract import Finding, record_digest
from kanhu.vitals import RulePack

_MAX_EVIDENCE = 32


class Intake:
    """The pipeline with the county's policy and rule pack."""

    def __init__(self, policy: Policy, pack: RulePack) -> None:
        """Build the pipeline."""
        self.policy = policy
        self.pack = pack
        self._pipeline: Callable[[Case], Case] = build_pipeline(policy)

    def take(
        self, transaction: Transaction, finding: Finding, *, gateway: str, at_ms: int | None, judge: Judge
    ) -> AlertState | None:
        """Log a finding; one that is in the log already changes nothing and answers None."""
        connection = transaction.connection
        where = whereabouts(connection, finding.subject, gateway=gateway)
        case = self._pipeline(
            Case(
                finding=finding,
                judge=judge,
                now_ms=transaction.now_ms,
                at_ms=at_ms,
                lives_alone=LIVES_ALONE in where.tags,
                known=log.read_state(connection, finding.alert_id),
                priority=finding.priority,
            )
        )
        digest = record_digest(finding).hex()
        own_ms = transaction.now_ms if at_ms is None else at_ms
        event = Found(
            phase=finding.phase,
            priority=case.priority,
            said=finding.priority,
            rule=finding.rule,
            rule_version=finding.rule_version,
            subject=finding.subject.id,
            reason=finding.reason,
            stages=case.stages,
            order=(own_ms, finding.times.mono_ns, digest),
            texts=texts_of(self.pack, finding),
            evidence=finding.evidence[-_MAX_EVIDENCE:],
            late=case.late,
            act_within_ms=self.policy.act_within_ms(case.priority, now_ms=transaction.now_ms),
            escalate_ms=transaction.now_ms + self.policy.first_step_ms(case.priority),
            held_until_ms=case.held_until_ms,
            actions=finding.actions,
        )
        state = log.append(transaction, finding.alert_id, event, key=f"finding:{digest}", place=where.place)
        if state is not None:
            count(connection, {f"stage.{stage}.{reason}": 1 for stage, reason in case.stages})
        return state
