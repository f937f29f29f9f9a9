"""Readings whose time is not known yet: stored, and shown once the gateway has told when its boots were.

A gateway without a clock learns the time from the county's first receipt and tells it with the next heartbeat, some
seconds after what it read before. Until then a reading enters no value, minute or day, or it would stand there twice.
Where the gateway does not tell in time, the reading is shown by when it was received: it was measured before that.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.segments import records_between
from kanhu.cloud.ledger.values import Reading
from kanhu.contract import Observation, Timeline

PATIENCE_MS = 150_000
"""Two heartbeats and some seconds; who has not told the time by then will not (project choice)."""
MOST_AT_ONCE = 5000
"""Readings released in one transaction; the rest follows with the next heartbeat."""

_TABLE = schema.untimed
_HOLD = insert(_TABLE)
_HELD = (
    select(_TABLE).where(_TABLE.c.gateway == bindparam("of")).order_by(_TABLE.c.epoch, _TABLE.c.seq).limit(MOST_AT_ONCE)
)
_LET_GO = delete(_TABLE).where(
    _TABLE.c.gateway == bindparam("of"), _TABLE.c.epoch == bindparam("in_epoch"), _TABLE.c.seq == bindparam("at")
)


def hold(connection: Connection, readings: Sequence[Reading]) -> None:
    """Keep the keys of these until their time is known."""
    if readings:
        connection.execute(
            _HOLD,
            [
                {
                    "gateway": reading.gateway,
                    "epoch": reading.epoch,
                    "seq": reading.seq,
                    "boot": reading.observation.times.boot,
                    "received_ms": reading.received_ms,
                }
                for reading in readings
            ],
        )


def release(connection: Connection, *, gateway: str, timeline: Timeline, now_ms: int) -> list[Reading]:
    """Let go of those whose time is known now, and of those that have waited long enough."""
    rows = connection.execute(_HELD, {"of": gateway}).all()
    due = [row for row in rows if timeline.is_bounded(row.boot) or now_ms - row.received_ms >= PATIENCE_MS]
    if not due:
        return []
    connection.execute(_LET_GO, [{"of": gateway, "in_epoch": row.epoch, "at": row.seq} for row in due])
    received_ms = {(row.epoch, row.seq): row.received_ms for row in due}
    return [
        Reading(gateway, epoch, seq, observation, received_ms[epoch, seq], timeline)
        for epoch in sorted({row.epoch for row in due})
        for seq, observation in _observations(
            connection, gateway, epoch, [row.seq for row in due if row.epoch == epoch]
        )
        if (epoch, seq) in received_ms
    ]


def _observations(
    connection: Connection, gateway: str, epoch: str, seqs: Sequence[int]
) -> Iterable[tuple[int, Observation]]:
    found = records_between(connection, gateway=gateway, epoch=epoch, first=seqs[0], last=seqs[-1])
    return ((seq, record) for seq, record in found if isinstance(record, Observation))
