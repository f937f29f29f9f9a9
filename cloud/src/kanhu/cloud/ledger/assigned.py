"""A person's readings that a member of staff assigned to them later, as the screens need them.

They stand beside the roll-ups and not in them, so that what was assigned by mistake can be taken back: they are shown
as values, points and days, and enter neither the usual range nor the nightly comparison with it.
"""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.values import RECENT_POINTS, Point, is_in_range, read_points
from kanhu.contract import METRICS, MetricKind, Observation, QualityLevel, decode_record, metric

__all__ = [
    "Assigned",
    "assigned_points",
    "assigned_readings",
    "codes_of",
    "good_by_day",
    "newest_assigned",
    "recent_points",
]

_TABLE = schema.assigned
_COLUMNS = select(_TABLE.c.at_ms, _TABLE.c.seq, _TABLE.c.record).where(
    _TABLE.c.resident == bindparam("of"), _TABLE.c.at_ms >= bindparam("since")
)
_OF = _COLUMNS.order_by(_TABLE.c.at_ms, _TABLE.c.seq)
_PANELS = {
    code: tuple(row.code for row in METRICS.values() if code in (row.parts or (row.code,)))
    for code, each in METRICS.items()
    if each.kind is MetricKind.SCALAR
}
"""In which metrics of a reading each scalar comes."""


class Assigned(NamedTuple):
    """One reading, as this person's."""

    at_ms: int
    seq: int
    observation: Observation


def assigned_readings(connection: Connection, resident: str, *, since_ms: int = 0) -> list[Assigned]:
    """Oldest first."""
    rows = connection.execute(_OF, {"of": resident, "since": since_ms})
    return [found for row in rows if (found := _assigned(*row)) is not None]


def newest_assigned(connection: Connection, resident: str) -> list[Assigned]:
    """The newest reading of each metric."""
    metrics = connection.execute(select(_TABLE.c.metric).where(_TABLE.c.resident == resident).distinct()).scalars()
    return [found for code in metrics.all() if (found := _newest(connection, resident, code)) is not None]


def codes_of(connection: Connection, resident: str) -> set[str]:
    """Scalars of which some were assigned."""
    metrics = set(connection.execute(select(_TABLE.c.metric).where(_TABLE.c.resident == resident).distinct()).scalars())
    return {code for code, panels in _PANELS.items() if metrics.intersection(panels)}


def assigned_points(connection: Connection, resident: str, code: str, *, since_ms: int = 0) -> list[Point]:
    """Values of one scalar within the sensor's range, oldest first."""
    panels = _PANELS.get(code, ())
    rows = connection.execute(_OF.where(_TABLE.c.metric.in_(panels)), {"of": resident, "since": since_ms})
    points = []
    for at_ms, seq, observation in filter(None, (_assigned(*row) for row in rows)):
        steps = observation.series(code)
        if steps and is_in_range(code, steps[0]):
            points.append(Point(at_ms, steps[0], observation.quality.level, seq))
    return points


def recent_points(connection: Connection, resident: str, code: str) -> list[Point]:
    """The newest values of one scalar, assigned ones among them, oldest first."""
    own = read_points(connection, subject=resident, code=code)
    since_ms = own[0].at_ms if own else 0
    return sorted([*own, *assigned_points(connection, resident, code, since_ms=since_ms)])[-RECENT_POINTS:]


def good_by_day(
    connection: Connection, resident: str, *, since_ms: int, zone: tzinfo
) -> dict[tuple[str, str], list[int]]:
    """Steps of good values by local day (ISO) and scalar, as the roll-ups count them."""
    days: dict[tuple[str, str], list[int]] = {}
    for at_ms, _, observation in assigned_readings(connection, resident, since_ms=since_ms):
        if observation.quality.level is not QualityLevel.OK:
            continue
        day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date().isoformat()
        for part in observation.parts:
            if metric(part.metric).kind is MetricKind.SCALAR and is_in_range(part.metric, part.steps[0]):
                days.setdefault((day, part.metric), []).append(part.steps[0])
    return days


def _newest(connection: Connection, resident: str, code: str) -> Assigned | None:
    latest_first = _COLUMNS.order_by(_TABLE.c.at_ms.desc(), _TABLE.c.seq.desc()).limit(1)
    row = connection.execute(latest_first.where(_TABLE.c.metric == code), {"of": resident, "since": 0}).first()
    return None if row is None else _assigned(*row)


def _assigned(at_ms: int, seq: int, data: bytes) -> Assigned | None:
    record = decode_record(data)
    return Assigned(at_ms, seq, record) if isinstance(record, Observation) else None
