"""Fires stored deadlines of alerts: escalation, recheck after a claim, morning after a night's hold."""

from itertools import islice

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.state import AlertState, Annunciated, Escalated, Event, Released
from kanhu.cloud.ledger.writer import Transaction

RECHECK_MISSED = "recheck_missed"
MOST_A_TICK = 50
"""So many deadlines are met in one job of the writer; when a whole county falls silent, readings come between."""
_KINDS = (TimerKind.RECHECK, TimerKind.ANNUNCIATE, TimerKind.ESCALATE)


def fire_due(transaction: Transaction, policy: Policy) -> int:
    """Append what each due deadline stands for, of at most MOST_A_TICK; answers how many those were."""
    connection = transaction.connection
    due = ((kind, alert) for kind in _KINDS for alert in log.due_timers(connection, kind, now_ms=transaction.now_ms))
    met = 0
    for kind, alert in islice(due, MOST_A_TICK):
        met += 1
        kept = log.read_alert(connection, alert)
        due_ms = None if kept is None else log.deadlines(kept.state).get(kind)
        if kept is None or due_ms is None or due_ms > transaction.now_ms:
            log.drop_timer(connection, kind, alert)
            continue
        event = _event(kind, kept.state, policy, transaction.now_ms)
        # By revision: a deadline that comes a second time must not be taken for a repetition and stand still.
        log.append(transaction, alert, event, key=f"{kind.value}:{due_ms}:{kept.revision}", place=kept.place)
    return met


def _event(kind: TimerKind, state: AlertState, policy: Policy, now_ms: int) -> Event:
    if kind is TimerKind.ANNUNCIATE:
        return Annunciated()
    if kind is TimerKind.RECHECK:
        return Released(RECHECK_MISSED, now_ms + policy.first_step_ms(state.priority))
    level, next_ms = policy.next_step(state.priority, level=state.level, opened_ms=state.opened_ms, now_ms=now_ms)
    return Escalated(level, next_ms)
