"""The picture of all figures: one line each, the published range as a bar, the simulated people as a whisker and a dot.

Plain SVG, so that it opens anywhere and the same figures give the same bytes.
"""

from collections.abc import Sequence
from html import escape

from kanhu.firmware_sim.ranges.figures import Figure

_ROW, _TOP, _LEFT, _PLOT, _RIGHT = 26, 64, 250, 430, 500
_WIDTH = _LEFT + _PLOT + _RIGHT
_MARGIN_SHARE = 0.15
_BAR, _WHISKER, _HOLDS, _FAILS, _TEXT = "#bfd8c8", "#5b6770", "#1f6f43", "#b3261e", "#1c2328"


_LEGEND = (
    "bar: published range (thin: what chance adds among so few people); dot: simulated people; "
    "line: the middle 95 % of them; every row has its own scale"
)


def draw_picture(figures: Sequence[Figure], *, title: str) -> str:
    """The whole SVG."""
    height = _TOP + _ROW * len(figures) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{_TEXT}" role="img" aria-label="{escape(title, quote=True)}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="14" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
        f'<text x="14" y="44">{_LEGEND}</text>',
    ]
    for number, figure in enumerate(figures):
        lines += _row(figure, _TOP + _ROW * number + _ROW / 2)
    return "\n".join([*lines, "</svg>", ""])


def _row(figure: Figure, middle: float) -> list[str]:
    low, high = min(figure.published[0], *figure.spread), max(figure.published[1], *figure.spread)
    low, high = min(low, figure.published[0] - figure.slack), max(high, figure.published[1] + figure.slack)
    low, high = min(low, figure.value), max(high, figure.value)
    room = (high - low or 1.0) * _MARGIN_SHARE
    low, high = low - room, high + room

    def across(value: float) -> float:
        return round(_LEFT + _PLOT * (value - low) / (high - low), 1)

    colour = _HOLDS if figure.holds else _FAILS
    first, last = across(figure.published[0]), across(figure.published[1])
    loose_first, loose_last = across(figure.published[0] - figure.slack), across(figure.published[1] + figure.slack)
    words = f"{figure.value:.4g} {figure.unit} ({figure.published[0]:g} to {figure.published[1]:g}); {figure.source}"
    baseline = middle + 4
    return [
        f'<text x="{_LEFT - 12}" y="{baseline}" text-anchor="end">{escape(figure.name)}</text>',
        f'<rect x="{loose_first}" y="{middle - 4}" width="{round(loose_last - loose_first, 1)}" height="8" '
        f'fill="{_BAR}"/>',
        f'<rect x="{first}" y="{middle - 8}" width="{round(last - first, 1)}" height="16" fill="{_BAR}"/>',
        f'<line x1="{across(figure.spread[0])}" x2="{across(figure.spread[1])}" y1="{middle}" y2="{middle}" '
        f'stroke="{_WHISKER}" stroke-width="2"/>',
        f'<circle cx="{across(figure.value)}" cy="{middle}" r="5" fill="{colour}"/>',
        f'<text x="{_LEFT + _PLOT + 10}" y="{baseline}" font-size="10">{escape(words)}</text>',
    ]
