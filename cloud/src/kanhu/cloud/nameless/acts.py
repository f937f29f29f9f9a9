"""What staff say of a session of nobody known: it is this person's, it is none of ours, or that was a mistake.

    open ── assign ────▶ a resident's ── take_back ──▶ open
         └─ set_aside ─▶ of none of ours ─ take_back ─▶ open

The first answer stands until it is taken back, whoever gives it. Each act is in the audit, done or not. Alerts that an
assigned reading raised stay open when it is taken back: a named person has to close them.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.ingest.when import timeline_needed
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.nameless import SessionKey, is_of_an_arm, is_one_visit, keep_assigned, of_session
from kanhu.cloud.ledger.segments import received_between
from kanhu.cloud.ledger.values import Reading
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.nameless.judging import judge_session
from kanhu.cloud.nameless.model import Said
from kanhu.cloud.people.area import area_of, inside
from kanhu.cloud.staff.audit import record
from kanhu.contract import Observation, Subject, SubjectKind

__all__ = ["assign", "note_look", "set_aside", "take_back"]

_TABLE = schema.nameless
_MOST_ABOUT = 256  # of what the audit keeps of names that may be anything


def assign(transaction: Transaction, viewer: Viewer, key: SessionKey, *, resident: str, intake: Intake) -> Said:
    """It is this resident's: shown as theirs from now on, and judged by the rules of their gateway."""
    row = _open_row(transaction, viewer, key)
    result = row if isinstance(row, Said) else _assign(transaction, viewer, row, key, resident, intake)
    _note(transaction, viewer, "assign reading", key, result, whom=resident)
    return result


def set_aside(transaction: Transaction, viewer: Viewer, key: SessionKey) -> Said:
    """It is nobody's of ours: a guest's, a trial of the device."""
    row = _open_row(transaction, viewer, key)
    result = row if isinstance(row, Said) else Said.DONE
    if result is Said.DONE:
        _decide(transaction, key, resident=None, decided_ms=transaction.now_ms, decided_by=viewer.user)
    _note(transaction, viewer, "set reading aside", key, result)
    return result


def take_back(transaction: Transaction, viewer: Viewer, key: SessionKey) -> Said:
    """What was said of it was a mistake: it is nobody's again, and can be assigned anew."""
    row = _row(transaction, viewer, key)
    result = Said.NOT_FOUND if row is None else Said.NOT_OPEN if row.decided_ms is None else Said.DONE
    whom = "" if row is None else row.resident or ""
    if result is Said.DONE:
        table = schema.assigned
        transaction.connection.execute(delete(table).where(of_session(table, key)))
        _decide(transaction, key, resident=None, decided_ms=None, decided_by="")
    _note(transaction, viewer, "take reading back", key, result, whom=whom)
    return result


def note_look(transaction: Transaction, viewer: Viewer, key: SessionKey, *, result: str) -> None:
    """Somebody opened this session, or tried to."""
    _note(transaction, viewer, "look reading", key, result)


def _assign(
    transaction: Transaction, viewer: Viewer, row: Row[Any], key: SessionKey, resident: str, intake: Intake
) -> Said:
    connection, table = transaction.connection, schema.resident
    area = area_of(connection, viewer.place)
    known = connection.execute(select(table.c.id).where(table.c.id == resident, inside(table.c.place, area))).first()
    if known is None:
        return Said.NOT_FOUND
    if not is_one_visit(row.first, row.last):
        return Said.TOO_MANY
    readings = _readings(transaction, key, first=row.first, last=row.last)
    keep_assigned(connection, key.subject, resident, readings)
    _decide(transaction, key, resident=resident, decided_ms=transaction.now_ms, decided_by=viewer.user)
    judge_session(transaction, intake, key)
    return Said.DONE


def _readings(transaction: Transaction, key: SessionKey, *, first: int, last: int) -> Sequence[Reading]:
    connection, now_ms = transaction.connection, transaction.now_ms
    subject = Subject(SubjectKind.UNIDENTIFIED, key.subject)
    span = received_between(connection, gateway=key.gateway, epoch=key.epoch, first=first, last=last)
    own = [
        (seq, each, received_ms)
        for seq, each, received_ms in span
        if isinstance(each, Observation) and each.subject == subject and is_of_an_arm(each)
    ]
    timeline = timeline_needed(connection, key.gateway, [(seq, each) for seq, each, _ in own], now_ms=now_ms)
    return [Reading(key.gateway, key.epoch, seq, each, received_ms, timeline) for seq, each, received_ms in own]


def _open_row(transaction: Transaction, viewer: Viewer, key: SessionKey) -> Row[Any] | Said:
    row = _row(transaction, viewer, key)
    if row is None:
        return Said.NOT_FOUND
    return row if row.decided_ms is None else Said.NOT_OPEN


def _row(transaction: Transaction, viewer: Viewer, key: SessionKey) -> Row[Any] | None:
    gateway = schema.gateway
    area = area_of(transaction.connection, viewer.place)
    return transaction.connection.execute(
        select(_TABLE)
        .join(gateway, gateway.c.id == _TABLE.c.gateway)
        .where(of_session(_TABLE, key), inside(gateway.c.place, area))
    ).first()


def _decide(
    transaction: Transaction, key: SessionKey, *, resident: str | None, decided_ms: int | None, decided_by: str
) -> None:
    said = {"resident": resident, "decided_ms": decided_ms, "decided_by": decided_by}
    transaction.connection.execute(update(_TABLE).where(of_session(_TABLE, key)).values(**said))


def _note(transaction: Transaction, viewer: Viewer, act: str, key: SessionKey, result: str, *, whom: str = "") -> None:
    about = " ".join(each[:_MOST_ABOUT] for each in (f"{key.gateway}/{key.subject}", whom) if each)
    record(transaction, viewer, act=act, about=about, result=result)
