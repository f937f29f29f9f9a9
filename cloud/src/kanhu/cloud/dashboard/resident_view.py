"""The resident page as a template wants it: tiles with range bars, charts, and the same numbers as tables."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from kanhu.cloud.dashboard.board_view import RowView, row_view
from kanhu.cloud.dashboard.charts import Chart, RangeBar, range_bar, trend_chart
from kanhu.cloud.dashboard.languages import Language
from kanhu.cloud.dashboard.time_axis import axis_start
from kanhu.cloud.desk.model import AlertRow, ResidentPage, Trend, TrendKind, Viewer, Vital
from kanhu.contract import Priority

__all__ = ["PERIODS", "ChartView", "ResidentView", "VitalView", "resident_view"]

PERIODS = (1, 7, 90)
"""Days a trend may show."""

_MOST_TABLE_ROWS = 60  # a table is read by people; more rows are in the chart
_AHEAD = timedelta(minutes=1)  # the newest reading may be stamped a moment after this request began
_LEAST_DOTS_SPAN = timedelta(minutes=1)
_TILES = {"systolic": "bp", "diastolic": "bp", "mean_pressure": "bp"}
"""Tile of a metric that has none of its own."""


@dataclass(frozen=True, slots=True)
class VitalView:
    """One tile."""

    vital: Vital
    bar: RangeBar | None
    difference: float | None
    """How far outside the usual range, signed; None inside it or without one."""
    priority: Priority | None
    """Of the first open alert about this value, while its condition lasts."""


@dataclass(frozen=True, slots=True)
class ChartView:
    """One chart and its table, newest first."""

    trend: Trend
    chart: Chart
    span: tuple[datetime, datetime] | None
    """First and last value drawn; None where there is none."""
    table: tuple[tuple[datetime, float | None, str], ...]
    is_shortened: bool


@dataclass(frozen=True, slots=True)
class ResidentView:
    """One resident, arranged."""

    page: ResidentPage
    alerts: tuple[RowView, ...]
    vitals: tuple[VitalView, ...]
    charts: tuple[ChartView, ...]


def resident_view(
    page: ResidentPage, viewer: Viewer, *, start: datetime, end: datetime, zone: tzinfo, language: Language
) -> ResidentView:
    """Arrange one resident for the span between two moments."""
    measured = [trend for trend in page.trends if trend.kind is TrendKind.LINE]
    beats = [trend for trend in page.trends if trend.kind is TrendKind.DOTS]
    moments = [at for trend in measured for at in _moments(trend) if start <= at <= end + _AHEAD]
    horizon = max([end, *moments])
    start = axis_start(moments, start=start, end=horizon)
    charts = [_chart_view(trend, start=start, end=horizon, zone=zone, language=language) for trend in measured]
    for trend in beats:
        moments = _moments(trend)
        if moments:
            first, last = min(moments), max(moments)
            last = max(last, first + _LEAST_DOTS_SPAN)
            charts.append(_chart_view(trend, start=first, end=last, zone=zone, language=language))
    return ResidentView(
        page=page,
        alerts=tuple(row_view(row, viewer, now=end) for row in page.alerts),
        vitals=tuple(_vital_view(vital, page.alerts) for vital in page.vitals),
        charts=tuple(charts),
    )


def _moments(trend: Trend) -> list[datetime]:
    return [at for at, value, _ in trend.points if value is not None]


def _chart_view(trend: Trend, *, start: datetime, end: datetime, zone: tzinfo, language: Language) -> ChartView:
    points = [point for point in trend.points if start <= point[0] <= end]
    moments = [at for at, value, _ in points if value is not None]
    rows = [(at, value, level.value) for at, value, level in reversed(points)]
    return ChartView(
        trend=trend,
        chart=trend_chart(trend, start=start, end=end, zone=zone, language=language),
        span=(moments[0], moments[-1]) if moments else None,
        table=tuple(rows[:_MOST_TABLE_ROWS]),
        is_shortened=len(rows) > _MOST_TABLE_ROWS,
    )


def _vital_view(vital: Vital, alerts: tuple[AlertRow, ...]) -> VitalView:
    priority = next(
        (
            row.priority
            for row in alerts
            if row.handling != "closed"
            and row.condition == "present"
            and _TILES.get(row.metric, row.metric) == vital.metric
        ),
        None,
    )
    try:
        value = float(vital.text.split("/")[0])
    except ValueError:
        return VitalView(vital, None, None, priority)
    if vital.usual is None:
        return VitalView(vital, None, None, priority)
    low, high = vital.usual
    difference = round(value - high, 1) if value > high else round(value - low, 1) if value < low else None
    return VitalView(vital, range_bar(value, vital.usual), difference, priority)
