"""Fit the rhythm model: a logistic regression for the beats of a stream, another with boosted trees for strips.

The features are those of the detector itself. Everything else that it needs (how evidence is weighed along time) was
chosen on the same people by cross-validation and stands here, with what was measured in docs/detection/rhythm.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording, load_set
from kanhu.cloud.training.writing import boosted_arrays, in_the_making, put_together
from kanhu.vitals.models import Model
from kanhu.vitals.rhythm.detector import BLOCK_BEATS, Windows
from kanhu.vitals.rhythm.features import LEAST_BEATS
from kanhu.vitals.rhythm.scoring import inputs_of
from kanhu.vitals.rhythm.strip import STRIP_FEATURES, strip_features

__all__ = [
    "BOOSTING", "FIBRILLATION", "FLUTTER", "STREAMS", "STRIPS", "UNMARKED", "Gathered",
    "beats_of", "fit", "fit_recordings", "gathered",
]  # fmt: skip  # by kind

FIBRILLATION, FLUTTER, UNMARKED = 1, 2, 255
"""Marks of a beat, in both sets that have any; every other mark is another rhythm."""
STREAMS = ("afdb_rr", "mitdb_beats", "gudb_rpeaks")
STRIPS = "cinc2017_rr"

_MS_A_SAMPLE = {"mitdb_beats": 1000 / 360, "gudb_rpeaks": 1000 / 250}
_SETTINGS: Final = {
    # The block's own surroundings, and both halves of them: which side is irregular tells where an episode begins.
    "windows": np.array([[-32, 64], [-28, 32], [-4, 32]]),
    "trust": np.array(0.5),  # windows of neighbouring blocks share beats: their evidence is not that of strangers
    "switching": np.array(1e-3),
    "ahead_blocks": np.array(16),
    "least_blocks": np.array(3),
    "begin_above": np.array(0.15),
    "end_below": np.array(0.15),
    "shortest_ms": np.array(20),
    "hole_ms": np.array(5000),
}
_EVERY = {"afdb_rr": 5, STRIPS: 2}
"""Blocks that are fitted on: windows of neighbours tell the same."""
_WEIGHT = {"afdb_rr": 1.0, "mitdb_beats": 2.0, "gudb_rpeaks": 2.0, STRIPS: 0.2}
_STRENGTH = 0.1  # of the data against the prior that weights are small
_SMALLEST = 1e-9
_PARTS = 5
BOOSTING: Final[dict[str, Any]] = {
    "max_iter": 120, "learning_rate": 0.06, "max_leaf_nodes": 8, "min_samples_leaf": 20, "l2_regularization": 5.0,
    "early_stopping": False,
}  # fmt: skip  # what a table of 300 kB holds
_LIMITS = (
    "Beat intervals only: it cannot tell fibrillation from any other rhythm without order, and sees no P wave.",
    "Atrial flutter with steady conduction looks regular to it; with changing conduction it may be called irregular.",
    "Frequent extra beats at random (MIT-BIH record 208) are called irregular.",
    "Fitted on hospital recordings with chest leads and on strips of a hand-held device; never tried on optical pulse.",
    "No age is known of most of these people; nobody was recorded at home for long.",
)

Rows = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]
"""Inputs, marks and weights."""

Gathered = Mapping[tuple[str, str], tuple[Rows, Rows]]
"""By set and name of a recording its rows for streams and for strips."""


def beats_of(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Intervals in ms, and the mark of the beat that ends each; 0 for every beat of people without fibrillation."""
    arrays = recording.arrays
    if recording.of == "afdb_rr":
        return arrays["rr_ms"].astype(np.float64), arrays["rhythm"].astype(np.int64)
    samples = arrays["sample360" if recording.of == "mitdb_beats" else "sample250"]
    intervals = np.diff(samples).astype(np.float64) * _MS_A_SAMPLE[recording.of]
    if recording.of == "mitdb_beats":
        return intervals, arrays["rhythm"][1:].astype(np.int64)
    return intervals, np.zeros(len(intervals), dtype=np.int64)


def fit(sets: Mapping[str, Path], seed: int, say: Callable[[str], None]) -> Model:
    """Fit on every set of beats that is there.

    Raises:
        RecordingsRefused: one of the sets is missing.
    """
    missing = [name for name in (*STREAMS, STRIPS) if name not in sets]
    if missing:
        raise RecordingsRefused(", ".join(sorted(sets)), f"{', '.join(missing)} must be there too")
    recordings = [one for name in (*STREAMS, STRIPS) for one in load_set(name, sets[name])]
    say(f"{len(recordings)} recordings")
    return fit_recordings(recordings, gathered(recordings), seed)


def gathered(recordings: Sequence[Recording]) -> Gathered:
    """What of each recording is fitted on; it depends on no fit."""
    windows = Windows(in_the_making("rhythm", _SETTINGS))
    return {(one.of, one.name): (_rows(list(_blocks(one, windows))), _rows(list(_strip(one)))) for one in recordings}


def fit_recordings(recordings: Sequence[Recording], rows: Gathered, seed: int) -> Model:
    """Fit on these; without strips among them the model has no numbers for strips.

    Raises:
        RecordingsRefused: nobody among them has fibrillation, or nobody is without.
    """
    numbers = dict(_SETTINGS)
    for which, prefix in enumerate(("beats_", "strip_")):
        used = [rows[one.of, one.name][which] for one in recordings if len(rows[one.of, one.name][which][1])]
        if not used and prefix == "strip_":
            continue
        inputs, marks, weights = _together(used) if used else _rows([])
        if marks.all() or not marks.any():
            raise RecordingsRefused("the recordings", "hold fibrillation only, or none; both are needed to fit")
        numbers |= _weighted_sum(inputs, marks, weights, prefix=prefix)
        if prefix == "strip_":
            numbers |= boosted_arrays(_boosted(inputs[:, : len(STRIP_FEATURES)], marks, seed), "strip_trees_")
            numbers["strip_above"] = np.array(_best_limit(inputs, marks, seed))
    return put_together("rhythm", version="1", numbers=numbers, recordings=recordings, seed=seed, limits=_LIMITS)


def _together(rows: Sequence[Rows]) -> Rows:
    inputs, marks, weights = zip(*rows, strict=True)
    return np.concatenate(inputs), np.concatenate(marks), np.concatenate(weights)


def _rows(rows: Sequence[tuple[list[float], bool, float]]) -> Rows:
    width = len(rows[0][0]) if rows else 0
    inputs = np.array([row for row, _, _ in rows], dtype=np.float64).reshape(len(rows), width)
    return inputs, np.array([mark for _, mark, _ in rows], dtype=np.bool_), np.array([weight for *_, weight in rows])


def _strip(recording: Recording) -> Iterator[tuple[list[float], bool, float]]:
    if recording.of == STRIPS:
        features = strip_features(recording.arrays["rr_ms"].tolist())
        if features is not None:
            yield inputs_of(features), recording.row["label"] == "A", 1.0


def _blocks(recording: Recording, windows: Windows) -> Iterator[tuple[list[float], bool, float]]:
    """Inputs, mark and weight of the blocks that are fitted on."""
    if recording.of == STRIPS:
        if recording.row["label"] == "~":
            return
        beats = [int(interval) for interval in recording.arrays["rr_ms"].tolist() if interval > 0]
        marks = [FIBRILLATION if recording.row["label"] == "A" else 0] * len(beats)
    else:
        intervals, marked = beats_of(recording)
        beats, marks = [max(round(interval), 1) for interval in intervals.tolist()], marked.tolist()
    if len(beats) < LEAST_BEATS:
        return
    every = _EVERY.get(recording.of, 1)
    for centre in range(BLOCK_BEATS // 2, len(beats), BLOCK_BEATS * every):
        if marks[centre] in {FLUTTER, UNMARKED}:
            continue
        begin = max(centre - windows.longest, 0)
        around = beats[begin : centre + windows.longest]
        features = windows.features(around, centre=centre - begin)
        yield inputs_of(features), marks[centre] == FIBRILLATION, _WEIGHT[recording.of] * every


def _weighted_sum(
    inputs: NDArray[np.float64], marks: NDArray[np.bool_], weights: NDArray[np.float64], *, prefix: str
) -> dict[str, NDArray[np.generic]]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # heavy, and optional where nobody trains

    centre, scale = inputs.mean(axis=0), inputs.std(axis=0) + _SMALLEST
    fitted = LogisticRegression(C=_STRENGTH, max_iter=1000, tol=1e-3).fit(
        (inputs - centre) / scale, marks, sample_weight=weights
    )
    return {
        f"{prefix}centre": centre,
        f"{prefix}scale": scale,
        f"{prefix}weight": fitted.coef_[0],
        f"{prefix}bias": fitted.intercept_,
    }


def _boosted(inputs: NDArray[np.float64], marks: NDArray[np.bool_], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  # heavy, as above

    return HistGradientBoostingClassifier(random_state=seed, **BOOSTING).fit(inputs, marks)


def _best_limit(inputs: NDArray[np.float64], marks: NDArray[np.bool_], seed: int) -> float:
    """The log odds above which a strip is best called irregular (F1), on strips that were not fitted on."""
    part = np.random.default_rng(seed).integers(0, _PARTS, len(marks))
    odds = np.zeros(len(marks))
    for one in range(_PARTS):
        fitted = _weighted_sum(inputs[part != one], marks[part != one], np.ones((part != one).sum()), prefix="")
        scaled = (inputs[part == one] - fitted["centre"]) / fitted["scale"]
        boosted = _boosted(inputs[part != one, : len(STRIP_FEATURES)], marks[part != one], seed)
        trees = boosted.decision_function(inputs[part == one, : len(STRIP_FEATURES)])
        odds[part == one] = (scaled @ fitted["weight"] + fitted["bias"] + trees) / 2
    limits = np.linspace(-3, 3, 121)
    called = odds[:, None] > limits
    f1 = 2 * (called & marks[:, None]).sum(axis=0) / np.maximum(called.sum(axis=0) + marks.sum(), 1)
    # Neighbours count as well: the single best limit of a sample is partly luck.
    return float(limits[np.convolve(f1, np.ones(9) / 9, mode="same").argmax()])
