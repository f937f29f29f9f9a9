"""Asks one library of the field how new each value is; runs in an environment of its own, imports nothing of kanhu.

`python peers_anomaly.py LIBRARY QUESTION.npz ANSWER.npz`. The question: `value`, series one after another, and their
`offsets`. The answer: `score` of each value, the larger the newer, `seconds` in all, and how many series `failed`.
"""

import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_LEARNED = 0.15  # of a series, as the benchmark's own probation: what a library that has to be fitted is fitted on
_WINDOW = 12
_SHAPE = 48  # values of a subsequence whose nearest neighbour is looked for


def _half_space_trees(values: Values) -> Values:
    """Streaming, one value at a time, scaled by what came before."""
    scaler = import_module("river.preprocessing").MinMaxScaler()
    trees = import_module("river.anomaly").HalfSpaceTrees(seed=1)
    scores = []
    for value in values.tolist():
        scaler.learn_one({"value": value})
        row = scaler.transform_one({"value": value})
        scores.append(trees.score_one(row))
        trees.learn_one(row)
    return np.asarray(scores)


def _pyod(module: str, name: str) -> Callable[[Values], Values]:
    """Windows of values, fitted on the beginning of the series."""

    def scored(values: Values) -> Values:
        windows = np.lib.stride_tricks.sliding_window_view(values, _WINDOW)
        detector: Any = getattr(import_module(module), name)()
        detector.fit(windows[: max(int(_LEARNED * len(windows)), 2 * _WINDOW)])
        return np.concatenate((np.zeros(_WINDOW - 1), detector.decision_function(windows)))

    return scored


def _adtk_persist(values: Values) -> Values:
    """What PersistAD compares: each value with the middle of those just before it."""
    pandas, transformer = import_module("pandas"), import_module("adtk.transformer")
    series = pandas.Series(values, index=pandas.date_range("2020-01-01", periods=len(values), freq="min"))
    rolled = transformer.DoubleRollingAggregate(agg="median", window=(_WINDOW, 1), diff="l1").transform(series)
    return np.nan_to_num(np.asarray(rolled, dtype=np.float64))


def _stumpi(values: Values) -> Values:
    """Streaming matrix profile: how far the shape that ends here is from every shape before it."""
    first = max(int(_LEARNED * len(values)), 2 * _SHAPE)
    profile = import_module("stumpy").stumpi(values[:first].copy(), m=_SHAPE, egress=False)
    for value in values[first:].tolist():
        profile.update(value)
    left = np.nan_to_num(np.asarray(profile.left_P_, dtype=np.float64), posinf=0.0)
    return np.concatenate((np.zeros(len(values) - len(left)), left))


LIBRARIES: Mapping[str, Callable[[Values], Values]] = {
    "river_half_space_trees": _half_space_trees,
    "pyod_iforest": _pyod("pyod.models.iforest", "IForest"),
    "pyod_ecod": _pyod("pyod.models.ecod", "ECOD"),
    "adtk_persist": _adtk_persist,
    "stumpy_stumpi": _stumpi,
}
"""Each with its own defaults."""


def main(library: str, question: str, answer: str) -> None:
    """Every series, one after another; one on which a library fails has no new value."""
    found, seconds, failed = [], 0.0, 0
    with np.load(question) as asked:
        values, offsets = asked["value"], asked["offsets"].tolist()
    for first, end in pairwise(offsets):
        began = time.perf_counter()
        try:
            scores = np.asarray(LIBRARIES[library](values[first:end]), dtype=np.float64)
            if len(scores) != end - first:
                raise ValueError(f"{len(scores)} scores of {end - first} values")
        except Exception as error:  # noqa: BLE001  # whatever a library raises, the others are asked all the same
            print(f"series at {first}: {error!r}")
            scores, failed = np.zeros(end - first), failed + 1
        seconds += time.perf_counter() - began
        found.append(np.nan_to_num(scores))
    np.savez(answer, score=np.concatenate(found), seconds=np.asarray(seconds), failed=np.asarray(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
