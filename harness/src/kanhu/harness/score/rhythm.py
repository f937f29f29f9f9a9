"""`./run score rhythm`: irregular pulse from beat intervals, beat by beat as on a Pi, against marks by people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.cloud.training.rhythm import STREAMS, STRIPS, Gathered, beats_of, fit_recordings, gathered
from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.harness.score.rhythm_peers import PEERS
from kanhu.harness.score.rhythm_plot import draw
from kanhu.harness.score.rhythm_rule import rule_figures
from kanhu.harness.score.rhythm_streams import Counted, Stream, counted, listened, numbers_of, summed, together
from kanhu.harness.score.unseen import each_unseen
from kanhu.vitals.models import Model, model_named
from kanhu.vitals.rhythm.strip import RhythmStrip, Strip

__all__ = ["main"]

_FIGURES: Mapping[str, Callable[[Counted], float | None]] = {
    "f1": Counted.f1,
    "sensitivity": Counted.sensitivity,
    "specificity": Counted.specificity,
    "precision": Counted.precision,
    "false_per_24h": Counted.false_per_24h,
}
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Heard:
    """One recording and what the detector made of it."""

    recording: Recording
    stream: Stream
    counted: Counted


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    about = "Irregular pulse from beat intervals, beat by beat."
    known = (*STREAMS, STRIPS)
    return conduct("rhythm", _measure, arguments, about=about, known=known)


def _measure(run: Run) -> Measured:
    found = find_sets(run.data)
    present = [name for name in (*STREAMS, STRIPS) if name in found]
    if not present:
        raise RecordingsRefused(str(run.data), f"holds none of {', '.join((*STREAMS, STRIPS))}")
    recordings = [one for name in present for one in load_set(name, found[name])]
    rows: Gathered = {}

    def fit(others: Sequence[Recording]) -> Model:
        nonlocal rows
        rows = {**rows, **gathered([one for one in others if (one.of, one.name) not in rows])}
        return fit_recordings(others, rows, run.seed)

    figures: dict[str, Value] = {}
    heard: list[_Heard] = []
    strips: dict[str, list[Counted]] = {}
    for one, model in each_unseen(recordings, model_named("rhythm"), fit, run):
        if one.of == STRIPS:
            strips.setdefault(one.subject, []).append(_strip(one, model))
            continue
        intervals, marks = beats_of(one)
        stream = listened(intervals, model)
        heard.append(_Heard(one, stream, counted(intervals, marks, stream.called, stream)))
    main_set = next((name for name in present if name in STREAMS), STRIPS)
    for name in present:
        people = strips if name == STRIPS else _by_person([one for one in heard if one.recording.of == name])
        for prefix in (f"{name}_", *([""] if name == main_set else [])):
            figures |= _figures(people, prefix, run.seed)
    figures |= _cost(heard)
    for name in present:
        if name in STREAMS:
            figures |= rule_figures(name, [one for one in recordings if one.of == name])
    if run.peers:
        figures |= _peer_figures(recordings, run)
    if run.plot is not None and heard:
        draw([(one.recording, one.stream.called) for one in heard], to=run.plot)
    return Measured(figures, frozenset(present))


def _strip(recording: Recording, model: Model) -> Counted:
    called = RhythmStrip(model).judge(recording.arrays["rr_ms"].tolist()).reason is Strip.IRREGULAR
    marked = recording.row["label"] == "A"
    return Counted(
        found=int(called and marked),
        missed=int(marked and not called),
        false=int(called and not marked),
        calm=int(not called and not marked),
    )


def _by_person(heard: Sequence[_Heard]) -> dict[str, list[Counted]]:
    people: dict[str, list[Counted]] = {}
    for one in heard:
        people.setdefault(one.recording.subject, []).append(one.counted)
    return people


def _figures(people: Mapping[str, Sequence[Counted]], prefix: str, seed: int) -> dict[str, Value]:
    whole = together([one for counts in people.values() for one in counts])
    joined = {person: numbers_of(together(counts)) for person, counts in people.items()}
    figures: dict[str, Value] = {f"{prefix}people": len(people)}
    for name, figure in _FIGURES.items():
        value = figure(whole)
        if value is None or (name == "f1" and not whole.found + whole.missed):
            continue
        interval = by_person(joined, _of_numbers(figure), seed=seed)
        figures |= with_interval(prefix + name, value, interval, digits=_DIGITS)
    if whole.calm_h:
        figures |= {f"{prefix}false_episodes": whole.false_episodes, f"{prefix}calm_h": round(whole.calm_h, 2)}
    if whole.flutter:
        figures |= {f"{prefix}flutter_beats": whole.flutter, f"{prefix}flutter_called": whole.flutter_called}
    if whole.delays_s:
        figures[f"{prefix}delay_s"] = round(float(np.median(whole.delays_s)), 1)
    return figures


def _of_numbers(figure: Callable[[Counted], float | None]) -> Callable[[Sequence[NDArray[np.float64]]], float | None]:
    return lambda numbers: figure(summed(numbers))


def _cost(heard: Sequence[_Heard]) -> dict[str, Value]:
    beats = sum(len(one.stream.called) for one in heard)
    if not beats:
        return {}
    us_per_beat = round(sum(one.stream.us_per_beat * len(one.stream.called) for one in heard) / beats, 1)
    state_bytes = max(one.stream.state_bytes for one in heard)
    return {"us_per_beat": us_per_beat, "us_per_sample": us_per_beat, "state_bytes": state_bytes}


def _peer_figures(recordings: Sequence[Recording], run: Run) -> dict[str, Value]:
    figures: dict[str, Value] = {}
    for peer, called_by in PEERS.items():
        run.say(f"{peer}")
        for name in STREAMS:
            counts = []
            for one in recordings:
                if one.of == name:
                    intervals, marks = beats_of(one)
                    counts.append(counted(intervals, marks, called_by(intervals)))
            whole = together(counts)
            for figure in ("f1", "sensitivity", "specificity", "false_per_24h"):
                value = _FIGURES[figure](whole)
                if value is not None:
                    figures[f"{peer}_{name}_{figure}"] = round(value, _DIGITS)
    return figures
