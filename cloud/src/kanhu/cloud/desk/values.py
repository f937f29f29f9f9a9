"""A person's values as the resident page shows them: tiles, trends with their gaps, days, the usual range."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from statistics import median

from sqlalchemy import Connection, select

from kanhu.cloud.desk.beats import beats_of
from kanhu.cloud.desk.model import Both, DailyValue, Trend, Vital
from kanhu.cloud.desk.words import SAID_BY_EVENT, unit_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.assigned import assigned_points, codes_of, good_by_day, newest_assigned
from kanhu.cloud.ledger.values import Point, read_histogram, read_points
from kanhu.cloud.ledger.values import median as histogram_median
from kanhu.contract import METRICS, MetricKind, Observation, QualityLevel, decode_record, metric
from kanhu.vitals import RulePack
from kanhu.vitals.rules.records import Limit, ThresholdTrigger

BASELINE_DAYS = 60
_LEAST_DAYS = 14
_TOO_OLD_DAYS = 7  # a week without a value says nothing about today
_MINUTE_MS = 60_000
_HALF_HOUR_MS = 30 * _MINUTE_MS
_DAY_MS = 24 * 60 * _MINUTE_MS
_LEAST_GAP_MS = 10 * _MINUTE_MS
_LEAST_GAP_OF_DAYS_MS = 2 * _DAY_MS
_CHRONIC_LUNG = "copd"
_NOT_SHOWN = frozenset({"mean_pressure", "perfusion"})

_Points = list[tuple[int, float, QualityLevel]]


def usual_range(connection: Connection, subject: str, code: str) -> tuple[float, float] | None:
    """Tenth to ninetieth percentile of the daily medians of up to 60 days; None with fewer than 14 days."""
    table = schema.daily
    rows = connection.execute(
        select(table.c.histogram)
        .where(table.c.subject == subject, table.c.metric == code)
        .order_by(table.c.day.desc())
        .limit(BASELINE_DAYS)
    ).scalars()
    middles = sorted(histogram_median(read_histogram(row)) for row in rows)
    if len(middles) < _LEAST_DAYS:
        return None
    tenth = len(middles) // 10
    return float(metric(code).value(middles[tenth])), float(metric(code).value(middles[-1 - tenth]))


def vitals_of(connection: Connection, subject: str, *, now: datetime) -> tuple[Vital, ...]:
    """The last value of each kind; blood pressure is one tile."""
    tiles: dict[str, Vital] = {}
    for at_ms, record in _newest(connection, subject):
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        said = None if record.word is None else SAID_BY_EVENT.get(record.word)
        shown = shown_values(record) if said is None else [(record.metric, "")]
        for code, text in shown:
            tiles[code] = Vital(
                metric=code,
                label=label_of(code),
                text=text,
                said=said,
                unit=unit_of("systolic" if code == "bp" else code),
                at=at,
                quality=record.quality.level,
                reasons=tuple(reason.value for reason in record.quality.reasons),
                usual=usual_range(connection, subject, "systolic" if code == "bp" else code),
                too_old=now - at > timedelta(days=_TOO_OLD_DAYS),
            )
    return tuple(sorted(tiles.values(), key=lambda tile: list(METRICS).index(tile.metric)))


def trends_of(
    connection: Connection, subject: str, *, now: datetime, days: int, pack: RulePack, tags: Sequence[str]
) -> tuple[Trend, ...]:
    """One chart a scalar: minutes for a day, half hours for a week, days beyond; then the newest beats, if any."""
    from_ms = int((now - timedelta(days=days)).timestamp() * 1000)
    codes = connection.execute(select(schema.recent.c.metric).where(schema.recent.c.subject == subject)).scalars()
    trends = []
    for code in sorted({*codes, *codes_of(connection, subject)} - _NOT_SHOWN, key=list(METRICS).index):
        if days > _TOO_OLD_DAYS:
            width_ms, least_gap_ms = _DAY_MS, _LEAST_GAP_OF_DAYS_MS
            points = _day_points(connection, subject, code, now=now, days=days)
        else:
            width_ms, least_gap_ms = _MINUTE_MS if days == 1 else _HALF_HOUR_MS, _LEAST_GAP_MS
            points = _minute_points(connection, subject, code, from_ms, width_ms)
        assigned = assigned_points(connection, subject, code, since_ms=from_ms)
        points = sorted([*points, *_thinned(assigned, code, width_ms)])
        trends.append(
            Trend(
                metric=code,
                label=label_of(code),
                unit=unit_of(code),
                points=_with_gaps(points, now_ms=int(now.timestamp() * 1000), least_gap_ms=least_gap_ms),
                band=usual_range(connection, subject, code),
                limit=limit_of(pack, code, tags),
            )
        )
    beats = beats_of(connection, subject)
    return tuple(trends) if beats is None else (*trends, beats)


def days_of(connection: Connection, subject: str, *, since: date, zone: tzinfo) -> tuple[DailyValue, ...]:
    """Roll-ups by day, newest first, with what was assigned later."""
    table = schema.daily
    rows = connection.execute(select(table).where(table.c.subject == subject, table.c.day >= since.isoformat()))
    days = {(row.day, row.metric): (row.readings, row.low, row.high, row.total) for row in rows}
    since_ms = int(datetime.combine(since, time(), zone).timestamp() * 1000)
    for key, steps in good_by_day(connection, subject, since_ms=since_ms, zone=zone).items():
        readings, low, high, total = days.get(key, (0, steps[0], steps[0], 0))
        days[key] = (readings + len(steps), min(low, *steps), max(high, *steps), total + sum(steps))
    newest_first = sorted(sorted(days), key=lambda key: key[0], reverse=True)
    return tuple(_daily(day, code, *days[day, code]) for day, code in newest_first)


def _daily(day: str, code: str, readings: int, low: int, high: int, total: int) -> DailyValue:
    row = metric(code)
    mean = (Decimal(total) / readings / row.steps_per_unit).quantize(Decimal("0.1"))
    return DailyValue(date.fromisoformat(day), code, readings, row.value(low), row.value(high), mean)


def label_of(code: str) -> Both:
    """Name of a metric."""
    return Both(metric(code).zh, metric(code).en)


def limit_of(pack: RulePack, code: str, tags: Sequence[str]) -> float | None:
    """The set limit of a value for a person with these tags; None where no rule watches it."""
    for rule in pack.rules:
        if isinstance(rule.trigger, ThresholdTrigger):
            for limit in rule.trigger.limits:
                if limit.metric == code:
                    return _limit(limit, tags)
    return None


def _limit(limit: Limit, tags: Sequence[str]) -> float | None:
    low = limit.at_or_below
    if _CHRONIC_LUNG in tags and limit.chronic_lung_below is not None:
        low = limit.chronic_lung_below
    found = low if limit.at_or_above is None else limit.at_or_above
    return None if found is None else float(found)


def _newest(connection: Connection, subject: str) -> list[tuple[int, Observation]]:
    """The last reading of each kind, oldest first, whether it came with its name or was given one later."""
    table = schema.last_record
    rows = connection.execute(select(table.c.at_ms, table.c.record).where(table.c.subject == subject)).all()
    newest = {record.metric: (row.at_ms, record) for row in rows if (record := _observation(row.record)) is not None}
    for at_ms, _, record in newest_assigned(connection, subject):
        if record.metric not in newest or newest[record.metric][0] <= at_ms:
            newest[record.metric] = at_ms, record
    return sorted(newest.values(), key=lambda one: one[0])


def _observation(data: bytes) -> Observation | None:
    record = decode_record(data)
    return record if isinstance(record, Observation) else None


def _thinned(points: Sequence[Point], code: str, width_ms: int) -> _Points:
    """The mean of each span of time, where it is; the worst quality of a span is its quality."""
    spans: dict[int, list[Point]] = {}
    for point in points:
        spans.setdefault(point.at_ms // width_ms, []).append(point)
    unit = metric(code).steps_per_unit
    return [
        (
            (each[0].at_ms + each[-1].at_ms) // 2,
            sum(point.steps for point in each) / len(each) / unit,
            max((point.level for point in each), key=lambda level: level.value),
        )
        for each in spans.values()
    ]


def shown_values(record: Observation) -> list[tuple[str, str]]:
    """What a reading shows, metric and text without unit; blood pressure is one value."""
    if record.metric == "bp":
        systolic, diastolic = record.value("systolic"), record.value("diastolic")
        pressures = [] if systolic is None or diastolic is None else [("bp", f"{systolic:.0f}/{diastolic:.0f}")]
        pulse = record.value("pulse_cuff")
        return pressures if pulse is None else [*pressures, ("pulse_cuff", f"{pulse:.0f}")]
    values = ((part.metric, record.value(part.metric)) for part in record.parts)
    return [
        (code, f"{value.normalize():f}")
        for code, value in values
        if value is not None and metric(code).kind is MetricKind.SCALAR and code not in _NOT_SHOWN
    ]


def _minute_points(connection: Connection, subject: str, code: str, from_ms: int, width_ms: int) -> _Points:
    """Minutes up to the recent points, then those points themselves: the newest minutes are seen value by value."""
    recent = [point for point in read_points(connection, subject=subject, code=code) if point.at_ms >= from_ms]
    recent_ms = recent[0].at_ms if recent else 2**62
    table = schema.minute
    rows = connection.execute(
        select(table)
        .where(
            table.c.subject == subject,
            table.c.metric == code,
            table.c.minute >= from_ms // _MINUTE_MS,
            table.c.minute <= recent_ms // _MINUTE_MS,
        )
        .order_by(table.c.minute)
    )
    buckets: dict[int, list[tuple[int, int, int, QualityLevel]]] = {}
    for row in rows:
        # of the minute in which the recent points begin, what came before them
        own = [point.steps for point in recent if point.at_ms // _MINUTE_MS == row.minute]
        if row.readings > len(own):
            held = (row.minute, row.total - sum(own), row.readings - len(own), QualityLevel(row.level))
            buckets.setdefault(row.minute * _MINUTE_MS // width_ms, []).append(held)
    unit = metric(code).steps_per_unit
    points: _Points = [
        (
            # the middle of what is there: half an hour that has just begun must not stand in the future
            (minutes[0][0] * _MINUTE_MS + min((minutes[-1][0] + 1) * _MINUTE_MS, recent_ms)) // 2,
            sum(total for _, total, _, _ in minutes) / sum(readings for _, _, readings, _ in minutes) / unit,
            max((level for *_, level in minutes), key=lambda level: level.value),
        )
        for minutes in buckets.values()
    ]
    return points + [(point.at_ms, point.steps / unit, point.level) for point in recent]


def _day_points(connection: Connection, subject: str, code: str, *, now: datetime, days: int) -> _Points:
    """A day stands at its noon; today not later than now."""
    table, since = schema.daily, now.date() - timedelta(days=days)
    rows = connection.execute(
        select(table.c.day, table.c.histogram)
        .where(table.c.subject == subject, table.c.metric == code, table.c.day >= since.isoformat())
        .order_by(table.c.day)
    )
    unit = metric(code).steps_per_unit
    return [
        (
            int(min(now, datetime.fromisoformat(row.day).replace(hour=12, tzinfo=UTC)).timestamp() * 1000),
            histogram_median(read_histogram(row.histogram)) / unit,
            QualityLevel.OK,
        )
        for row in rows
    ]


def _with_gaps(
    points: _Points, *, now_ms: int, least_gap_ms: int
) -> tuple[tuple[datetime, float | None, QualityLevel], ...]:
    """A pause of more than three times the usual one, and longer than the least gap, is a gap; one until now, too."""
    pauses = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    longest_ms = max(3 * median(pauses or [0]), least_gap_ms)
    shown: list[tuple[datetime, float | None, QualityLevel]] = []
    for index, (at_ms, value, level) in enumerate(points):
        if index and pauses[index - 1] > longest_ms:
            middle_ms = at_ms - pauses[index - 1] // 2
            shown.append((datetime.fromtimestamp(middle_ms / 1000, UTC), None, QualityLevel.UNUSABLE))
        shown.append((datetime.fromtimestamp(at_ms / 1000, UTC), value, level))
    if points and now_ms - points[-1][0] > longest_ms:
        shown.append((datetime.fromtimestamp(now_ms / 1000, UTC), None, QualityLevel.UNUSABLE))
    return tuple(shown)
