"""What a gateway says it is doing alone about an alert, by its last heartbeat."""

from sqlalchemy import Connection, select

from kanhu.cloud.alerting.state import AlertState
from kanhu.cloud.desk.model import AlarmRow, AloneNow
from kanhu.cloud.desk.words import alone_text, instant
from kanhu.cloud.ledger import schema
from kanhu.contract import AlarmStatus, Status, decode_status


def alone_now(connection: Connection, alert: str, state: AlertState) -> AloneNow | None:
    """Of one alert; None where no gateway that raised it says so."""
    alias, gateway = schema.alert_alias, schema.gateway
    names = {alert, *connection.execute(select(alias.c.id).where(alias.c.alert == alert)).scalars()}
    judges = [judge for judge in state.standing if judge]
    rows = connection.execute(select(gateway.c.status, gateway.c.heard_ms).where(gateway.c.id.in_(judges)))
    for row in rows:
        status = None if row.status is None else decode_status(row.status)
        if status is None or row.heard_ms is None or not isinstance(status.alarm, AlarmStatus):
            continue
        ways = {way: word for one in status.alarm.alone if one.alert in names for way, word in one.ways.items()}
        if ways:
            return AloneNow(instant(row.heard_ms), alone_text(ways))
    return None


def alarm_row(status: Status | None) -> AlarmRow | None:
    """What a gateway can tell people with by itself, for the equipment page; None where it does not say."""
    if status is None or not isinstance(status.alarm, AlarmStatus):
        return None
    return AlarmRow(status.alarm.fitted, tuple(status.alarm.faults.items()), len(status.alarm.alone))
