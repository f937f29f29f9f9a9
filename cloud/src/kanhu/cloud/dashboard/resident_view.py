"""The resident page as a template wants it: tiles with range bars, charts, and the same numbers as tables."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from kanhu.cloud.dashboard.board_view import RowView, row_view
from kanhu.cloud.dashboard.charts import Chart, RangeBar, range_bar, trend_chart
from kanhu.cloud.dashboard.languages import Language
from kanhu.cloud.desk.model import ResidentPage, Trend, Viewer, Vital

__all__ = ["PERIODS", "ChartView", "ResidentView", "VitalView", "resident_view"]

PERIODS = (1, 7, 90)
"""Days a trend may show."""

_MOST_TABLE_ROWS = 60  # a table is read by people; more rows are in the chart


@dataclass(frozen=True, slots=True)
class VitalView:
    """One tile."""

    vital: Vital
    bar: RangeBar | None
    difference: float | None
    """How far outside the usual range, signed; None inside it or without one."""


@dataclass(frozen=True, slots=True)
class ChartView:
    """One chart and its table, newest first."""

    trend: Trend
    chart: Chart
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
    # The newest reading may be stamped a moment after this request began.
    horizon = end + timedelta(minutes=1)
    charts = []
    for trend in page.trends:
        chart = trend_chart(trend, start=start, end=horizon, zone=zone, language=language)
        rows = [(at, value, level.value) for at, value, level in reversed(trend.points) if start <= at <= horizon]
        charts.append(ChartView(trend, chart, tuple(rows[:_MOST_TABLE_ROWS]), len(rows) > _MOST_TABLE_ROWS))
    return ResidentView(
        page=page,
        alerts=tuple(row_view(row, viewer, now=end) for row in page.alerts),
        vitals=tuple(_vital_view(vital) for vital in page.vitals),
        charts=tuple(charts),
    )


def _vital_view(vital: Vital) -> VitalView:
    try:
        value = float(vital.text.split("/")[0])
    except ValueError:
        return VitalView(vital, None, None)
    if vital.usual is None:
        return VitalView(vital, None, None)
    low, high = vital.usual
    difference = round(value - high, 1) if value > high else round(value - low, 1) if value < low else None
    return VitalView(vital, range_bar(value, vital.usual), difference)
