"""Takes a finding through the pipeline into the log, in the transaction that stored it.

A finding names its alert. Where that id is known, the finding is of that alert. Where it is new and the same subject
has an open alert of the same rule, it joins that one, and its id stands for it from then on. Else it opens an alert.
"""

import base64
import hashlib
import re
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.pipeline import Case, Judge, build_pipeline
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.state import Acted, AlertState, Foreign, Found, Recurred
from kanhu.cloud.alerting.texts import texts_of
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import LIVES_ALONE, Whereabouts, whereabouts
from kanhu.contract import Finding, record_digest
from kanhu.contract.actions import ACTED_LOCALLY
from kanhu.vitals import RulePack

_MAX_EVIDENCE = 32
_ALERT_ID = re.compile(r"[a-z0-9-]{1,64}")
"""What a route can name: an alert with any other id could be seen and never be taken."""


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
        named, known = _named(connection, finding)
        if known is not None and finding.reason == ACTED_LOCALLY:
            # It tells what was done about an alert that is there: nothing happened anew, so nobody is called by it.
            count(connection, {"stage.group.acted_locally": 1})
            acted = Acted(finding.actions, gateway)
            key = f"finding:{record_digest(finding).hex()}"
            return log.append(transaction, known.alert, acted, key=key, place=known.place)
        kin = None
        if known is None:
            kin = log.open_kin(connection, subject=finding.subject.id, rule=finding.rule, place=where.place)
        case = self._pipeline(
            Case(
                finding=finding,
                judge=judge,
                now_ms=transaction.now_ms,
                at_ms=at_ms,
                lives_alone=LIVES_ALONE in where.tags,
                known=None if known is None else known.state,
                kin=None if kin is None else kin.state,
                priority=finding.priority,
            )
        )
        kept = known or kin
        alert = named if kept is None else kept.alert
        # Only the register moves an alert to another place, never a gateway that knows its id.
        place = where.place if kept is None or where.registered is not None else kept.place
        found = self._found(finding, case, gateway=gateway if judge is Judge.GATEWAY else "")
        if case.grouping is not None:
            joined = Recurred(named, case.grouping, found.act_within_ms, found.escalate_ms)
            log.join(connection, named, to=alert)
            log.append(transaction, alert, joined, key=f"recurred:{named}", place=place)
        state = log.append(transaction, alert, found, key=f"finding:{found.order[2]}", place=place)
        if state is None:
            return None
        count(connection, {f"stage.{stage}.{reason}": 1 for stage, reason in case.stages})
        return _told_of_foreign(transaction, alert, where, gateway=gateway, judge=judge, place=place) or state

    def _found(self, finding: Finding, case: Case, *, gateway: str) -> Found:
        own_ms = case.now_ms if case.at_ms is None else case.at_ms
        return Found(
            phase=finding.phase,
            priority=case.priority,
            said=finding.priority,
            rule=finding.rule,
            rule_version=finding.rule_version,
            subject=finding.subject.id,
            reason=finding.reason,
            stages=case.stages,
            order=(own_ms, finding.times.mono_ns, record_digest(finding).hex()),
            texts=texts_of(self.pack, finding),
            evidence=finding.evidence[-_MAX_EVIDENCE:],
            late=case.late,
            act_within_ms=self.policy.act_within_ms(case.priority, now_ms=case.now_ms),
            escalate_ms=case.now_ms + self.policy.first_step_ms(case.priority),
            held_until_ms=case.held_until_ms,
            actions=finding.actions,
            gateway=gateway,
        )


def _named(connection: Connection, finding: Finding) -> tuple[str, log.Kept | None]:
    """The id that counts, and its alert where there is one.

    An id that no route can name, or that belongs to another subject's or rule's alert, is replaced by one made here:
    the call is raised all the same, and the other alert keeps its person and its place.
    """
    named = finding.alert_id
    known = log.read_alert(connection, named)
    if _ALERT_ID.fullmatch(named) and (known is None or _is_of(known.state, finding)):
        return named, known
    count(connection, {"ingest.alert_ids_replaced": 1})
    key = msgspec.msgpack.encode((named, finding.subject.kind.value, finding.subject.id, finding.rule))
    digest = hashlib.blake2b(key, digest_size=16, person=b"kanhu replaced").digest()
    own = base64.b32encode(digest).decode("ascii").rstrip("=").lower()
    return own, log.read_alert(connection, own)


def _is_of(state: AlertState, finding: Finding) -> bool:
    return state.subject == finding.subject.id and state.rule == finding.rule


def _told_of_foreign(
    transaction: Transaction, alert: str, where: Whereabouts, *, gateway: str, judge: Judge, place: str
) -> AlertState | None:
    if judge is not Judge.GATEWAY or where.registered in {None, gateway}:
        return None
    event = Foreign(gateway, where.registered or "")
    return log.append(transaction, alert, event, key=f"foreign:{gateway}:{where.registered}", place=place)
