"""The picture of `./run score falls`: one recording with the detector's stages, and falls found by false alarms."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.falls import FallEvent

__all__ = ["Curve", "draw"]

_COLOURS = ("tab:blue", "tab:green", "tab:orange")

Curve = Sequence[tuple[float, float]]


def draw(
    file: Path,
    curves: Mapping[str, Curve],
    points: Mapping[str, tuple[float, float]],
    example: tuple[str, NDArray[np.int64], NDArray[np.float64], Sequence[FallEvent]],
) -> None:
    """Draw curves and points of (false alarms an hour, sensitivity); `example` is a title, ms, g and its stages."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    figure = Figure(figsize=(7, 9), dpi=100)
    above, below = figure.subplots(2)
    title, times, acceleration, events = example
    for axis, name in enumerate("xyz"):
        above.plot(times / 1000, acceleration[:, axis], linewidth=0.7, label=name)
    for event, colour in zip(events, ("tab:grey", "tab:red", "black", "black"), strict=False):
        above.axvline(event.t_ms / 1000, color=colour, linestyle="--", label=event.stage.replace("_", " "))
    above.set(xlabel="seconds", ylabel="g", title=title)
    above.legend(loc="upper right", fontsize=8)
    sets = list(dict.fromkeys(name.rpartition(", ")[2] for name in curves))
    for name, curve in curves.items():
        who, _, of = name.rpartition(", ")
        below.plot(
            *zip(*curve, strict=True),
            label=name,
            color=_COLOURS[sets.index(of)],
            linestyle="-" if who == "kanhu" else ":",
        )
    marks = dict(zip(dict.fromkeys(name.rpartition(", ")[0] for name in points), "xo^s", strict=False))
    for name, point in points.items():
        who, _, of = name.rpartition(", ")
        below.plot(*point, marks[who], color=_COLOURS[sets.index(of)], fillstyle="none", label=name)
    below.set(xlabel="false alarms an hour of daily life", ylabel="falls found", ylim=(0, 1.02))
    below.set_xscale("symlog", linthresh=0.2)
    below.set_xlim(-0.02, 200)
    below.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=7, frameon=False)
    figure.tight_layout()
    figure.savefig(file)
