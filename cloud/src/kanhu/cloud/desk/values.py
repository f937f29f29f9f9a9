"""A person's values as the resident page shows them: tiles, trends with their gaps, days, the usual range."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median

from sqlalchemy import Connection, select

from kanhu.cloud.desk.beats import beats_of
from kanhu.cloud.desk.model import Both, DailyValue, Trend, Vital
from kanhu.cloud.desk.words import SAID_BY_EVENT, unit_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.values import median as histogram_median
from kanhu.cloud.ledger.values import read_histogram, read_points
from kanhu.contract import METRICS, MetricKind, Observation, QualityLevel, decode_record, metric
from kanhu.vitals import RulePack
from kanhu.vitals.rules.records import Limit, ThresholdTrigger

BASELINE_DAYS = 60
_LEAST_DAYS = 14
_TOO_OLD_DAYS = 7  # a week without a value says nothing about today
_MINUTE_MS = 60_000
_HALF_HOUR_MS = 30 * _MINUTE_MS
_LEAST_GAP_MS = 10 * _MINUTE_MS
_LEAST_GAP_OF_DAYS_MS = 2 * 24 * 60 * _MINUTE_MS
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
    table = schema.last_record
    tiles: dict[str, Vital] = {}
    rows = connection.execute(select(table).where(table.c.subject == subject).order_by(table.c.at_ms))
    for row in rows:
        record = decode_record(row.record)
        if not isinstance(record, Observation):
            continue
        at = datetime.fromtimestamp(row.at_ms / 1000, UTC)
        said = None if record.word is None else SAID_BY_EVENT.get(record.word)
        shown = _shown(record) if said is None else [(record.metric, "")]
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
    for code in sorted(set(codes) - _NOT_SHOWN, key=list(METRICS).index):
        if days > _TOO_OLD_DAYS:
            points, least_gap_ms = _day_points(connection, subject, code, now=now, days=days), _LEAST_GAP_OF_DAYS_MS
        else:
            width_ms = _MINUTE_MS if days == 1 else _HALF_HOUR_MS
            points, least_gap_ms = _minute_points(connection, subject, code, from_ms, width_ms), _LEAST_GAP_MS
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


def days_of(connection: Connection, subject: str, *, since: date) -> tuple[DailyValue, ...]:
    """Roll-ups by day, newest first."""
    table = schema.daily
    rows = connection.execute(
        select(table)
        .where(table.c.subject == subject, table.c.day >= since.isoformat())
        .order_by(table.c.day.desc(), table.c.metric)
    )
    return tuple(
        DailyValue(
            day=date.fromisoformat(row.day),
            metric=row.metric,
            count=row.readings,
            low=metric(row.metric).value(row.low),
            high=metric(row.metric).value(row.high),
            mean=(Decimal(row.total) / row.readings / metric(row.metric).steps_per_unit).quantize(Decimal("0.1")),
        )
        for row in rows
    )


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


def _shown(record: Observation) -> list[tuple[str, str]]:
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
