"""Gateways that came back with a certificate that had run out: who of them is asked about, and the two answers.

    renew, late ──▶ provisional certificate ── confirm ────▶ the next renewal is an ordinary one
                                            ├─ take_away ──▶ revoked
                                            └─ no answer ──▶ not renewed; its end ends the open session too

An answer names the certificate that it is about, so a page that was left open answers no later question. The first
answer stands. One that comes after the end still counts: the gateway asks daily and is let in again.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from kanhu.cloud.alerting.came_back import CONFIRMED, answered, days_late
from kanhu.cloud.alerting.policy import DAY_MS
from kanhu.cloud.authority.enrolment import LATE_DAYS, TakenBack, revoke
from kanhu.cloud.desk.model import ActResult, Viewer
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.area import area_of, inside
from kanhu.cloud.staff.audit import record

_LATE = schema.certificate
_UNANSWERED = and_(_LATE.c.ran_out_ms > 0, _LATE.c.confirmed_ms.is_(None), _LATE.c.revoked_ms.is_(None))
_MOST_ID = 128  # of what the audit keeps of a name that may be anything


@dataclass(frozen=True, slots=True)
class Question:
    """One gateway of which nobody has said yet where it stands."""

    certificate: str
    """Serial number of the provisional one, hex."""
    days: int
    """So long before it came back the one before had run out, rounded up."""
    until_ms: int


def questions(connection: Connection, area: str, *, now_ms: int) -> dict[str, Question]:
    """By gateway, of an area; none about who may not be renewed any more, however it is answered."""
    found = connection.execute(
        select(_LATE.c.gateway, _LATE.c.serial, _LATE.c.issued_ms, _LATE.c.ran_out_ms, _LATE.c.until_ms)
        .join(schema.gateway, schema.gateway.c.id == _LATE.c.gateway)
        .where(_UNANSWERED, _LATE.c.until_ms >= now_ms - LATE_DAYS * DAY_MS, inside(schema.gateway.c.place, area))
    )
    return {row.gateway: Question(row.serial, days_late(row.issued_ms, row.ran_out_ms), row.until_ms) for row in found}


def run_out(connection: Connection, *, now_ms: int) -> list[TakenBack]:
    """What a gateway holds whose provisional certificate ended without an answer: no open session outlives that."""
    unanswered = select(_LATE.c.gateway).where(_UNANSWERED, _LATE.c.until_ms < now_ms).scalar_subquery()
    query = select(_LATE.c.serial, _LATE.c.gateway, _LATE.c.until_ms, _LATE.c.sha256)
    ended = connection.execute(query.where(_LATE.c.gateway.in_(unanswered), _LATE.c.revoked_ms.is_(None)))
    return [TakenBack(int(row.serial, 16), *row[1:]) for row in ended]


def confirm(transaction: Transaction, viewer: Viewer, gateway: str, *, certificate: str) -> ActResult:
    """It stands where it should."""
    result = _asked(transaction, viewer, gateway, certificate)
    if result is ActResult.DONE:
        said = {"confirmed_ms": transaction.now_ms, "confirmed_by": viewer.user}
        transaction.connection.execute(update(_LATE).where(_LATE.c.serial == certificate).values(**said))
        answered(transaction, gateway, word=CONFIRMED, by=viewer.user)
    record(transaction, viewer, act="confirm gateway", about=gateway[:_MOST_ID], result=result.value)
    return result


def take_away(transaction: Transaction, viewer: Viewer, gateway: str, *, certificate: str) -> ActResult:
    """It does not: as `kanhu-cloud gateway revoke`."""
    result = _asked(transaction, viewer, gateway, certificate)
    record(transaction, viewer, act="take gateway away", about=gateway[:_MOST_ID], result=result.value)
    if result is ActResult.DONE:
        revoke(transaction, gateway=gateway, by=viewer.user)
    return result


def _asked(transaction: Transaction, viewer: Viewer, gateway: str, certificate: str) -> ActResult:
    area = area_of(transaction.connection, viewer.place)
    row = transaction.connection.execute(
        select(_LATE.c.confirmed_ms, _LATE.c.revoked_ms)
        .join(schema.gateway, schema.gateway.c.id == _LATE.c.gateway)
        .where(_LATE.c.serial == certificate, _LATE.c.gateway == gateway, _LATE.c.ran_out_ms > 0)
        .where(inside(schema.gateway.c.place, area))
    ).first()
    if row is None:
        return ActResult.NOT_FOUND
    return ActResult.DONE if row.confirmed_ms is None and row.revoked_ms is None else ActResult.NOT_OPEN
