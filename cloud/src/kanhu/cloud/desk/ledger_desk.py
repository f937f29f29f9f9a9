"""The desk over the ledger: each look is one consistent read inside the viewer's area, each act one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, select

from kanhu.cloud.alerting import acts
from kanhu.cloud.alerting.log import decode_state
from kanhu.cloud.alerting.policy import HOUR_MS, Policy
from kanhu.cloud.authority import late
from kanhu.cloud.desk.equipment import equipment_of, watch_of
from kanhu.cloud.desk.model import (
    ActResult,
    AlertPage,
    AlertRow,
    Arrived,
    Board,
    Change,
    Claim,
    Equipment,
    Outcome,
    ResidentPage,
    Viewer,
)
from kanhu.cloud.desk.rows import (
    alert_events,
    alert_page,
    alert_rows,
    order_on_board,
    read_contacts,
    read_people,
    shown_claim,
)
from kanhu.cloud.desk.values import days_of, trends_of, vitals_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.tally import tallies, total
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.cloud.people.area import area_of, inside
from kanhu.cloud.staff.audit import record
from kanhu.contract import Clock, Priority
from kanhu.vitals import RulePack

_TIMELINE_ALERTS = 20
_DAILY_DAYS = 90
_MAX_NOTE = 1000
_MAX_IDS = 200


@dataclass(frozen=True, slots=True)
class LedgerDesk:
    """Implements `desk.model.Desk`."""

    ledger: Ledger
    writer: Writer
    clock: Clock
    policy: Policy
    pack: RulePack
    broker: Callable[[], str]
    live: Callable[[str, str], None]
    """Keeps for a gateway's next heartbeat that a resident's readings are wanted as they come."""

    def board(self, viewer: Viewer) -> Board:
        """Open alerts in the viewer's area."""
        now, now_ms = self.clock.now(), self.clock.wall_ms()
        alert = schema.alert
        with self.ledger.read() as connection:
            area = area_of(connection, viewer.place)
            here = inside(alert.c.place, area)
            rows = self._rows(
                connection,
                connection.execute(
                    select(alert.c.id, alert.c.revision, alert.c.state).where(alert.c.is_open == 1, here)
                ).all(),
            )
            closed_today = connection.execute(
                select(func.count()).where(alert.c.closed_ms >= self.policy.day_start_ms(now_ms), here)
            ).scalar_one()
            opened = connection.execute(
                select(func.count()).where(alert.c.opened_ms >= now_ms - HOUR_MS, here)
            ).scalar_one()
            return Board(
                revision=_newest_revision(connection),
                now=now,
                rows=tuple(sorted(rows, key=lambda row: order_on_board(row, now))),
                closed_today=closed_today,
                opened_last_hour=opened,
                watch=watch_of(connection, area, now_ms=now_ms),
                broker=self.broker(),
            )

    def rows(self, viewer: Viewer, alert_ids: Sequence[str]) -> tuple[AlertRow, ...]:
        """These alerts, where the viewer may see them."""
        with self.ledger.read() as connection:
            return tuple(self._rows(connection, self._visible(connection, viewer, alert_ids[:_MAX_IDS])))

    def alert(self, viewer: Viewer, alert_id: str) -> AlertPage | None:
        """One alert; the look is in the audit before it is answered."""
        with self.ledger.read() as connection:
            found = self._visible(connection, viewer, (alert_id,))
            rows = self._rows(connection, found)
            page = alert_page(connection, rows[0], decode_state(found[0].state)) if rows else None
        self._looked(viewer, "look alert", alert_id, found=page is not None)
        return page

    def resident(self, viewer: Viewer, resident_id: str, *, days: int) -> ResidentPage | None:
        """One resident; the look is in the audit before it is answered."""
        with self.ledger.read() as connection:
            page = self._resident(connection, viewer, resident_id, days)
        self._looked(viewer, "look resident", resident_id, found=page is not None)
        return page

    def equipment(self, viewer: Viewer) -> Equipment:
        """Gateways of the area and ingest counters."""
        with self.ledger.read() as connection:
            area = area_of(connection, viewer.place)
            return equipment_of(
                connection, area, now=self.clock.now(), broker=self.broker, limits=self.pack.device_clocks()
            )

    def changes(self, viewer: Viewer, *, after: int) -> tuple[Change, ...] | None:
        """Revision log after `after`; None where that is too old to replay, or of another ledger."""
        table = schema.revision
        with self.ledger.read() as connection:
            oldest = connection.execute(select(func.min(table.c.id))).scalar()
            if after > _newest_revision(connection) or (oldest is not None and after < oldest - 1):
                return None
            rows = connection.execute(
                select(table)
                .where(table.c.id > after, inside(table.c.place, area_of(connection, viewer.place)))
                .order_by(table.c.id)
            )
            return tuple(Change(row.id, row.alert, Priority(row.priority)) for row in rows)

    def newest_revision(self) -> int:
        """End of the revision log."""
        with self.ledger.read() as connection:
            return _newest_revision(connection)

    def claim(self, viewer: Viewer, alert_id: str, *, key: str) -> tuple[ActResult, Claim | None]:
        """Take an alert; the first wins, a replayed key gets its first answer."""
        answer = self._act(viewer, acts.claim, alert_id, key)
        return answer.result, shown_claim(answer.claim)

    def undo(self, viewer: Viewer, alert_id: str, *, key: str) -> ActResult:
        """Give back an own claim within the undo time."""
        return self._act(viewer, acts.undo, alert_id, key).result

    def release(self, viewer: Viewer, alert_id: str, *, key: str) -> ActResult:
        """Give back an own claim at any time."""
        return self._act(viewer, acts.release, alert_id, key).result

    def close(self, viewer: Viewer, alert_id: str, *, outcome: Outcome, note: str, key: str) -> ActResult:
        """End an alert by name."""

        def job(transaction: Transaction) -> acts.Answer:
            area = area_of(transaction.connection, viewer.place)
            return acts.close(transaction, viewer, alert_id, outcome=outcome, note=note[:_MAX_NOTE], key=key, area=area)

        return self.writer.run(job).result

    def confirm_gateway(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        """Say that a gateway which came back late stands where it should; the first answer stands."""
        return self.writer.run(partial(late.confirm, viewer=viewer, gateway=gateway_id, certificate=certificate))

    def take_gateway_away(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        """Say that it does not: its certificates are taken back."""
        return self.writer.run(partial(late.take_away, viewer=viewer, gateway=gateway_id, certificate=certificate))

    def ask_live(self, viewer: Viewer, resident_id: str) -> ActResult:
        """Have a resident's readings sent as they come; who asked is in the audit before the gateway is."""
        table = schema.resident

        def job(transaction: Transaction) -> str | None:
            area = area_of(transaction.connection, viewer.place)
            found = select(table.c.gateway).where(table.c.id == resident_id, inside(table.c.place, area))
            gateway: str | None = transaction.connection.execute(found).scalar()
            result = ActResult.NOT_FOUND if gateway is None else ActResult.DONE
            record(transaction, viewer, act="ask live", about=resident_id[:128], result=result.value)
            return gateway

        gateway = self.writer.run(job)
        if gateway is None:
            return ActResult.NOT_FOUND
        self.live(gateway, resident_id)
        return ActResult.DONE

    def _act(self, viewer: Viewer, act: Callable[..., acts.Answer], alert_id: str, key: str) -> acts.Answer:
        def job(transaction: Transaction) -> acts.Answer:
            area = area_of(transaction.connection, viewer.place)
            return act(transaction, viewer, alert_id, key=key, area=area, policy=self.policy)

        return self.writer.run(job)

    def _looked(self, viewer: Viewer, act: str, about: str, *, found: bool) -> None:
        result = "shown" if found else "not_found"
        self.writer.run(partial(record, viewer=viewer, act=act, about=about[:128], result=result))

    def _visible(
        self, connection: Connection, viewer: Viewer, alert_ids: Sequence[str]
    ) -> Sequence[Row[Any, Any, Any]]:
        table = schema.alert
        return connection.execute(
            select(table.c.id, table.c.revision, table.c.state).where(
                table.c.id.in_(alert_ids), inside(table.c.place, area_of(connection, viewer.place))
            )
        ).all()

    def _rows(self, connection: Connection, found: Sequence[Row[Any, Any, Any]]) -> list[AlertRow]:
        year = self.policy.local(self.clock.wall_ms()).year
        return alert_rows(connection, [(row.id, row.revision, row.state) for row in found], year=year)

    def _resident(self, connection: Connection, viewer: Viewer, resident_id: str, days: int) -> ResidentPage | None:
        table, alert = schema.resident, schema.alert
        row = connection.execute(
            select(table.c.address, table.c.note, table.c.tags).where(
                table.c.id == resident_id, inside(table.c.place, area_of(connection, viewer.place))
            )
        ).first()
        if row is None:
            return None
        now = self.clock.now()
        year = self.policy.local(self.clock.wall_ms()).year
        own = connection.execute(
            select(alert.c.id, alert.c.revision, alert.c.state)
            .where(alert.c.subject == resident_id)
            .order_by(alert.c.opened_ms.desc())
            .limit(_TIMELINE_ALERTS)
        ).all()
        person = read_people(connection, {resident_id}, year=year)[resident_id]
        timeline = [event for found in own for event in alert_events(connection, found.id)]
        since: date = now.date() - timedelta(days=_DAILY_DAYS)
        return ResidentPage(
            person=person,
            address=row.address,
            note=row.note,
            alerts=tuple(sorted(self._rows(connection, own), key=lambda shown: order_on_board(shown, now))),
            vitals=vitals_of(connection, resident_id, now=now),
            trends=trends_of(connection, resident_id, now=now, days=days, pack=self.pack, tags=person.tags),
            daily=days_of(connection, resident_id, since=since, zone=self.policy.timezone),
            contacts=read_contacts(connection, resident_id),
            timeline=tuple(sorted(timeline, key=lambda event: event.at, reverse=True)),
            arrived=_arrived(connection, resident_id),
        )


def _arrived(connection: Connection, resident_id: str) -> Arrived | None:
    found = tallies(connection, resident=resident_id)
    if not found:
        return None
    return Arrived(**asdict(total(connection, found)))


def _newest_revision(connection: Connection) -> int:
    return connection.execute(select(func.max(schema.revision.c.id))).scalar() or 0
