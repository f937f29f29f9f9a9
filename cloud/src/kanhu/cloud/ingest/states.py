"""Detector states of gateways: kept for the next card, and given back with what became of their alerts meanwhile."""

from collections.abc import Iterable

from sqlalchemy import Connection

from kanhu.cloud.alerting.log import read_alert
from kanhu.cloud.alerting.state import Condition
from kanhu.cloud.ledger.checkpoints import keep, left_behind
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import (
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
)
from kanhu.contract.states import first_page

_MOST_READ = 32
"""States read for one page: a page holds about ten."""

StatesAnswer = StatesKept | StatesGiven


def take_states(transaction: Transaction, message: StatesSent | StatesAsked, *, in_use: str) -> StatesAnswer:
    """Keep what was sent or give what was asked for.

    `in_use` is the epoch that the gateway's status names, empty where none was heard: an outbox that is not in use
    has no say in what the next card goes on from.
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
    return StatesKept(message.gateway, message.epoch, answers)


def _refusal(transaction: Transaction, message: StatesSent, at: int, *, in_use: str) -> StateRefusal | None:
    checkpoint = message.checkpoints[at]
    if checkpoint.epoch != message.epoch or (in_use and message.epoch != in_use):
        return StateRefusal.OTHER_EPOCH
    return keep(transaction.connection, checkpoint, gateway=message.gateway, now_ms=transaction.now_ms)


def _given(connection: Connection, asked: StatesAsked) -> StatesGiven:
    found = left_behind(connection, gateway=asked.gateway, epoch=asked.epoch, after=asked.after, most=_MOST_READ + 1)
    page = first_page(StatesGiven(asked.gateway, asked.epoch, asked.nonce, found[:_MOST_READ]))
    checkpoints = page.checkpoints
    ended, unknown = _meanwhile(
        connection, (alert for one in checkpoints for alert in one.alerts), gateway=asked.gateway
    )
    count(connection, {"state.given": len(checkpoints), "state.asked": 1})
    more = len(checkpoints) < len(found)
    return StatesGiven(asked.gateway, asked.epoch, asked.nonce, checkpoints, ended, unknown, more)


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
