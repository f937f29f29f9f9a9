"""The log of alerts: appends an event, folds it in, renews the deadlines that follow, lengthens the change log.

All in the caller's transaction. Timers are stored deadlines derived from the state alone, so every open alert has an
owner with a recheck or a running escalation, by construction.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or

from kanhu.cloud.alerting.state import AlertState, Event, apply
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.upsert import upsert
from kanhu.cloud.ledger.writer import Transaction

_SET_TIMER = upsert(schema.timer)
_DROP_TIMER = delete(schema.timer).where(
    schema.timer.c.kind == bindparam("of_kind"), schema.timer.c.key == bindparam("of_key")
)
_READ_STATE = select(schema.alert.c.state).where(schema.alert.c.id == bindparam("of"))
_READ_ALERT = select(schema.alert).where(
    (schema.alert.c.id == bindparam("of"))
    | schema.alert.c.id.in_(select(schema.alert_alias.c.alert).where(schema.alert_alias.c.id == bindparam("of")))
)
_ADD_EVENT = insert_or(schema.alert_event).on_conflict_do_nothing()
_KEEP_ALERT = upsert(schema.alert)
_ADD_REVISION = insert(schema.revision)
_FORGET_REVISIONS = delete(schema.revision).where(schema.revision.c.id <= bindparam("upto"))

_state_decoder = msgspec.msgpack.Decoder(AlertState)
_event_decoder = msgspec.msgpack.Decoder(Event)
_encode = msgspec.msgpack.Encoder().encode

SYSTEM = "county"
KEPT_REVISIONS = 10_000
"""How far back a stream can replay; older asks are answered with a reset."""


class TimerKind(StrEnum):
    """What a stored deadline is for; `silence` counts in listened time, the others on the wall."""

    ESCALATE = "escalate"
    RECHECK = "recheck"
    ANNUNCIATE = "annunciate"
    SILENCE = "silence"
    NIGHTLY = "nightly"
    FAULT = "fault"


_OF_ALERTS = (TimerKind.ESCALATE, TimerKind.RECHECK, TimerKind.ANNUNCIATE)


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert as the table keeps it."""

    alert: str
    revision: int
    place: str
    state: AlertState


def read_alert(connection: Connection, alert: str) -> Kept | None:
    """The alert that has this id, or that a finding with this id has joined."""
    row = connection.execute(_READ_ALERT, {"of": alert}).first()
    return None if row is None else Kept(row.id, row.revision, row.place, _state_decoder.decode(row.state))


def open_kin(connection: Connection, *, subject: str, rule: str, place: str) -> Kept | None:
    """The open alert of a subject and rule, the youngest where there are several."""
    table = schema.alert
    row = connection.execute(
        select(table)
        .where(table.c.subject == subject, table.c.rule == rule, table.c.place == place, table.c.is_open == 1)
        .order_by(table.c.opened_ms.desc(), table.c.id)
    ).first()
    return None if row is None else Kept(row.id, row.revision, row.place, _state_decoder.decode(row.state))


def join(connection: Connection, alert: str, *, to: str) -> None:
    """Let findings with this id land on another alert from now on."""
    connection.execute(insert(schema.alert_alias).values(id=alert, alert=to))


def read_state(connection: Connection, alert: str) -> AlertState | None:
    """State of one alert; None where there is none."""
    found = connection.execute(_READ_STATE, {"of": alert}).scalar()
    return None if found is None else _state_decoder.decode(found)


def decode_state(data: bytes) -> AlertState:
    """State as the alert table keeps it."""
    return _state_decoder.decode(data)


def read_events(connection: Connection, alert: str) -> list[tuple[int, str, Event]]:
    """Time, actor and event, oldest first."""
    rows = connection.execute(
        select(schema.alert_event.c.at_ms, schema.alert_event.c.actor, schema.alert_event.c.event)
        .where(schema.alert_event.c.alert == alert)
        .order_by(schema.alert_event.c.id)
    )
    return [(row.at_ms, row.actor, _event_decoder.decode(row.event)) for row in rows]


def append(
    transaction: Transaction, alert: str, event: Event, *, key: str, place: str, actor: str = SYSTEM
) -> AlertState | None:
    """Add an event; one with a key that is there already changes nothing. Answers with the new state, if it is new."""
    connection = transaction.connection
    # The same event by the same key is passed over; what it says was compared when it was stored.
    added = connection.execute(
        _ADD_EVENT,
        {"alert": alert, "at_ms": transaction.now_ms, "actor": actor, "key": key, "event": _encode(event)},
    )
    if added.rowcount != 1:
        return None
    state = apply(read_state(connection, alert), event, at_ms=transaction.now_ms)
    if state is None:
        return None
    revision = _next_revision(transaction, alert, state, place)
    values = {
        "revision": revision,
        "is_open": int(state.is_open()),
        "place": place,
        "subject": state.subject,
        "rule": state.rule,
        "opened_ms": state.opened_ms,
        "closed_ms": state.closed_ms,
        "state": _encode(state),
    }
    connection.execute(_KEEP_ALERT, {"id": alert, **values})
    _renew_timers(connection, alert, state)
    return state


def set_timer(connection: Connection, kind: TimerKind, key: str, *, due_ms: int) -> None:
    """Store a deadline; one a kind and key."""
    connection.execute(_SET_TIMER, {"kind": kind.value, "key": key, "due_ms": due_ms})


def drop_timer(connection: Connection, kind: TimerKind, key: str) -> None:
    """Forget a deadline."""
    connection.execute(_DROP_TIMER, {"of_kind": kind.value, "of_key": key})


def due_timers(connection: Connection, kind: TimerKind, *, now_ms: int) -> list[str]:
    """Keys whose deadline has come, earliest first."""
    table = schema.timer
    return list(
        connection.execute(
            select(table.c.key).where(table.c.kind == kind.value, table.c.due_ms <= now_ms).order_by(table.c.due_ms)
        ).scalars()
    )


def deadlines(state: AlertState) -> dict[TimerKind, int]:
    """Which deadlines an alert in this state has."""
    if not state.is_open():
        return {}
    if state.claim is not None:
        return {TimerKind.RECHECK: state.claim.recheck_ms}
    due = {TimerKind.ESCALATE: state.escalate_ms}
    if state.held_until_ms is not None:
        due[TimerKind.ANNUNCIATE] = state.held_until_ms
    return due


def _renew_timers(connection: Connection, alert: str, state: AlertState) -> None:
    due = deadlines(state)
    for kind in _OF_ALERTS:
        if kind in due:
            set_timer(connection, kind, alert, due_ms=due[kind])
        else:
            drop_timer(connection, kind, alert)


def _next_revision(transaction: Transaction, alert: str, state: AlertState, place: str) -> int:
    made = transaction.connection.execute(
        _ADD_REVISION, {"alert": alert, "priority": state.priority.value, "place": place}
    ).inserted_primary_key
    revision = int(made[0]) if made is not None else 0
    transaction.connection.execute(_FORGET_REVISIONS, {"upto": revision - KEPT_REVISIONS})
    transaction.revision = max(transaction.revision, revision)
    return revision
