"""Gateways by people unseen, what the county refused, and how many people nobody can see."""

from collections.abc import Callable
from datetime import datetime

from msgspec import UnsetType
from sqlalchemy import Connection, Row, select

from kanhu.cloud.authority.late import Question, questions
from kanhu.cloud.desk.alone import alarm_row
from kanhu.cloud.desk.model import Both, Equipment, GatewayRow, LateRow, Watch
from kanhu.cloud.desk.words import instant
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import counters
from kanhu.cloud.people.area import inside
from kanhu.cloud.people.register import HIGH_RISK, split_tags
from kanhu.contract import GatewayState, Status, decode_status
from kanhu.vitals.rules.records import ClockTrigger

_HOUR_MS = 3_600_000
_STATES = {"silent": 0, "never_seen": 1, "stopped": 2, "online": 3}


def equipment_of(
    connection: Connection, area: str, *, now: datetime, broker: Callable[[], str], limits: ClockTrigger | None
) -> Equipment:
    """The equipment page; `limits` say which device clocks are wrong."""
    people: dict[str, list[frozenset[str]]] = {}
    table = schema.resident
    for resident in connection.execute(select(table.c.gateway, table.c.tags).where(inside(table.c.place, area))):
        people.setdefault(resident.gateway, []).append(frozenset(split_tags(resident.tags)))
    gateway, place = schema.gateway, schema.place
    rows = connection.execute(
        select(gateway, place.c.zh, place.c.en)
        .join(place, place.c.path == gateway.c.place)
        .where(inside(gateway.c.place, area))
    )
    asked = questions(connection, area, now_ms=round(now.timestamp() * 1000))
    shown = [_gateway(row, people.get(row.id, []), limits, asked.get(row.id)) for row in rows]
    shown.sort(key=lambda row: (row.late is None, row.state == "online", -row.people, _STATES[row.state], row.id))
    return Equipment(
        now=now,
        gateways=tuple(shown),
        quarantine=tuple(counters(connection, prefix="quarantine.").items()),
        counters=tuple(counters(connection, prefix="ingest.").items()),
        broker=broker(),
    )


def watch_of(connection: Connection, area: str, *, now_ms: int) -> Watch:
    """How many people are seen: those whose gateway was heard within the hour and is not silent now."""
    resident, gateway = schema.resident, schema.gateway
    rows = connection.execute(
        select(resident.c.tags, gateway.c.heard_ms, gateway.c.silent_alert)
        .join(gateway, gateway.c.id == resident.c.gateway, isouter=True)
        .where(inside(resident.c.place, area))
    ).all()
    unseen = [row for row in rows if row.heard_ms is None or row.silent_alert or row.heard_ms < now_ms - _HOUR_MS]
    return Watch(
        enrolled=len(rows),
        seen_last_hour=len(rows) - len(unseen),
        unseen=len(unseen),
        unseen_high_risk=sum(1 for row in unseen if HIGH_RISK & set(split_tags(row.tags))),
    )


def _gateway(
    row: Row[tuple[object, ...]], people: list[frozenset[str]], limits: ClockTrigger | None, asked: Question | None
) -> GatewayRow:
    status = None if row.status is None else decode_status(row.status)
    release = None if status is None or isinstance(status.release, UnsetType) else status.release
    return GatewayRow(
        id=row.id,
        kind=row.kind,
        village=Both(row.zh, row.en),
        state=_state(row.heard_ms, row.silent_alert, status),
        last_seen=None if row.heard_ms is None else instant(row.heard_ms),
        people=len(people),
        high_risk=sum(1 for tags in people if tags & HIGH_RISK),
        owed=0 if status is None else status.owed,
        accepted=0 if status is None else status.accepted,
        refused=0 if status is None else sum(status.refused.values()),
        quarantined=0 if status is None else status.quarantined,
        clock="" if status is None else status.clock.value,
        software="" if status is None else status.software,
        stored=row.stored,
        clocks_off=() if status is None or limits is None else _clocks_off(status, limits),
        alarm=alarm_row(status),
        release=None if release is None else release.number,
        refused_release=None if release is None or not release.refused else (release.refused, release.reason),
        late=None if asked is None else LateRow(asked.certificate, asked.days, instant(asked.until_ms)),
    )


def _clocks_off(status: Status, limits: ClockTrigger) -> tuple[tuple[str, int], ...]:
    errors = ((device.device, device.clock_error_s) for device in status.devices)
    return tuple((device, error_s) for device, error_s in errors if isinstance(error_s, int) and limits.is_off(error_s))


def _state(heard_ms: int | None, silent_alert: str | None, status: Status | None) -> str:
    if heard_ms is None or status is None:
        return "never_seen"
    if silent_alert is not None or status.state is GatewayState.LOST:
        return "silent"
    return "stopped" if status.state is GatewayState.STOPPED else "online"
