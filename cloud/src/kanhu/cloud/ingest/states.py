"""Detector states of gateways: kept for the next card, and given back with what became of their alerts meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kanhu.cloud.alerting.log import read_alert
from kanhu.cloud.alerting.state import Condition
from kanhu.cloud.ledger.checkpoints import keep, left_behind
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import (
    Checkpoint,
    MessageTooLarge,
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    encode_states,
)
from kanhu.contract.states import first_page

_MOST_READ = 32
"""States read for one page: a page holds about ten."""


@dataclass(frozen=True, slots=True)
class StatesAnswer:
    """What a gateway is told, and the bytes of it: what cannot be said is found while the message can be refused."""

    message: StatesKept | StatesGiven
    wire: bytes


def take_states(transaction: Transaction, message: StatesSent | StatesAsked, *, in_use: str) -> StatesAnswer:
    """Keep what was sent or give what was asked for.

    `in_use` is the epoch that the gateway's status names, empty where none was heard: an outbox that is not in use
    has no say in what the next card goes on from.

    Raises:
        MessageTooLarge: so much was sent that the answer to it fits into no message; nothing of it may be kept.
    """
    if isinstance(message, StatesAsked):
        return _given(transaction.connection, message)
    answers = tuple(
        StateKept(checkpoint.subject, checkpoint.seq, _refusal(transaction, message, at, in_use=in_use))
        for at, checkpoint in enumerate(message.checkpoints)
    )
    amounts = {"state.kept": sum(answer.refused is None for answer in answers)}
    for answer in answers:
        if answer.refused is not None:
            name = f"state.refused.{answer.refused.value}"
            amounts[name] = amounts.get(name, 0) + 1
    count(transaction.connection, amounts)
    kept = StatesKept(message.gateway, message.epoch, answers)
    return StatesAnswer(kept, encode_states(kept))


def _refusal(transaction: Transaction, message: StatesSent, at: int, *, in_use: str) -> StateRefusal | None:
    checkpoint = message.checkpoints[at]
    if checkpoint.epoch != message.epoch or (in_use and message.epoch != in_use):
        return StateRefusal.OTHER_EPOCH
    return keep(transaction.connection, checkpoint, gateway=message.gateway, now_ms=transaction.now_ms)


def _given(connection: Connection, asked: StatesAsked) -> StatesAnswer:
    """One page; a state that fits into none, kept before its size was bounded, is passed over and counted."""
    after, left_out = asked.after, 0
    while found := left_behind(connection, gateway=asked.gateway, epoch=asked.epoch, after=after, most=_MOST_READ + 1):
        for at, checkpoint in enumerate(found[:_MOST_READ]):
            page = _page(connection, asked, found[at:])
            if page is not None:
                amounts = {"state.asked": 1, "state.given": len(page.checkpoints), "state.left_out": left_out}
                count(connection, amounts)
                return StatesAnswer(page, encode_states(page))
            after, left_out = checkpoint.subject, left_out + 1
    count(connection, {"state.asked": 1, "state.left_out": left_out})
    nothing = StatesGiven(asked.gateway, asked.epoch, asked.nonce, ())
    return StatesAnswer(nothing, encode_states(nothing))


def _page(connection: Connection, asked: StatesAsked, found: Sequence[Checkpoint]) -> StatesGiven | None:
    """As many of these as go into one page, at least the first; None where that fits into no message."""
    alone = _answer(connection, asked, found[:1], more=len(found) > 1)
    if alone is None:
        return None
    fitting = first_page(StatesGiven(asked.gateway, asked.epoch, asked.nonce, tuple(found[:_MOST_READ]))).checkpoints
    return _answer(connection, asked, fitting, more=len(fitting) < len(found)) or alone


def _answer(
    connection: Connection, asked: StatesAsked, checkpoints: Sequence[Checkpoint], *, more: bool
) -> StatesGiven | None:
    alerts = (alert for one in checkpoints for alert in one.alerts)
    ended, unknown = _meanwhile(connection, alerts, gateway=asked.gateway)
    given = StatesGiven(asked.gateway, asked.epoch, asked.nonce, tuple(checkpoints), ended, unknown, more)
    try:
        encode_states(given)
    except MessageTooLarge:
        return None
    return given


def _meanwhile(
    connection: Connection, alerts: Iterable[str], *, gateway: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of these alerts this gateway itself has ended since, and which never came."""
    ended, unknown = [], []
    for alert in sorted(set(alerts)):
        kept = read_alert(connection, alert)
        if kept is None:
            unknown.append(alert)
            continue
        said = kept.state.standing.get(gateway)
        condition = kept.state.condition if said is None else said.condition
        if condition is Condition.ABSENT:
            ended.append(alert)
    return tuple(ended), tuple(unknown)
