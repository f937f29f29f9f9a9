"""What stored readings say about a person: the last of each kind, recent points, minutes and days.

Everything here follows from the segments and is the same in whatever order they came; only enrolled residents have
values. Values outside the sensor's range enter nothing but the last record; into days go only values that are ok and
whose time is known.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, or_, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.by_keys import among, by_keys
from kanhu.cloud.ledger.upsert import upsert
from kanhu.contract import (
    ClockState,
    EventWord,
    Interval,
    MetricKind,
    Observation,
    QualityLevel,
    SubjectKind,
    Timeline,
    encode_record,
    metric,
)
from kanhu.contract.clock import EARLIEST_PLAUSIBLE

RECENT_POINTS = 24
_MINUTE_MS = 60_000
_EARLIEST_MS = int(EARLIEST_PLAUSIBLE.timestamp() * 1000)
_FUTURE_MS = 5 * 60_000
"""A gateway may run ahead of the county by this much before its time is not believed."""
_KNOWN_WITHIN_MS = 60 * 60_000
"""An interval of an hour is shown by its middle; a wider one by its end, as not known (project choice)."""

_NOBODY_THERE = frozenset({EventWord.SIGN_MISSING, EventWord.DOSE_MISSED})
"""A gateway's own word that somebody gave no sign is no sign of that person."""

_ORDER = ("at_ms", "gateway", "epoch", "seq")
_LATER = insert(schema.last_record)
_KEEP_LAST = _LATER.on_conflict_do_update(
    index_elements=["subject", "metric"],
    set_={name: _LATER.excluded[name] for name in ("at_ms", "gateway", "epoch", "seq", "record")},
    # As `_order` has it: what is shown does not hang on what came together with what.
    where=tuple_(*(schema.last_record.c[name] for name in _ORDER))
    <= tuple_(*(_LATER.excluded[name] for name in _ORDER)),
)
_ENROLLED = select(schema.resident.c.id).where(among(schema.resident.c.id))
_READ_RECENT = select(schema.recent).where(among(schema.recent.c.subject, schema.recent.c.metric))
_KEEP_RECENT = upsert(schema.recent)
_MINUTE = insert(schema.minute)
_KEEP_MINUTES = _MINUTE.on_conflict_do_update(
    index_elements=["subject", "metric", "minute"],
    set_={
        "low": func.min(schema.minute.c.low, _MINUTE.excluded.low),
        "high": func.max(schema.minute.c.high, _MINUTE.excluded.high),
        "total": schema.minute.c.total + _MINUTE.excluded.total,
        "readings": schema.minute.c.readings + _MINUTE.excluded.readings,
        # ok < questionable < unusable, in the alphabet too: the worst quality of a minute is its quality
        "level": func.max(schema.minute.c.level, _MINUTE.excluded.level),
    },
)
_READ_DAYS = select(schema.daily).where(among(schema.daily.c.subject, schema.daily.c.metric, schema.daily.c.day))
_KEEP_DAY = upsert(schema.daily)
_SEE = (
    update(schema.resident)
    .where(
        schema.resident.c.id == bindparam("who"),
        or_(schema.resident.c.seen_ms.is_(None), schema.resident.c.seen_ms < bindparam("at")),
    )
    .values(seen_ms=bindparam("at"))
)


class Point(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One value in time."""

    at_ms: int
    steps: int
    level: QualityLevel
    seq: int


_points = msgspec.msgpack.Decoder(list[Point])
_histogram = msgspec.msgpack.Decoder(dict[int, int])
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reading:
    """One stored observation with its key."""

    gateway: str
    epoch: str
    seq: int
    observation: Observation
    received_ms: int
    timeline: Timeline | None = None
    """What the gateway has told of its boots; needed only where the record itself does not know when it was."""

    def known_ms(self) -> int | None:
        """When it was measured; None where that is not known to the hour, or the gateway's clock cannot be believed."""
        times = self.observation.times
        shown_ms, believed = times.shown_ms(), times.earliest_ms is not None or times.clock is not ClockState.UNSET
        interval = self._interval()
        if interval is not None:
            narrow = interval.latest_ms - interval.earliest_ms <= _KNOWN_WITHIN_MS
            believed = narrow or (believed and interval.earliest_ms <= shown_ms <= interval.latest_ms)
            shown_ms = interval.middle_ms if narrow else shown_ms
        return shown_ms if believed and _EARLIEST_MS <= shown_ms <= self.received_ms + _FUTURE_MS else None

    def at_ms(self) -> int:
        """When it was measured, else the latest that it can have been: when it was received, if nothing better."""
        known_ms = self.known_ms()
        if known_ms is not None:
            return known_ms
        interval = self._interval()
        return self.received_ms if interval is None else min(interval.latest_ms, self.received_ms)

    def is_pending(self) -> bool:
        """Whether the gateway will tell when this was, and has not yet."""
        boot = self.observation.times.boot
        told = self._interval() is not None
        return told and self.timeline is not None and not self.timeline.is_bounded(boot)

    def _interval(self) -> Interval | None:
        """By the gateway's boots, where the record does not know it itself."""
        times = self.observation.times
        if self.timeline is None or times.earliest_ms is not None or times.clock is ClockState.SYNCED:
            return None
        return self.timeline.interval(times.boot, times.mono_ns)


_Key = tuple[str, str]
_ByPart = dict[_Key, list[tuple[Reading, int]]]
"""Values within the sensor's range, by resident and metric."""


def keep_values(connection: Connection, readings: Iterable[Reading], *, timezone: tzinfo) -> None:
    """Bring last values, recent points, minutes and days up to date with newly stored readings."""
    claimed = [reading for reading in readings if reading.observation.subject.kind is SubjectKind.RESIDENT]
    enrolled = {
        row.id for row in by_keys(connection, _ENROLLED, {reading.observation.subject.id for reading in claimed})
    }
    own = [reading for reading in claimed if reading.observation.subject.id in enrolled]
    if not own:
        return
    _keep_last(connection, own)
    by_part: _ByPart = defaultdict(list)
    for reading in own:
        for part in reading.observation.parts:
            row = metric(part.metric)
            if row.kind is MetricKind.SCALAR and is_in_range(part.metric, part.steps[0]):
                by_part[reading.observation.subject.id, part.metric].append((reading, part.steps[0]))
    if by_part:
        _keep_recent(connection, by_part)
        _keep_minutes(connection, by_part)
        _keep_days(connection, by_part, timezone)
    _keep_seen(connection, own)


def median(histogram: Mapping[int, int]) -> int:
    """Middle value in steps; the lower middle of an even count.

    Raises:
        ValueError: no values.
    """
    wanted = (sum(histogram.values()) + 1) // 2
    for steps in sorted(histogram):
        wanted -= histogram[steps]
        if wanted <= 0:
            return steps
    raise ValueError("no values")


def read_histogram(data: bytes) -> dict[int, int]:
    """A day's values in coarse steps, with how often each came."""
    return _histogram.decode(data)


def read_points(connection: Connection, *, subject: str, code: str) -> list[Point]:
    """Recent points, oldest first."""
    return _recent(connection, [(subject, code)]).get((subject, code), [])


def _recent(connection: Connection, keys: Collection[_Key]) -> dict[_Key, list[Point]]:
    return {(row.subject, row.metric): _points.decode(row.points) for row in by_keys(connection, _READ_RECENT, keys)}


def is_in_range(code: str, steps: int) -> bool:
    """Whether the sensor of this metric can report such a value at all."""
    row = metric(code)
    value = Decimal(steps) / row.steps_per_unit
    return (row.low is None or value >= row.low) and (row.high is None or value <= row.high)


def _keep_last(connection: Connection, readings: list[Reading]) -> None:
    newest: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        key = (reading.observation.subject.id, reading.observation.metric)
        if key not in newest or _order(reading) > _order(newest[key]):
            newest[key] = reading
    connection.execute(
        _KEEP_LAST,
        [
            {
                "subject": subject,
                "metric": code,
                "at_ms": reading.at_ms(),
                "gateway": reading.gateway,
                "epoch": reading.epoch,
                "seq": reading.seq,
                "record": encode_record(reading.observation),
            }
            for (subject, code), reading in newest.items()
        ],
    )


def _order(reading: Reading) -> tuple[int, str, str, int]:
    return reading.at_ms(), reading.gateway, reading.epoch, reading.seq


def _keep_recent(connection: Connection, by_part: _ByPart) -> None:
    held = _recent(connection, by_part)
    kept = []
    for (subject, code), values in by_part.items():
        points = {*held.get((subject, code), ())}
        points |= {
            Point(reading.at_ms(), steps, reading.observation.quality.level, reading.seq) for reading, steps in values
        }
        newest = _encode(sorted(points)[-RECENT_POINTS:])
        kept.append({"subject": subject, "metric": code, "points": newest})
    connection.execute(_KEEP_RECENT, kept)


def _keep_minutes(connection: Connection, by_part: _ByPart) -> None:
    buckets: defaultdict[tuple[str, str, int], list[tuple[int, QualityLevel]]] = defaultdict(list)
    for (subject, code), values in by_part.items():
        for reading, steps in values:
            buckets[subject, code, reading.at_ms() // _MINUTE_MS].append((steps, reading.observation.quality.level))
    connection.execute(
        _KEEP_MINUTES,
        [
            {
                "subject": subject,
                "metric": code,
                "minute": at,
                "low": min(steps for steps, _ in bucket),
                "high": max(steps for steps, _ in bucket),
                "total": sum(steps for steps, _ in bucket),
                "readings": len(bucket),
                "level": max(level.value for _, level in bucket),
            }
            for (subject, code, at), bucket in buckets.items()
        ],
    )


def _keep_days(connection: Connection, by_part: _ByPart, timezone: tzinfo) -> None:
    days: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for (subject, code), values in by_part.items():
        for reading, steps in values:
            known_ms = reading.known_ms()
            if known_ms is not None and reading.observation.quality.level is QualityLevel.OK:
                day = datetime.fromtimestamp(known_ms / 1000, UTC).astimezone(timezone).date().isoformat()
                days[subject, code, day].append(steps)
    if not days:
        return
    held = {(row.subject, row.metric, row.day): row for row in by_keys(connection, _READ_DAYS, days)}
    connection.execute(_KEEP_DAY, [_rolled(key, of_day, held.get(key)) for key, of_day in days.items()])


def _rolled(key: tuple[str, str, str], of_day: list[int], held: Row[Any] | None) -> dict[str, Any]:
    """The row of a day, with these values beside those that it holds."""
    subject, code, day = key
    histogram = {} if held is None else read_histogram(held.histogram)
    coarse = max(1, metric(code).steps_per_unit // 10)
    for value in of_day:
        bucket = value // coarse * coarse
        histogram[bucket] = histogram.get(bucket, 0) + 1
    lows, highs = (of_day, of_day) if held is None else ([*of_day, held.low], [*of_day, held.high])
    return {
        "subject": subject,
        "metric": code,
        "day": day,
        "readings": len(of_day) + (0 if held is None else held.readings),
        "low": min(lows),
        "high": max(highs),
        "total": sum(of_day) + (0 if held is None else held.total),
        "histogram": _encode(dict(sorted(histogram.items()))),
    }


def _keep_seen(connection: Connection, readings: list[Reading]) -> None:
    seen: dict[str, int] = {}
    for reading in readings:
        if reading.observation.word in _NOBODY_THERE or reading.observation.value("inactivity"):
            continue
        person = reading.observation.subject.id
        seen[person] = max(seen.get(person, 0), reading.at_ms())
    if seen:
        connection.execute(_SEE, [{"who": person, "at": at_ms} for person, at_ms in seen.items()])
