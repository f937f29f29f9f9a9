"""The picture of `./run score anomaly`: windows found against false runs a day."""

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw"]


def draw(file: Path, curves: Mapping[str, Sequence[tuple[float, float]]], *, chosen: tuple[float, float]) -> None:
    """Draw curves of (false runs a day, recall); `chosen` is where the settings stand."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    figure = Figure(figsize=(6, 4), dpi=100)
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*sorted(points), strict=True), marker=".", label=name)
    axes.plot(*chosen, "k*", markersize=12, label="as set")
    axes.set(xscale="symlog", xlabel="false runs a day", ylabel="windows found", ylim=(0, 1))
    axes.set_xscale("symlog", linthresh=0.05)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file)
