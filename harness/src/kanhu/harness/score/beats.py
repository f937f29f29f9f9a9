"""`./run score beats`: heartbeats against beats that people have marked, and strips that nobody can read.

The detector takes each record in the frames of a strap. Nothing is left out: the customary first five minutes and
stretches of ventricular flutter are scored as well. The shipped settings were chosen on records 104 to 223 of
`mitdb_ecg`; they hold no number of a person.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.report import Value
from kanhu.harness.score.beats_peers import asked, versions
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.vitals.beats import Beat, BeatDetector, BeatSettings, SignalQuality, Window

_ECG, _MARKS, _STRIPS = "mitdb_ecg", "mitdb_beats", "cinc2017_ecg"
_MITDB_HZ, _CINC_HZ = 360.0, 300.0
_ADU_PER_MV = 200.0  # of the database, as its README states it
_TOLERANCE_MS = 150.0  # ANSI/AAMI EC57
_FRAME = 73  # samples that one notification of a strap carries
_NO_BEATS = frozenset(b"+~|![]xpt^`'\"=@()u?sTDu*")  # marks of MIT-BIH that are no beat
_NOISE, _GOOD = "~", frozenset("NAO")
_SHOWN_S = 10

Samples = NDArray[np.float64]


class Outcome(NamedTuple):
    """Beats of one record: marked, missed, false, and how far the found ones lie from their marks."""

    marked: int
    missed: int
    false: int
    apart_ms: Samples


def main(arguments: Sequence[str]) -> int:
    """Print the table; 0 where the figures keep their limits."""
    return conduct(
        "beats",
        measure,
        arguments,
        about="Heartbeats in electrocardiograms, and where the signal says nothing.",
        known=(_ECG, _MARKS, _STRIPS),
    )


def measure(run: Run) -> Measured:
    """All figures of the sets that are there.

    Raises:
        RecordingUnusable: no electrocardiogram with marks is there, nor a strip.
    """
    sets = find_sets(run.data)
    figures: dict[str, Value] = {}
    scored: set[str] = set()
    if _ECG in sets and _MARKS in sets:
        figures |= _marked(run, sets)
        scored |= {_ECG, _MARKS}
    if _STRIPS in sets:
        figures |= _strips(run, load_set(_STRIPS, sets[_STRIPS]))
        scored.add(_STRIPS)
    if not scored:
        raise RecordingUnusable(str(run.data), f"holds neither {_ECG} with {_MARKS} nor {_STRIPS}")
    return Measured(figures, frozenset(scored), versions() if run.peers else {})


def _marked(run: Run, sets: dict[str, Path]) -> dict[str, Value]:
    marks = {record.name: record for record in load_set(_MARKS, sets[_MARKS])}
    outcomes: dict[str, Outcome] = {}
    signals_mv: dict[str, Samples] = {}
    people: dict[str, list[Outcome]] = {}
    spent_s, samples, state_bytes, delay_s = 0.0, 0, 0, 0.0
    for record in load_set(_ECG, sets[_ECG]):
        if record.name not in marks:
            continue
        run.say(f"record {record.name}")
        signal = np.cumsum(record.arrays["ecg_delta_adu"], dtype=np.float64)
        detector = BeatDetector(BeatSettings(), _MITDB_HZ)
        started = time.perf_counter()
        beats, _ = detected(detector, signal)
        spent_s += time.perf_counter() - started
        samples += len(signal)
        delay_s = detector.delay_s
        state_bytes = max(state_bytes, _state_bytes(signal))
        found = np.asarray([beat.sample for beat in beats], dtype=np.float64)
        outcome = compared(found, reference_beats(marks[record.name]), _MITDB_HZ)
        outcomes[record.name] = outcome
        if run.peers:  # else a day of samples would be held for nothing
            signals_mv[record.name] = signal / _ADU_PER_MV
        people.setdefault(record.subject, []).append(outcome)
        if run.plot is not None and len(outcomes) == 1:
            _draw(signal, beats, run.plot)
    if not outcomes:
        raise RecordingUnusable(str(run.data), f"no record of {_ECG} has its marks in {_MARKS}")
    interval = by_person(people, lambda drawn: _error([one for person in drawn for one in person]), seed=run.seed)
    worst = max(outcomes, key=lambda name: _error([outcomes[name]]) or 0.0)
    everything = list(outcomes.values())
    apart = np.concatenate([one.apart_ms for one in everything])
    figures: dict[str, Value] = {
        "records": len(outcomes),
        "beats": sum(one.marked for one in everything),
        "missed": sum(one.missed for one in everything),
        "false": sum(one.false for one in everything),
        **with_interval("error", _rounded(_error(everything)), interval, digits=5),
        "worst_record": worst,
        "worst_error": _rounded(_error([outcomes[worst]])),
        "jitter_ms": round(float(np.std(apart)), 2) if len(apart) else 0.0,
        "us_per_sample": round(1e6 * spent_s / samples, 2),
        "state_bytes": state_bytes,
        "delay_s": round(delay_s, 2),
    }
    if run.peers:
        figures |= _beside(signals_mv, marks, run)
    for name, one in outcomes.items():
        figures |= {f"{_ECG}_{name}_missed": one.missed, f"{_ECG}_{name}_false": one.false}
    return figures


def _beside(signals_mv: Mapping[str, Samples], marks: Mapping[str, Recording], run: Run) -> dict[str, Value]:
    """The same records and the same counting for libraries of the field."""
    figures: dict[str, Value] = {}
    for peer in asked(signals_mv, _MITDB_HZ, run):
        outcomes = {
            name: compared(beats, reference_beats(marks[name]), _MITDB_HZ) for name, beats in peer.beats.items()
        }
        worst = max(outcomes, key=lambda name: _error([outcomes[name]]) or 0.0)
        figures |= {
            f"{peer.library}_error": _rounded(_error(list(outcomes.values()))),
            f"{peer.library}_worst_record": worst,
            f"{peer.library}_worst_error": _rounded(_error([outcomes[worst]])),
            f"{peer.library}_us_per_sample": round(peer.us_per_sample, 2),
        }
        if peer.failed:
            figures[f"{peer.library}_failed_records"] = peer.failed
    return figures


def reference_beats(record: Recording) -> Samples:
    """Where the beats of a record are; marks that are no beats are left out."""
    kinds = record.arrays["beat"]
    is_beat = ~np.isin(kinds, np.asarray(sorted(_NO_BEATS), dtype=kinds.dtype))
    return np.sort(record.arrays["sample360"][is_beat].astype(np.float64))


def detected(detector: BeatDetector, signal: Samples) -> tuple[list[Beat], list[Window]]:
    """Beats and windows of a whole record, that comes in the frames of a strap."""
    beats: list[Beat] = []
    windows: list[Window] = []
    for first in range(0, len(signal), _FRAME):
        answer = detector.update(signal[first : first + _FRAME], first)
        beats.extend(answer.beats)
        windows.extend(answer.windows)
    answer = detector.close()
    return beats + list(answer.beats), windows + list(answer.windows)


def compared(found: Samples, marked: Samples, rate_hz: float) -> Outcome:
    """Each beat found belongs to one mark at most, within 150 ms, in order."""
    tolerance = _TOLERANCE_MS * rate_hz / 1000
    found = np.sort(found)
    apart: list[float] = []
    one = other = 0
    while one < len(found) and other < len(marked):
        distance = float(found[one] - marked[other])
        if abs(distance) <= tolerance:
            apart.append(1000 * distance / rate_hz)
            one, other = one + 1, other + 1
        elif distance < 0:
            one += 1
        else:
            other += 1
    hits = len(apart)
    return Outcome(len(marked), len(marked) - hits, len(found) - hits, np.asarray(apart, dtype=np.float64))


def _strips(run: Run, records: Sequence[Recording]) -> dict[str, Value]:
    """A strip is called unusable where at most half of its windows are usable."""
    run.say(f"{len(records)} strips")
    refused: dict[bool, dict[str, list[bool]]] = {True: {}, False: {}}
    for record in records:
        label = record.row.get("label", "")
        if label != _NOISE and label not in _GOOD:
            continue
        signal = np.cumsum(record.arrays["ecg_delta_uv"], dtype=np.float64)
        _, windows = detected(BeatDetector(BeatSettings(), _CINC_HZ), signal)
        usable = sum(window.quality is SignalQuality.USABLE for window in windows)
        refused[label == _NOISE].setdefault(record.subject, []).append(2 * usable <= len(windows))
    figures: dict[str, Value] = {}
    for is_noise, name in ((True, "noise_found"), (False, "clean_refused")):
        people = refused[is_noise]
        share = _share(list(people.values()))
        if share is None:
            continue
        figures |= with_interval(f"{_STRIPS}_{name}", share, by_person(people, _share, seed=run.seed), digits=5)
    return figures


def _share(drawn: Sequence[Sequence[bool]]) -> float | None:
    told = [one for person in drawn for one in person]
    return sum(told) / len(told) if told else None


def _error(outcomes: Sequence[Outcome]) -> float | None:
    marked = sum(one.marked for one in outcomes)
    return sum(one.missed + one.false for one in outcomes) / marked if marked else None


def _rounded(figure: float | None) -> float:
    return float("nan") if figure is None else round(figure, 5)


def _state_bytes(signal: Samples) -> int:
    """The largest state within the first minute, looked at after every frame."""
    detector, largest = BeatDetector(BeatSettings(), _MITDB_HZ), 0
    for first in range(0, min(len(signal), round(60 * _MITDB_HZ)), _FRAME):
        detector.update(signal[first : first + _FRAME], first)
        largest = max(largest, len(detector.state()))
    return largest


def _draw(signal: Samples, beats: Sequence[Beat], to: Path) -> None:
    """Ten seconds of the first record with the beats found in it."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    end = round(_SHOWN_S * _MITDB_HZ)
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(len(signal[:end])) / _MITDB_HZ, signal[:end] / _ADU_PER_MV, color="black", linewidth=0.8)
    at = [beat.sample for beat in beats if 0 <= beat.sample < min(end, len(signal))]
    axes.plot(
        np.asarray(at) / _MITDB_HZ, signal[at] / _ADU_PER_MV, "o", color="tab:red", fillstyle="none", label="beat"
    )
    axes.set(xlabel="seconds", ylabel="mV", title="An electrocardiogram of a real person, and the beats found in it")
    axes.legend(loc="upper right", frameon=False)
    figure.savefig(to, dpi=90)
