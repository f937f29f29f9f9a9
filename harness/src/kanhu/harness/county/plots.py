"""Plots as inline SVG: no script, colours from the page's own style, shapes beside colours, one text for the ear.

Sizes are in units of the drawing; a drawing is as wide as its card.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = [
    "CROWD",
    "Bar",
    "Mark",
    "Point",
    "aim_bars",
    "bars",
    "chance_band",
    "columns",
    "cumulative",
    "funnel",
    "strip",
]

_WIDTH = 440
_WIDE = 1080
_ROW = 26
CROWD = 250
"""Marks in one row that can still be told apart; more are drawn as a band."""
_ON_TOP = {"found": 0, "late": 1, "missed": 2}


@dataclass(frozen=True, slots=True)
class Mark:
    """One event on a strip."""

    at: float
    """0 is the left end, 1 the right end."""
    kind: str
    """`found`, `late` or `missed`: colour and shape."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a label, and how much of what."""

    label: str
    parts: tuple[tuple[str, float], ...]
    """Style and length, from left to right."""
    note: str


@dataclass(frozen=True, slots=True)
class Point:
    """One village of a funnel."""

    label: str
    trials: int
    successes: int
    style: str


def strip(rows: Sequence[tuple[str, Sequence[Mark]]], *, ticks: Sequence[tuple[float, str]], title: str) -> str:
    """Events in time, a row a kind; missed ones are drawn last, on top."""
    left, right = 264, _WIDE - 14
    height = len(rows) * _ROW + 34
    parts: list[str] = []
    for at, text in ticks:
        x = left + at * (right - left)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 24}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{escape(text)}</text>')
    for number, (label, marks) in enumerate(rows):
        y = 4 + (number + 0.5) * _ROW
        parts.append(f'<text x="{left - 12}" y="{y + 4.5:.1f}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        crowded = len(marks) > CROWD
        if crowded:
            places = sorted({round(mark.at * CROWD) / CROWD for mark in marks if mark.kind == "found"})
            parts += [_many(left + at * (right - left), y) for at in places]
        shown = [mark for mark in marks if not crowded or mark.kind != "found"]
        shown.sort(key=lambda mark: (_ON_TOP[mark.kind], mark.at))
        parts += [_mark(left + mark.at * (right - left), y, mark.kind) for mark in shown]
    return _svg(parts, width=_WIDE, height=height, title=title)


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Stacked bars, each as long as the next: shares of what its row holds."""
    left, right = 6, _WIDTH - 6
    parts: list[str] = []
    for number, row in enumerate(rows):
        y = number * 38 + 14
        parts.append(f'<text x="{left}" y="{y}">{escape(row.label)}</text>')
        parts.append(f'<text class="num" x="{right}" y="{y}" text-anchor="end">{escape(row.note)}</text>')
        whole = sum(length for _, length in row.parts) or 1
        x = float(left)
        for style, length in row.parts:
            width = length / whole * (right - left)
            if width > 0:
                parts.append(f'<rect class="{style}" x="{x:.1f}" y="{y + 6}" width="{width:.1f}" height="11"/>')
            x += width
    return _svg(parts, width=_WIDTH, height=len(rows) * 38 + 4, title=title)


def aim_bars(rows: Sequence[Bar], *, aim: float, aim_label: str, title: str) -> str:
    """Bars with one upright line that none should cross."""
    most = max([aim * 1.25, *(sum(length for _, length in row.parts) for row in rows)])
    left, right = 6, _WIDTH - 6
    height = len(rows) * 38 + 26
    parts: list[str] = []
    for number, row in enumerate(rows):
        y = number * 38 + 14
        parts.append(f'<text x="{left}" y="{y}">{escape(row.label)}</text>')
        parts.append(f'<text class="num" x="{right}" y="{y}" text-anchor="end">{escape(row.note)}</text>')
        x = float(left)
        for style, length in row.parts:
            width = length / most * (right - left)
            parts.append(f'<rect class="{style}" x="{x:.1f}" y="{y + 6}" width="{width:.1f}" height="11"/>')
            x += width
        aim_x = left + aim / most * (right - left)
        parts.append(f'<line class="aim" x1="{aim_x:.1f}" x2="{aim_x:.1f}" y1="{y + 4}" y2="{y + 20}"/>')
    x = left + aim / most * (right - left)
    anchor = "start" if x < _WIDTH / 2 else "end"
    parts.append(f'<text class="small" x="{x:.1f}" y="{height - 6}" text-anchor="{anchor}">{escape(aim_label)}</text>')
    return _svg(parts, width=_WIDTH, height=height, title=title)


def columns(
    values: Mapping[str, Sequence[float]], *, shaded: frozenset[int], x_axis: str, y_axis: str, title: str
) -> str:
    """Stacked columns, one an hour of the day; shaded hours are night."""
    count = max((len(row) for row in values.values()), default=0)
    sums = [sum(row[hour] for row in values.values()) for hour in range(count)]
    most = max(sums, default=0) or 1
    left, right, top, bottom = 34, _WIDTH - 6, 26, 186
    step = (right - left) / max(count, 1)
    parts = [
        f'<rect class="night" x="{left + hour * step:.1f}" y="{top}" width="{step:.1f}" height="{bottom - top}"/>'
        for hour in sorted(shaded)
    ]
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = f"{most * share:.3g}"
        parts.append(f'<text class="small" x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for hour in range(count):
        y = float(bottom)
        for style, row in values.items():
            height = row[hour] / most * (bottom - top)
            y -= height
            if height > 0:
                x = left + (hour + 0.14) * step
                size = f'width="{step * 0.72:.1f}" height="{height:.1f}"'
                parts.append(f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" {size}/>')
        if hour % 6 == 0:
            x = left + hour * step
            parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{hour:02d}</text>')
    parts.append(f'<text class="small" x="{right:.1f}" y="{bottom + 16}" text-anchor="middle">24</text>')
    parts += _axes(x_axis, y_axis, middle=(left + right) / 2, bottom=bottom)
    return _svg(parts, width=_WIDTH + 8, height=bottom + 38, title=title)


def cumulative(
    series: Sequence[tuple[str, Sequence[float]]],
    *,
    ticks: Sequence[tuple[float, str]],
    x_axis: str,
    y_axis: str,
    title: str,
) -> str:
    """Share that is over after so many seconds; the axis is logarithmic from the first tick to the last."""
    left, right, top, bottom = 36, _WIDTH - 10, 26, 196
    lowest, highest = math.log(ticks[0][0]), math.log(ticks[-1][0])
    parts: list[str] = []
    for share in (0.0, 0.5, 0.95, 1.0):
        y = bottom - share * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if share < 1:
            label = f"{share:.0%}"
            parts.append(f'<text class="small" x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for seconds, text in ticks:
        x = left + (math.log(seconds) - lowest) / (highest - lowest) * (right - left)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>')
    for style, values in series:
        path = [f"M{left} {bottom}"]
        for number, seconds in enumerate(sorted(values), 1):
            at = min(max(math.log(max(seconds, 1e-9)), lowest), highest)
            x = left + (at - lowest) / (highest - lowest) * (right - left)
            path.append(f"H{x:.1f}V{bottom - number / len(values) * (bottom - top):.1f}")
        if values:
            parts.append(f'<path class="{style}" d="{"".join(path)}H{right}"/>')
    parts += _axes(x_axis, y_axis, middle=(left + right) / 2, bottom=bottom)
    return _svg(parts, width=_WIDTH + 12, height=bottom + 38, title=title)


def funnel(points: Sequence[Point], *, x_axis: str, y_axis: str, title: str) -> str:
    """Share by size, with where chance alone would leave 95 and 99.8 of 100 places."""
    left, right, top, bottom = 40, _WIDTH - 10, 28, 228
    trials = sum(point.trials for point in points)
    mean = sum(point.successes for point in points) / trials if trials else 0.0
    most = max([10, *(point.trials for point in points)]) * 1.08
    parts: list[str] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - share * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="small" x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for deviations, style in ((1.96, "limit95"), (3.09, "limit998")):
        for side in (0, 1):
            path = []
            for step in range(1, 61):
                size = most * step / 60
                share = chance_band(mean, size, deviations=deviations)[side]
                path.append(f"{left + size / most * (right - left):.1f} {bottom - share * (bottom - top):.1f}")
            parts.append(f'<path class="{style}" d="M{"L".join(path)}"/>')
    y = bottom - mean * (bottom - top)
    parts.append(f'<line class="mean" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for point in points:
        if not point.trials:
            continue
        x = left + point.trials / most * (right - left)
        y = bottom - point.successes / point.trials * (bottom - top)
        name = f"<title>{escape(point.label)}: {point.successes}/{point.trials}</title>"
        shape = (
            f'<path class="{point.style}" d="M{x:.1f} {y - 6:.1f}l6 6-6 6-6-6z">{name}</path>'
            if point.style == "weak"
            else f'<circle class="{point.style}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">{name}</circle>'
        )
        parts.append(shape)
    for tick in _round_ticks(most):
        x = left + tick / most * (right - left)
        parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick}</text>')
    parts += _axes(x_axis, y_axis, middle=(left + right) / 2, bottom=bottom)
    return _svg(parts, width=_WIDTH, height=bottom + 38, title=title)


def chance_band(mean: float, size: float, *, deviations: float) -> tuple[float, float]:
    """Between which shares a place of this size lies by chance alone (normal approximation)."""
    wide = deviations * math.sqrt(mean * (1 - mean) / size)
    return max(0.0, mean - wide), min(1.0, mean + wide)


def _axes(x_axis: str, y_axis: str, *, middle: float, bottom: float) -> list[str]:
    """What is counted upwards, above the drawing; what to the right, below its ticks."""
    return [
        f'<text class="small" x="0" y="12">{escape(y_axis)}</text>',
        f'<text class="small" x="{middle:.1f}" y="{bottom + 33:g}" text-anchor="middle">{escape(x_axis)}</text>',
    ]


def _round_ticks(most: float) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10**9) if most / step <= 6)
    return [*range(step, int(most) + 1, step)]


def _many(x: float, y: float) -> str:
    return f'<rect class="m-many" x="{x - 1.2:.1f}" y="{y - 3:.1f}" width="2.4" height="6"/>'


def _mark(x: float, y: float, kind: str) -> str:
    if kind == "missed":
        return f'<path class="m-missed" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8"/>'
    if kind == "late":
        return f'<path class="m-late" d="M{x:.1f} {y - 5:.1f}l5 9h-10z"/>'
    return f'<circle class="m-found" cx="{x:.1f}" cy="{y:.1f}" r="3.4"/>'


def _svg(parts: Sequence[str], *, width: float, height: float, title: str) -> str:
    said = escape(title, quote=True)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
