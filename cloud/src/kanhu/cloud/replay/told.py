"""Follows the log of alerts: when each one called for a person anew, who took it, and how it ended."""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.alerting.state import (
    RANK,
    AlertState,
    Claimed,
    Closed,
    Condition,
    Escalated,
    Event,
    Found,
    Grouping,
    Recurred,
    Reopening,
    apply,
    reopening,
)
from kanhu.cloud.ledger import schema
from kanhu.cloud.replay.outcome import Alert, Told
from kanhu.contract import Phase, Priority

__all__ = ["Following", "Telling", "ToldReason"]

_NEW_EVENTS = select(schema.alert_event).where(schema.alert_event.c.id > bindparam("after")).order_by("id")


class ToldReason(StrEnum):
    """Why an alert called for a person anew."""

    OPENED = "opened"
    ROSE = "rose"
    RETURNED = "returned"
    CALLED_AGAIN = "called_again"


@dataclass(frozen=True, slots=True)
class Telling:
    """One moment at which somebody has to hear of an alert; held for the night, it sounds in the morning."""

    alert: str
    sounds_ms: int


@dataclass(slots=True)
class Followed:
    """One alert so far."""

    state: AlertState
    gateway: str
    highest: Priority
    told: list[Told] = field(default_factory=list)
    called_again: bool = False
    """A finding that calls again has joined, and is logged next."""
    ended_ms: int | None = None
    closed_by: str = ""
    level: int = 0


class Following:
    """All alerts of one village."""

    def __init__(self, homes: dict[str, str]) -> None:
        """`homes` says at which gateway a resident lives."""
        self._homes = homes
        self._alerts: dict[str, Followed] = {}
        self._read_to = 0
        self._decode = msgspec.msgpack.Decoder(Event).decode

    def read(self, connection: Connection) -> list[Telling]:
        """Take in what was logged since the last time; answers with what staff have to hear."""
        tellings: list[Telling] = []
        for row in connection.execute(_NEW_EVENTS, {"after": self._read_to}).all():
            self._read_to = row.id
            telling = self._follow(row.alert, self._decode(row.event), at_ms=row.at_ms, actor=row.actor)
            if telling is not None:
                tellings.append(telling)
        return tellings

    def state(self, alert: str) -> AlertState:
        """How it is now."""
        return self._alerts[alert].state

    def told_ms(self, alert: str) -> int:
        """When it last called for a person."""
        return self._alerts[alert].told[-1].at_ms

    def alerts(self, village: str) -> list[Alert]:
        """Everything there was, by the time of the first telling."""
        lines = [_alert(village, alert, followed) for alert, followed in self._alerts.items()]
        return sorted(lines, key=lambda line: (line.told[0].at_ms, line.alert))

    def _follow(self, alert: str, event: Event, *, at_ms: int, actor: str) -> Telling | None:
        followed = self._alerts.get(alert)
        before = None if followed is None else followed.state
        after = apply(before, event, at_ms=at_ms)
        if after is None:
            return None
        if followed is None:
            priority = event.priority if isinstance(event, Found) else after.priority
            gateway = event.gateway if isinstance(event, Found) else ""
            followed = Followed(after, self._homes.get(after.subject, gateway), priority)
            self._alerts[alert] = followed
        followed.state = after
        _note(followed, event, before=before, at_ms=at_ms, actor=actor)
        if not isinstance(event, Found):
            return None
        reason = _reason(followed, before, event, after)
        if reason is None:
            return None
        followed.called_again = False
        followed.told.append(
            Told(
                at_ms=at_ms,
                own_ms=event.order[0],
                priority=event.priority,
                reason=reason.value,
                late=event.late,
                held_until_ms=event.held_until_ms,
            )
        )
        return Telling(alert, at_ms if event.held_until_ms is None else event.held_until_ms)


def _note(followed: Followed, event: Event, *, before: AlertState | None, at_ms: int, actor: str) -> None:
    after = followed.state
    match event:
        case Found():
            if RANK[event.priority] < RANK[followed.highest]:
                followed.highest = event.priority
        case Recurred():
            followed.called_again = event.reason is Grouping.CALLED_AGAIN
        case Claimed():
            followed.told = [
                msgspec.structs.replace(told, claimed_ms=at_ms) if told.claimed_ms is None else told
                for told in followed.told
            ]
        case Escalated():
            followed.level = max(followed.level, event.level)
        case Closed():
            followed.closed_by = actor
        case _:
            pass
    if after.condition is Condition.PRESENT:
        followed.ended_ms = None
    elif before is None or before.condition is Condition.PRESENT:
        followed.ended_ms = event.order[0] if isinstance(event, Found) else at_ms


def _reason(followed: Followed, before: AlertState | None, event: Found, after: AlertState) -> ToldReason | None:
    if before is None:
        return ToldReason.OPENED
    if not before.is_open():
        if not after.is_open():
            return None
        back = reopening(before, phase=event.phase, priority=event.priority, reason=event.reason, own_ms=event.order[0])
        return ToldReason.RETURNED if back is Reopening.RETURNED else ToldReason.CALLED_AGAIN
    if RANK[event.priority] < RANK[before.priority] and event.phase is not Phase.END:
        return ToldReason.ROSE
    return ToldReason.CALLED_AGAIN if followed.called_again else None


def _alert(village: str, alert: str, followed: Followed) -> Alert:
    state = followed.state
    closed = state.outcome is not None
    return Alert(
        alert=alert,
        village=village,
        gateway=followed.gateway,
        subject=state.subject,
        rule=state.rule,
        rule_version=state.rule_version,
        priority=followed.highest,
        told=tuple(followed.told),
        ended_ms=followed.ended_ms,
        closed_ms=state.closed_ms,
        closed_by=followed.closed_by if closed else "",
        outcome=state.outcome or "",
        level=followed.level,
    )
