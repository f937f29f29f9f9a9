"""Geometry of server-made charts: lines that stop at gaps, extremes that survive, no script needed.

A gap in the data is a gap in the drawing: lines never join across it, and the hatched area says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from kanhu.cloud.dashboard.languages import Language
from kanhu.cloud.dashboard.time_axis import Tick, time_ticks
from kanhu.cloud.desk.model import Trend, TrendKind
from kanhu.contract import QualityLevel

__all__ = ["Chart", "Mark", "RangeBar", "Spark", "range_bar", "spark", "trend_chart"]

SPARK_WIDTH = 92
SPARK_HEIGHT = 34
_SPARK_EDGE = 4
_LEAD = 0.04  # of the axis; what is empty before the first value is hatched from here on

CHART_WIDTH = 1000
"""Across, a chart is drawn in thousandths and stretched to the screen; down, in pixels."""
CHART_HEIGHT = 148
_TOP = 12
_BOTTOM = 122
_WHOLE_PERCENT = 100
_LEAST_SPANS = {"mmHg": 20.0, "/min": 20.0, "%": 6.0}
"""Of the value axis, by unit: a change nobody would act on must not fill the chart."""

Point = tuple[datetime, float | None, QualityLevel]


@dataclass(frozen=True, slots=True)
class Spark:
    """A small line: parts between gaps, the usual band, the newest value."""

    paths: tuple[str, ...]
    band: tuple[float, float] | None
    """Top and height."""
    dot: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class RangeBar:
    """Where a value lies against the usual range, in percent of the bar."""

    start: float
    width: float
    mark: float


@dataclass(frozen=True, slots=True)
class Mark:
    """One single reading worth a mark."""

    x: float
    y: float
    kind: str
    """`beyond` the limit, `questionable`, or `single` between two gaps."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One trend, ready to draw."""

    paths: tuple[str, ...]
    dots: str
    """Points that no line joins, as one path."""
    marks: tuple[Mark, ...]
    gaps: tuple[tuple[float, float], ...]
    """Start and width of hatched areas."""
    band: tuple[float, float] | None
    limit: float | None
    vertical: tuple[Tick, ...]
    horizontal: tuple[Tick, ...]
    top: float = _TOP
    height: float = _BOTTOM - _TOP


def spark(values: Sequence[float | None], band: tuple[float, float] | None) -> Spark:
    """The last values of the deciding metric."""
    known = [value for value in values if value is not None]
    if not known:
        return Spark((), None, None)
    low, high = _span([*known, *(band or ())])
    step = (SPARK_WIDTH - 2 * _SPARK_EDGE) / max(1, len(values) - 1)

    def y(value: float) -> float:
        return round(_SPARK_EDGE + (SPARK_HEIGHT - 2 * _SPARK_EDGE) * (high - value) / (high - low), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(_SPARK_EDGE + place * step, 1), y(value)))
    dot = runs[-1][-1] if runs[-1] else None
    return Spark(
        paths=tuple(_path(run) if len(run) > 1 else _dots(run) for run in runs if run),
        band=None if band is None else (y(band[1]), round(max(1.0, y(band[0]) - y(band[1])), 1)),
        dot=dot,
    )


def range_bar(value: float, usual: tuple[float, float]) -> RangeBar:
    """The usual range in the middle, with room for values far outside."""
    low, high = usual
    room = max(high - low, abs(high) * 0.02, 1e-9) * 1.5
    start, end = min(low - room, value), max(high + room, value)
    scale = 100 / (end - start)
    return RangeBar(
        start=round((low - start) * scale, 1),
        width=round(max(2.0, (high - low) * scale), 1),
        mark=round(min(98.0, max(2.0, (value - start) * scale)), 1),
    )


def trend_chart(trend: Trend, *, start: datetime, end: datetime, zone: tzinfo, language: Language) -> Chart:
    """One metric between two moments."""
    points = [point for point in trend.points if start <= point[0] <= end]
    values = [value for _, value, _ in points if value is not None]
    extra = [*(trend.band or ()), *(() if trend.limit is None else (trend.limit,))]
    axis = _axis(*_widened(*_span([*values, *extra] or [0.0, 1.0]), trend.unit))
    low, high = axis[0], axis[-1]
    seconds = (end - start).total_seconds()

    def x(moment: datetime) -> float:
        return round(CHART_WIDTH * (moment - start).total_seconds() / seconds, 1)

    def y(value: float) -> float:
        return round(_TOP + (_BOTTOM - _TOP) * (high - value) / (high - low), 1)

    paths: list[str] = []
    dots: list[tuple[float, float]] = []
    marks: list[Mark] = []
    for run in _runs(points):
        good = [(x(at), y(value)) for at, value, level in run if value is not None and level is QualityLevel.OK]
        kept = _thin(good)
        if trend.kind is TrendKind.DOTS:
            dots += dict.fromkeys(good)
        elif len(kept) > 1:
            paths.append(_path(kept))
        elif kept:
            marks.append(Mark(*kept[0], "single"))
        for at, value, level in run:
            if value is not None and level is not QualityLevel.OK:
                marks.append(Mark(x(at), y(value), "questionable"))
            elif value is not None and _is_beyond(value, trend):
                marks.append(Mark(x(at), y(value), "beyond"))
    return Chart(
        paths=tuple(paths),
        dots=_dots(dots),
        marks=tuple(_thin_marks(marks)),
        gaps=tuple((x(a), round(max(2.0, x(b) - x(a)), 1)) for a, b in _gaps(points, start, end)),
        band=None
        if trend.band is None
        else (y(trend.band[1]), round(max(1.0, y(trend.band[0]) - y(trend.band[1])), 1)),
        limit=None if trend.limit is None else y(trend.limit),
        vertical=tuple(Tick(y(value), language.number(round(value, 3))) for value in axis),
        horizontal=time_ticks(start, end, zone=zone, language=language, x=x),
    )


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    runs: list[list[Point]] = [[]]
    for point in points:
        if point[1] is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _gaps(points: Sequence[Point], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """From the last value before a named gap to the first one after it; the whole span where there is no value.

    What is empty before the first value is a gap as well, where it is longer than every pause a line crosses.
    """
    gaps: list[tuple[datetime, datetime]] = []
    since = start
    first = next((at for at, value, _ in points if value is not None), None)
    joined = [b[0] - a[0] for a, b in pairwise(points) if a[1] is not None and b[1] is not None]
    is_open = first is None or first - start > max([_LEAD * (end - start), *joined])
    for at, value, _ in points:
        if value is None:
            is_open = True
        else:
            if is_open:
                gaps.append((since, at))
            since, is_open = at, False
    if is_open:
        gaps.append((since, end))
    return gaps


def _thin(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most first, highest, lowest and last of each pixel column: a dip of one sample is still drawn."""
    columns: dict[int, list[tuple[float, float]]] = {}
    for point in run:
        columns.setdefault(int(point[0]), []).append(point)
    kept: list[tuple[float, float]] = []
    for column in columns.values():
        extremes = {min(column, key=lambda p: p[1]), max(column, key=lambda p: p[1])}
        kept.extend(point for point in dict.fromkeys(column) if point in extremes)
    return kept


def _thin_marks(marks: list[Mark]) -> list[Mark]:
    """One mark a column and kind, the outermost: hundreds on one spot say no more than one."""
    middle = (_TOP + _BOTTOM) / 2
    outermost: dict[tuple[int, str], Mark] = {}
    for mark in marks:
        key = (int(mark.x) // 4, mark.kind)
        if key not in outermost or abs(mark.y - middle) > abs(outermost[key].y - middle):
            outermost[key] = mark
    return list(outermost.values())


def _is_beyond(value: float, trend: Trend) -> bool:
    """A limit below the usual range is crossed downwards, one above it upwards."""
    if trend.limit is None:
        return False
    falls = trend.metric == "spo2" or (trend.band is not None and trend.limit < trend.band[0])
    return value <= trend.limit if falls else value >= trend.limit


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high - low > 1e-6 * max(1.0, abs(high)) else (low - 1, high + 1)


def _widened(low: float, high: float, unit: str) -> tuple[float, float]:
    """At least the least span of the unit around the values, never below nothing or above the whole."""
    missing = max(0.0, _LEAST_SPANS.get(unit, 0.0) - (high - low))
    below, above = low - missing / 2, high + missing / 2
    if unit == "%" and high <= _WHOLE_PERCENT < above:
        below, above = below - (above - _WHOLE_PERCENT), float(_WHOLE_PERCENT)
    if below < 0 <= low:
        below, above = 0.0, above - below
    return below, above


def _axis(low: float, high: float) -> list[float]:
    """Three to five round numbers that enclose the values."""
    raw = (high - low) / 3
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * place for place in range(first, last + 1)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points)


def _dots(points: Sequence[tuple[float, float]]) -> str:
    """Lines of no length, which round ends make visible: one path for hundreds of points."""
    return "".join(f"M{_short(x)} {_short(y)}h0" for x, y in points)


def _short(value: float) -> str:
    return f"{value:g}"
