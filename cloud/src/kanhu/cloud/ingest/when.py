"""When something was by the county's clock, as far as the heartbeats of its gateway tell."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.segments import Keyed
from kanhu.contract import ClockState, Observation, Status, Timeline, Times, decode_status
from kanhu.contract.clock import EARLIEST_PLAUSIBLE

_EARLIEST_MS = int(EARLIEST_PLAUSIBLE.timestamp() * 1000)
_FUTURE_MS = 5 * 60_000


def county_time_ms(times: Times, heartbeat: tuple[Status, int] | None, *, now_ms: int) -> int | None:
    """When this was by the county's clock, or the latest that it can have been; None where that cannot be known.

    A clock that is not synchronised is corrected by the last heartbeat of the same boot: what it said, when it came.
    Of earlier boots the marks tell; an alert is late only where it certainly is.
    """
    shown_ms = times.shown_ms()
    known = times.earliest_ms is not None or times.clock is ClockState.SYNCED
    if not known and heartbeat is not None and heartbeat[0].boot == times.boot and times.boot:
        status, heard_ms = heartbeat
        shown_ms, known = shown_ms + heard_ms - status.sent_ms, True
    elif not known and heartbeat is not None:
        timeline = timeline_told(heartbeat[0], now_ms=now_ms)
        interval = timeline.interval(times.boot, times.mono_ns) if timeline.is_bounded(times.boot) else None
        if interval is not None:
            shown_ms, known = interval.latest_ms, True
    if not known or not _EARLIEST_MS <= shown_ms <= now_ms + _FUTURE_MS:
        return None
    return min(shown_ms, now_ms)


def last_heartbeat(connection: Connection, gateway: str) -> tuple[Status, int] | None:
    """What a gateway said last of itself, and when that was heard, Unix ms."""
    table = schema.gateway
    row = connection.execute(select(table.c.status, table.c.heard_ms).where(table.c.id == gateway)).first()
    if row is None or row.status is None or row.heard_ms is None:
        return None
    return decode_status(row.status), row.heard_ms


def timeline_needed(connection: Connection, gateway: str, records: Sequence[Keyed], *, now_ms: int) -> Timeline | None:
    """What the gateway has told of its boots, where one of these readings does not know its time by itself."""
    untimed = (
        record.times.earliest_ms is None and record.times.clock is not ClockState.SYNCED
        for _, record in records
        if isinstance(record, Observation)
    )
    heartbeat = last_heartbeat(connection, gateway) if any(untimed) else None
    return None if heartbeat is None else timeline_told(heartbeat[0], now_ms=now_ms)


def timeline_told(status: Status, *, now_ms: int) -> Timeline:
    """The boots of a gateway as it tells them."""
    return Timeline(status.boots, earliest_ms=_EARLIEST_MS, latest_ms=now_ms)
