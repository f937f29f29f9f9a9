"""WATCH-LOST: a gateway that is not heard opens one technical alert, which becomes medium when people are at risk.

                 heartbeat                          heartbeat: ended by itself
              +------------+      +-----------------------------------------------+
              v            |      |                                               |
           [heard] --------+   [silent: technical] -- watch list / everyone --> [medium] -- heartbeat --> latched
              |  technical_ms of listening ^                                                    until a person closes it
              +----------------------------+

Deadlines are kept in listened time (see listening), one a gateway. A gateway never heard has no deadline: it is shown
as never seen and its people as unseen.
"""

from collections.abc import Container

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.deadlines import MOST_A_TICK
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.pipeline import Judge
from kanhu.cloud.alerting.policy import MINUTE_MS
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import tags_of_people_at
from kanhu.contract import (
    Clock,
    Evidence,
    Finding,
    GatewayState,
    Phase,
    Priority,
    Status,
    Subject,
    SubjectKind,
    Times,
    alert_id,
    encode_status,
)

_FIND = select(schema.gateway).where(schema.gateway.c.id == bindparam("of"))
_HEAR = (
    update(schema.gateway)
    .where(schema.gateway.c.id == bindparam("of"))
    .values(
        heard_ms=bindparam("now"),
        heard_listened_ms=bindparam("listened"),
        heartbeat=bindparam("mark"),
        said_ms=bindparam("said"),
        status=bindparam("body"),
        silent_alert=None,
    )
)

RULE = "WATCH-LOST"
HEARTBEAT = "heartbeat"


class Watch:
    """Hears heartbeats and notices their absence."""

    def __init__(self, intake: Intake, clock: Clock, listening: Listening) -> None:
        """Watch with the county's policy."""
        self._intake = intake
        self._clock = clock
        self._limits = intake.policy.silence
        self._listening = listening

    def heard(self, transaction: Transaction, status: Status) -> None:
        """A live status message of an enrolled gateway; only `online` is a sign of life, and only once."""
        connection = transaction.connection
        table = schema.gateway
        row = connection.execute(_FIND, {"of": status.gateway}).first()
        if row is None:
            return
        if status.state is not GatewayState.ONLINE:
            connection.execute(
                update(table).where(table.c.id == status.gateway).values(status=_said(row.status, status))
            )
            return
        if row.heartbeat == _mark(status):
            count(connection, {"ingest.heartbeats_repeated": 1})
            return
        listened_ms = self._listening.total_ms(connection)
        connection.execute(
            _HEAR,
            {
                "of": status.gateway,
                "now": transaction.now_ms,
                "listened": listened_ms,
                "mark": _mark(status),
                "said": min(status.sent_ms, 2**62),
                "body": encode_status(status),
            },
        )
        log.set_timer(connection, TimerKind.SILENCE, status.gateway, due_ms=listened_ms + self._limits.technical_ms)
        if row.silent_alert is not None:
            self._well_again(transaction, status.gateway, row.silent_alert)

    def tick(self, transaction: Transaction, *, among: Container[str] | None = None) -> int:
        """Raise what has been silent long enough, unless the county itself has hardly begun to listen.

        Looks at the MOST_A_TICK longest due at most; answers how many those were. A replay, which knows who is heard
        and need not be told every minute, looks `among` the others only.
        """
        connection = transaction.connection
        self._listening.tick(connection, mono_ns=self._clock.mono_ns())
        if self._listening.deaf or self._listening.since_resumed_ms() < self._limits.grace_ms:
            return 0
        listened_ms = self._listening.total_ms(connection)
        due = log.due_timers(connection, TimerKind.SILENCE, now_ms=listened_ms)
        looked_at = [gateway for gateway in due if among is None or gateway in among][:MOST_A_TICK]
        for gateway in looked_at:
            self._silent(transaction, gateway, listened_ms)
        return len(looked_at)

    def _silent(self, transaction: Transaction, gateway: str, listened_ms: int) -> None:
        connection = transaction.connection
        row = connection.execute(select(schema.gateway).where(schema.gateway.c.id == gateway)).first()
        if row is None or row.heard_listened_ms is None:
            log.drop_timer(connection, TimerKind.SILENCE, gateway)
            return
        silent_ms = listened_ms - row.heard_listened_ms
        alert = _alert(gateway, row.heartbeat, row.heard_ms)
        at_risk_ms = self._at_risk_after_ms(connection, gateway)
        if row.silent_alert is None:
            self._raise(transaction, gateway, alert, Priority.TECHNICAL, silent_ms)
            connection.execute(update(schema.gateway).where(schema.gateway.c.id == gateway).values(silent_alert=alert))
        if silent_ms < at_risk_ms:
            log.set_timer(connection, TimerKind.SILENCE, gateway, due_ms=row.heard_listened_ms + at_risk_ms)
            return
        self._raise(transaction, gateway, alert, self._limits.then, silent_ms)
        log.drop_timer(connection, TimerKind.SILENCE, gateway)

    def _at_risk_after_ms(self, connection: Connection, gateway: str) -> int:
        watched = any(tags & set(self._limits.watch_list) for tags in tags_of_people_at(connection, gateway))
        return self._limits.watch_list_ms if watched else self._limits.everyone_ms

    def _well_again(self, transaction: Transaction, gateway: str, alert: str) -> None:
        kept = log.read_alert(transaction.connection, alert)
        if kept is None:
            return
        if kept.state.priority is Priority.TECHNICAL:
            key = f"heartbeat:{transaction.now_ms}"
            log.append(transaction, kept.alert, Ended(HEARTBEAT), key=key, place=kept.place)
        else:
            self._take(transaction, gateway, alert, kept.state.priority, phase=Phase.END, silent_ms=0)

    def _raise(self, transaction: Transaction, gateway: str, alert: str, priority: Priority, silent_ms: int) -> None:
        self._take(transaction, gateway, alert, priority, phase=Phase.START, silent_ms=silent_ms)

    def _take(
        self, transaction: Transaction, gateway: str, alert: str, priority: Priority, *, phase: Phase, silent_ms: int
    ) -> None:
        finding = Finding(
            alert_id=alert,
            rule=RULE,
            rule_version=self._intake.pack.version,
            subject=_dwelling(gateway),
            priority=priority,
            phase=phase,
            reason=HEARTBEAT if phase is Phase.END else "silent",
            times=Times(transaction.now_ms, self._clock.mono_ns(), self._clock.boot, self._clock.state()),
            evidence=(),
            params={"minutes": str(-(-silent_ms // MINUTE_MS))},
        )
        self._intake.take(transaction, finding, gateway=gateway, at_ms=transaction.now_ms, judge=Judge.COUNTY)


def _alert(gateway: str, heartbeat: str, heard_ms: int) -> str:
    """One silence has one id: it begins with the last heartbeat."""
    last = Evidence(HEARTBEAT, 0, gateway, heartbeat, heard_ms, heard_ms)
    return alert_id(_dwelling(gateway), RULE, last)


def _dwelling(gateway: str) -> Subject:
    return Subject(SubjectKind.DWELLING, gateway)


def _mark(status: Status) -> str:
    return f"{status.boot}:{status.epoch}:{status.sent_ms}"


def _said(held: bytes | None, status: Status) -> bytes:
    """A will or a farewell says only its state; what was last known otherwise stays."""
    if held is None:
        return encode_status(status)
    known = msgspec.json.decode(held, type=Status)
    return encode_status(msgspec.structs.replace(known, state=status.state))
