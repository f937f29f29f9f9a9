"""Judges readings that were assigned to a person, as their gateway would have, had it known whose they were.

    assign ──▶ these readings, the person's own around them ──▶ the rules of the gateway, afresh ──▶ alert pipeline

An alert that comes of it is as late as its readings are. Only what an assigned reading helped to decide counts: of the
person's own readings the gateway has told.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, select

from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.pipeline import Judge as JudgedBy
from kanhu.cloud.ingest.when import county_time_ms, last_heartbeat
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.nameless import SessionKey, is_of_an_arm, of_resident, of_session
from kanhu.cloud.ledger.segments import records_between
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import split_tags
from kanhu.contract import Finding, Observation, Subject, SubjectKind
from kanhu.vitals import Judge, Profile, Runs, profile_from_tags

__all__ = ["judge_session"]

_TABLE = schema.nameless
_NEIGHBOURS = 600
"""Records of the same outbox before and behind a session in which the readings that belong to it are looked for."""
_LAST_NUMBER = 2**63 - 1

_Reading = tuple[str, str, int]
"""What evidence names a reading by: device, boot and monotonic time."""


def judge_session(transaction: Transaction, intake: Intake, key: SessionKey) -> None:
    """Raise what the rules find in a session that is a resident's now."""
    connection = transaction.connection
    row = _row(connection, key)
    if row is None:
        return
    resident, first, last = row
    judge = Judge(intake.pack, Runs.GATEWAY, {resident: _profile(connection, resident)}, intake.policy.timezone)
    heartbeat = last_heartbeat(connection, key.gateway)
    assigned: set[_Reading] = set()
    for observation, was_assigned in _stream(connection, key, resident, first=first, last=last):
        if was_assigned:
            assigned.add((observation.device, observation.times.boot, observation.times.mono_ns))
        for decision in judge.judge(observation):
            if decision.finding is not None and _is_decided_by(decision.finding, assigned):
                at_ms = county_time_ms(decision.finding.times, heartbeat, now_ms=transaction.now_ms)
                intake.take(transaction, decision.finding, gateway=key.gateway, at_ms=at_ms, judge=JudgedBy.COUNTY)


def _profile(connection: Connection, resident: str) -> Profile:
    """What the register says; a limit that a clinician set for this person is known at their gateway only."""
    tags = connection.execute(select(schema.resident.c.tags).where(schema.resident.c.id == resident)).scalar()
    return profile_from_tags(resident, split_tags(tags or ""))


def _row(connection: Connection, key: SessionKey) -> tuple[str, int, int] | None:
    """Whose the session is, and its span of sequence numbers; None where it is nobody's."""
    row = connection.execute(
        select(_TABLE.c.resident, _TABLE.c.first, _TABLE.c.last).where(of_session(_TABLE, key))
    ).first()
    return None if row is None or row.resident is None else (row.resident, row.first, row.last)


def _stream(
    connection: Connection, key: SessionKey, resident: str, *, first: int, last: int
) -> Iterator[tuple[Observation, bool]]:
    """The person's readings around a session in the order of their outbox, and whether each was assigned."""
    sessions = connection.execute(
        select(_TABLE.c.subject).where(
            _TABLE.c.gateway == key.gateway, _TABLE.c.epoch == key.epoch, _TABLE.c.resident == resident
        )
    ).scalars()
    theirs = {Subject(SubjectKind.UNIDENTIFIED, session) for session in sessions}
    own = Subject(SubjectKind.RESIDENT, resident)
    around = {"first": max(0, first - _NEIGHBOURS), "last": min(last + _NEIGHBOURS, _LAST_NUMBER)}
    for _, record in records_between(connection, gateway=key.gateway, epoch=key.epoch, **around):
        if isinstance(record, Observation) and record.subject in theirs and is_of_an_arm(record):
            yield of_resident(record, resident), True
        elif isinstance(record, Observation) and record.subject == own:
            yield record, False


def _is_decided_by(finding: Finding, assigned: AbstractSet[_Reading]) -> bool:
    return any((each.device, each.boot, each.mono_ns) in assigned for each in finding.evidence)
