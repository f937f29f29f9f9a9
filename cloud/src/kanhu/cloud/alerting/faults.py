"""Equipment that a heartbeat says is broken: one technical alert a part, which ends by itself once it is mended.

                  fault told                   still told after `wait_s`
    [well] ------------------> [waiting] --------------------------------> [raised] -- closed by a person,
       ^                           |                                          |        told for `renew_s` -> raised anew
       +------ not told any more --+------------- not told any more ----------+

A heartbeat that does not speak of the matter, as of another make of gateway, mends nothing and breaks nothing. A
silent gateway says nothing: that is WATCH-LOST's. Deadlines are stored, one a fault, and looked at with the heartbeat
that tells it again, so there is no tick.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.pipeline import Judge
from kanhu.cloud.alerting.policy import SECOND_MS
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import (
    AlarmStatus,
    Clock,
    Evidence,
    Finding,
    Phase,
    Status,
    Subject,
    SubjectKind,
    Times,
    alert_id,
)
from kanhu.vitals import Rule
from kanhu.vitals.rules.records import AlarmTrigger

_FAULT = "fault"
MENDED = "mended"
_MOST_FAULTS = 16
"""Of one gateway: more are counted and not raised, because a gateway that says so is itself the fault."""
_MOST_PART_CHARACTERS = 64  # with a gateway's id before it, it still is the id of a subject
_BETWEEN = " "  # in no id of a gateway, so that no gateway's faults are found under another's
_STANDING = select(schema.timer.c.key, schema.timer.c.due_ms).where(
    schema.timer.c.kind == TimerKind.FAULT.value,
    schema.timer.c.key >= bindparam("first"),
    schema.timer.c.key < bindparam("beyond"),
)
_OPEN = select(schema.alert.c.id).where(
    schema.alert.c.subject == bindparam("of"), schema.alert.c.rule == bindparam("by"), schema.alert.c.is_open == 1
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One part that does not do what it is there for."""

    part: str
    """Under which it is known: the part, or the device."""
    params: dict[str, str]
    """Of the rule's sentence."""
    wait_s: float
    """It has to last so long before anybody is told."""


class Faults:
    """Hears what heartbeats say of equipment."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        """Judge with the county's pack."""
        self._intake = intake
        self._clock = clock
        self._rules = [rule for rule in intake.pack.rules if isinstance(rule.trigger, AlarmTrigger)]

    def heard(self, transaction: Transaction, status: Status) -> None:
        """A live heartbeat of an enrolled gateway."""
        asked = {"first": status.gateway + _BETWEEN, "beyond": status.gateway + chr(ord(_BETWEEN) + 1)}
        standing = {row.key: row.due_ms for row in transaction.connection.execute(_STANDING, asked)}
        for rule in self._rules:
            told = _told(rule, status)
            if rule.approved() and told is not None:
                self._judge(transaction, status.gateway, rule, told, standing)

    def _judge(
        self, transaction: Transaction, gateway: str, rule: Rule, told: list[Fault], standing: dict[str, int]
    ) -> None:
        of_rule = _BETWEEN.join((gateway, rule.id, ""))
        if len(told) > _MOST_FAULTS:
            count(transaction.connection, {"ingest.faults_over_limit": len(told) - _MOST_FAULTS})
        now = {of_rule + fault.part[:_MOST_PART_CHARACTERS]: fault for fault in told[:_MOST_FAULTS]}
        for key in standing:
            if key.startswith(of_rule) and key not in now:
                log.drop_timer(transaction.connection, TimerKind.FAULT, key)
                self._mended(transaction, rule, _subject(gateway, key.removeprefix(of_rule)))
        for key, fault in now.items():
            due_ms = standing.get(key)
            if due_ms is None and fault.wait_s > 0:
                self._wait(transaction, key, fault.wait_s)
            elif due_ms is None or due_ms <= transaction.now_ms:
                self._wait(transaction, key, rule.renew_s)
                self._raise(transaction, gateway, rule, fault)

    def _raise(self, transaction: Transaction, gateway: str, rule: Rule, fault: Fault) -> None:
        subject = _subject(gateway, fault.part[:_MOST_PART_CHARACTERS])
        if _open(transaction.connection, rule, subject) is not None:
            return
        first = Evidence(_FAULT, 0, fault.part, gateway, transaction.now_ms, transaction.now_ms)
        finding = Finding(
            alert_id=alert_id(subject, rule.id, first),
            rule=rule.id,
            rule_version=rule.version,
            subject=subject,
            priority=rule.priority,
            phase=Phase.START,
            reason=_FAULT,
            times=Times(transaction.now_ms, self._clock.mono_ns(), self._clock.boot, self._clock.state()),
            evidence=(),
            params=fault.params,
        )
        self._intake.take(transaction, finding, gateway=gateway, at_ms=transaction.now_ms, judge=Judge.COUNTY)

    def _mended(self, transaction: Transaction, rule: Rule, subject: Subject) -> None:
        alert = _open(transaction.connection, rule, subject)
        kept = None if alert is None else log.read_alert(transaction.connection, alert)
        if kept is not None:
            log.append(transaction, kept.alert, Ended(MENDED), key=f"{MENDED}:{transaction.now_ms}", place=kept.place)

    def _wait(self, transaction: Transaction, key: str, seconds: float) -> None:
        due_ms = transaction.now_ms + round(seconds * SECOND_MS)
        log.set_timer(transaction.connection, TimerKind.FAULT, key, due_ms=due_ms)


def _told(rule: Rule, status: Status) -> list[Fault] | None:
    """What this heartbeat says; None where it does not speak of the matter."""
    match rule.trigger:
        case AlarmTrigger(for_s=for_s):
            if not isinstance(status.alarm, AlarmStatus):
                return None
            return [Fault(part, {"part": part, "fault": why}, for_s) for part, why in status.alarm.faults.items()]
        case _:
            return None


def _open(connection: Connection, rule: Rule, subject: Subject) -> str | None:
    return connection.execute(_OPEN, {"of": subject.id, "by": rule.id}).scalar()


def _subject(gateway: str, part: str) -> Subject:
    """A part of a dwelling's equipment: an alert of its own, and one that nobody is unseen behind."""
    return Subject(SubjectKind.DWELLING, f"{gateway}/{part}")
