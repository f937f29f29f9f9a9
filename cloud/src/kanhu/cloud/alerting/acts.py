"""What staff do to an alert: claim, undo, release, close. Each act is one transaction with its audit row.

The first claim wins. An act carries a key; the same key from the same person on the same alert gets its first answer.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import bindparam, insert, select

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.state import AlertState, Claimed, Closed, Event, Ownership, Released
from kanhu.cloud.desk.model import ActResult, Outcome, Viewer
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.staff.audit import record
from kanhu.contract import Priority

_FIRST_ANSWER = select(schema.act.c.answer).where(
    schema.act.c.user == bindparam("of"), schema.act.c.key == bindparam("by")
)
_KEEP_ANSWER = insert(schema.act)
_PLACE = select(schema.alert.c.place).where(schema.alert.c.id == bindparam("of"))

UNDONE = "undone"
RELEASED = "released"


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of an act, and who owns the alert now."""

    result: ActResult
    claim: Ownership | None = None


_Decide = Callable[[AlertState, int], tuple[ActResult, Event | None]]
_answer_decoder = msgspec.msgpack.Decoder(Answer)


def claim(transaction: Transaction, viewer: Viewer, alert: str, *, key: str, area: str, policy: Policy) -> Answer:
    """Take an alert until its recheck time."""

    def decide(state: AlertState, now_ms: int) -> tuple[ActResult, Event | None]:
        if state.claim is None:
            return ActResult.DONE, Claimed(viewer.user, viewer.name, now_ms + policy.recheck_ms[state.priority])
        return (ActResult.REPLAYED if state.claim.user == viewer.user else ActResult.TAKEN_BY_OTHER), None

    return _act(transaction, viewer, alert, act="claim", key=key, area=area, decide=decide)


def undo(transaction: Transaction, viewer: Viewer, alert: str, *, key: str, area: str, policy: Policy) -> Answer:
    """Give back an own claim as if it had not been, within the undo time."""

    def decide(state: AlertState, now_ms: int) -> tuple[ActResult, Event | None]:
        if state.claim is None or state.claim.user != viewer.user:
            return ActResult.NOT_YOURS, None
        if now_ms - state.claim.at_ms > policy.undo_ms:
            return ActResult.UNDO_TOO_LATE, None
        return ActResult.DONE, Released(UNDONE, max(state.escalate_ms, now_ms))

    return _act(transaction, viewer, alert, act="undo", key=key, area=area, decide=decide)


def release(transaction: Transaction, viewer: Viewer, alert: str, *, key: str, area: str, policy: Policy) -> Answer:
    """Give back an own claim at any time; the alert waits for somebody from the start."""

    def decide(state: AlertState, now_ms: int) -> tuple[ActResult, Event | None]:
        if state.claim is None or state.claim.user != viewer.user:
            return ActResult.NOT_YOURS, None
        return ActResult.DONE, Released(RELEASED, now_ms + policy.first_step_ms(state.priority))

    return _act(transaction, viewer, alert, act="release", key=key, area=area, decide=decide)


def close(
    transaction: Transaction, viewer: Viewer, alert: str, *, outcome: Outcome, note: str, key: str, area: str
) -> Answer:
    """End an alert by name; a person who was not reached is not a reason to end a high one."""

    def decide(state: AlertState, _: int) -> tuple[ActResult, Event | None]:
        if state.claim is not None and state.claim.user != viewer.user:
            return ActResult.NOT_YOURS, None
        if outcome is Outcome.UNREACHABLE and state.priority is Priority.HIGH:
            return ActResult.OUTCOME_NOT_ALLOWED, None
        return ActResult.DONE, Closed(viewer.user, viewer.name, outcome.value, note)

    return _act(transaction, viewer, alert, act=f"close {outcome.value}", key=key, area=area, decide=decide)


def _act(
    transaction: Transaction, viewer: Viewer, alert: str, *, act: str, key: str, area: str, decide: _Decide
) -> Answer:
    connection = transaction.connection
    own_key = f"{act}:{alert}:{key}"
    first = connection.execute(_FIRST_ANSWER, {"of": viewer.user, "by": own_key}).scalar()
    if first is not None:
        return _answer_decoder.decode(first)
    answer = _decide(transaction, viewer, alert, own_key=own_key, area=area, decide=decide)
    record(transaction, viewer, act=act, about=alert, result=answer.result.value)
    row = {"user": viewer.user, "key": own_key, "at_ms": transaction.now_ms, "answer": msgspec.msgpack.encode(answer)}
    connection.execute(_KEEP_ANSWER, row)
    return answer


def _decide(
    transaction: Transaction, viewer: Viewer, alert: str, *, own_key: str, area: str, decide: _Decide
) -> Answer:
    place = transaction.connection.execute(_PLACE, {"of": alert}).scalar()
    state = log.read_state(transaction.connection, alert)
    if place is None or state is None or not place.startswith(area):
        return Answer(ActResult.NOT_FOUND)
    if not state.is_open():
        return Answer(ActResult.NOT_OPEN, state.claim)
    result, event = decide(state, transaction.now_ms)
    if event is None:
        return Answer(result, state.claim)
    changed = log.append(transaction, alert, event, key=f"{viewer.user}:{own_key}", place=place, actor=viewer.user)
    return Answer(result, None if changed is None else changed.claim)
