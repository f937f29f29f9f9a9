"""The picture of `./run score budget`: what was asked for against what other people got."""

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw"]

_WITHIN = 1.5


def draw(curves: Mapping[str, Sequence[tuple[float, float]]], *, to: Path) -> None:
    """Draw curves of (budget, alerts a person-day), with the band within a factor of 1.5."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    ends = [
        min(one for curve in curves.values() for one, _ in curve),
        max(one for c in curves.values() for one, _ in c),
    ]
    axes.fill_between(ends, [one / _WITHIN for one in ends], [one * _WITHIN for one in ends], color="0.9")
    axes.plot(ends, ends, color="0.6", linewidth=0.8)
    for name, curve in curves.items():
        axes.plot(*zip(*curve, strict=True), marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="budget, false alerts a person-day", ylabel="on other people")
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(to, dpi=90)
