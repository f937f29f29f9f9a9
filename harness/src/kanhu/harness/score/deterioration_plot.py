"""The picture of `./run score deterioration`: of those who died, the share found when the highest ranked are called."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

__all__ = ["draw", "found_by_called"]


def found_by_called(pairs: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Points of (share of stays called, share of deaths among them), highest score first.

    Stays of one score are called together, so that their order in the file tells nothing. Without a death: no points.
    """
    scores = np.asarray([score for score, _ in pairs], dtype=np.float64)
    died = np.asarray([end for _, end in pairs], dtype=np.float64)
    if not died.any():
        return []
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    called, found = (ends + 1) / len(scores), np.cumsum(died[order])[ends] / died.sum()
    return [(0.0, 0.0), *zip(called.tolist(), found.tolist(), strict=True)]


def draw(file: Path, rankings: Mapping[str, Sequence[tuple[float, bool]]], *, called: float) -> None:
    """Draw one curve a ranking of (score, died); `called` is the share of stays that may be called."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    figure = Figure(figsize=(6, 4), dpi=100)
    axes = figure.subplots()
    for name, pairs in rankings.items():
        points = found_by_called(pairs)
        axes.plot([one for one, _ in points], [two for _, two in points], label=name)
    axes.plot((0, 1), (0, 1), "k:", linewidth=1, label="by lot")
    axes.axvline(called, color="k", linewidth=1)
    axes.set(xlabel="share of stays called", ylabel="share of deaths found", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file)
