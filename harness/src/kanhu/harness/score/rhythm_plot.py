"""The picture of `./run score rhythm`: one recording with its marks and what was told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.rhythm import FIBRILLATION, beats_of

__all__ = ["draw"]

_MS_PER_H = 3_600_000
_SHOWN_H = 2.0


def draw(streams: Sequence[tuple[Recording, NDArray[np.bool_]]], *, to: Path) -> None:
    """Two hours of the recording in which fibrillation comes and goes most often."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    recording, called = max(streams, key=lambda one: _changes(one[0]))
    intervals, marks = beats_of(recording)
    hours = np.cumsum(intervals) / _MS_PER_H
    irregular = marks == FIBRILLATION
    changes = hours[np.flatnonzero(np.diff(irregular))]
    most = np.searchsorted(changes, changes + _SHOWN_H / 2) - np.arange(len(changes))
    first = (float(changes[most.argmax()]) if len(changes) else 0.0) - _SHOWN_H / 4
    shown = (hours >= first) & (hours <= first + _SHOWN_H)
    figure = Figure(figsize=(9, 4))
    beats, bands = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    beats.plot(hours[shown], intervals[shown], ".", markersize=1.5, color="#335577")
    beats.set_ylabel("interval between beats (ms)")
    beats.set_ylim(200, 1800)
    beats.set_title(f"{recording.of}, record {recording.name}", loc="left", fontsize=9)
    for row, (where, color) in enumerate(((called, "#c05020"), (irregular, "#888888"))):
        bands.fill_between(hours[shown], row + 0.1, row + 0.9, where=where[shown], color=color, step="mid", linewidth=0)
    bands.set_yticks([0.5, 1.5], ["told irregular", "marked fibrillation"], fontsize=8)
    bands.set_xlabel("hours from the start of the recording")
    figure.tight_layout()
    figure.savefig(to, dpi=90)


def _changes(recording: Recording) -> int:
    _, marks = beats_of(recording)
    return int(np.count_nonzero(np.diff(marks == FIBRILLATION)))
