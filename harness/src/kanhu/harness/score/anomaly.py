"""`./run score anomaly`: novelty of labelled series that are not medical, one value at a time."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.report import Value
from kanhu.harness.score.anomaly_peers import asked, versions
from kanhu.harness.score.anomaly_plot import draw
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.vitals.novelty import NoveltySettings, SeriesNovelty

__all__ = ["main"]

_S_PER_DAY = 86_400.0
_Z_VALUES = 288
"""How many values the rolling z-score, the plainest there is, looks back on."""
_COUNTS = ("windows", "found", "false_runs", "days")


@dataclass(frozen=True, slots=True)
class Series:
    """What one series came to."""

    family: str
    windows: int
    found: int
    false_runs: int
    days: float
    """Of the series outside its windows."""


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct("anomaly", _measure, arguments, about="Novelty of unlabelled series.", known=("nab",))


def _measure(run: Run) -> Measured:
    sets = find_sets(run.data)
    if "nab" not in sets:
        raise RecordingUnusable(str(run.data), "holds no labelled series; name a folder with nab")
    recordings = load_set("nab", sets["nab"])
    quiet_s = NoveltySettings().quiet_s
    values_of = {one.name: one.arrays["value"].astype(np.float64) for one in recordings}
    ours: dict[str, Series] = {}
    rareness: dict[str, NDArray[np.float64]] = {}
    plain: dict[str, NDArray[np.float64]] = {}
    values, took_s, state_bytes = 0, 0.0, 0
    for recording in recordings:
        began = time.perf_counter()
        alarms, rareness[recording.name], detector = _streamed(recording)
        took_s += time.perf_counter() - began
        values += len(alarms)
        state_bytes = max(state_bytes, len(detector.state()))
        ours[recording.name] = _counted(recording, alarms)
        plain[recording.name] = -_rolling_z(values_of[recording.name])
    rate = _false_per_day(list(ours.values())) or 0.0
    figures: dict[str, Value] = {"series": len(ours), "windows": sum(one.windows for one in ours.values())}
    for name, figure in _FIGURES.items():
        value = figure(list(ours.values()))
        if value is not None:
            figures |= with_interval(name, value, by_person(ours, figure, seed=run.seed))
    for family in sorted({one.family for one in ours.values()}):
        own = [one for one in ours.values() if one.family == family]
        figures |= {f"{family}_{name}": value for name, of in _FIGURES.items() if (value := of(own)) is not None}
    figures["plain_event_recall"] = _recall_at(recordings, plain, rate, quiet_s=quiet_s)
    figures |= {"us_per_sample": took_s / max(values, 1) * 1e6, "state_bytes": state_bytes}
    for peer in asked(values_of, run) if run.peers else ():
        negated = {name: -scores for name, scores in peer.scores.items()}
        figures[f"{peer.library}_event_recall"] = _recall_at(recordings, negated, rate, quiet_s=quiet_s)
        figures[f"{peer.library}_us_per_sample"] = round(peer.us_per_sample, 2)
        if peer.failed:
            figures[f"{peer.library}_failed_series"] = peer.failed
    if run.plot is not None:
        curve = [_recall_and_rate(recordings, rareness, limit, quiet_s=quiet_s) for limit in np.geomspace(1e-3, 3, 16)]
        cuts = np.quantile(np.concatenate(list(plain.values())), np.geomspace(1e-4, 2e-2, 16))
        other = [_recall_and_rate(recordings, plain, cut, quiet_s=quiet_s) for cut in cuts]
        draw(run.plot, {"kanhu": curve, "rolling z-score": other}, chosen=(rate, _recall(list(ours.values())) or 0.0))
    return Measured(figures, frozenset(sets), versions() if run.peers else {})


def _streamed(recording: Recording) -> tuple[NDArray[np.bool_], NDArray[np.float64], SeriesNovelty]:
    detector = SeriesNovelty()
    times, values = recording.arrays["unix"].tolist(), recording.arrays["value"].tolist()
    alarms, rareness = np.zeros(len(times), dtype=np.bool_), np.empty(len(times))
    for index, (at_s, value) in enumerate(zip(times, values, strict=True)):
        alarms[index] = detector.update(at_s, value).is_alarm
        rareness[index] = detector.expected_per_day
    return alarms, rareness, detector


def _counted(recording: Recording, alarms: NDArray[np.bool_]) -> Series:
    """A false run is an alarm outside every window; days are values outside them times the usual spacing."""
    inside = recording.arrays["anomaly_window"].astype(np.bool_)
    edges = np.diff(np.concatenate(([0], inside.astype(np.int8), [0])))
    windows = list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))
    spacing_s = float(np.median(np.diff(recording.arrays["unix"].astype(np.int64)))) if len(inside) > 1 else 0.0
    return Series(
        family=recording.name.split("/", maxsplit=1)[0],
        windows=len(windows),
        found=sum(bool(alarms[first:end].any()) for first, end in windows),
        false_runs=int((alarms & ~inside).sum()),
        days=float((~inside).sum()) * spacing_s / _S_PER_DAY,
    )


def _recall(series: Sequence[Series]) -> float | None:
    windows = sum(one.windows for one in series)
    return sum(one.found for one in series) / windows if windows else None


def _false_per_day(series: Sequence[Series]) -> float | None:
    days = sum(one.days for one in series)
    return sum(one.false_runs for one in series) / days if days else None


_FIGURES = {"event_recall": _recall, "false_per_day": _false_per_day}


def _rolling_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many standard deviations each value lies from those just before it; 0 while there are too few."""
    sums = np.concatenate(([0.0], np.cumsum(values - values.mean())))
    squares = np.concatenate(([0.0], np.cumsum((values - values.mean()) ** 2)))
    index = np.arange(len(values))
    first = np.maximum(index - _Z_VALUES, 0)
    count = np.maximum(index - first, 1)
    mean = (sums[index] - sums[first]) / count
    spread = np.sqrt(np.maximum((squares[index] - squares[first]) / count - mean**2, 0.0))
    scores: NDArray[np.float64] = np.abs(values - values.mean() - mean) / (spread + 1e-3 * values.std() + 1e-12)
    scores[:_Z_VALUES] = 0.0
    return scores


def _recall_and_rate(
    recordings: Sequence[Recording], scores: Mapping[str, NDArray[np.float64]], limit: float, *, quiet_s: float
) -> tuple[float, float]:
    """False runs a day, and recall, where a score of at most `limit` alarms; the same quiet time for everybody."""
    counted = []
    for recording in recordings:
        alarms = np.zeros(len(scores[recording.name]), dtype=np.bool_)
        raised_s, times = -np.inf, recording.arrays["unix"]
        for index in np.flatnonzero(scores[recording.name] <= limit):
            if times[index] - raised_s >= quiet_s:
                alarms[index], raised_s = True, float(times[index])
        counted.append(_counted(recording, alarms))
    return _false_per_day(counted) or 0.0, _recall(counted) or 0.0


def _recall_at(
    recordings: Sequence[Recording], scores: Mapping[str, NDArray[np.float64]], rate: float, *, quiet_s: float
) -> float:
    """The recall of those scores at the cut that gives about as many false runs a day, never more."""
    every = np.concatenate(list(scores.values()))
    best = 0.0
    for cut in np.quantile(every, np.geomspace(1e-5, 5e-2, 60)):
        false, recall = _recall_and_rate(recordings, scores, float(cut), quiet_s=quiet_s)
        if false <= rate:
            best = max(best, recall)
    return best
