"""A fitted model put together: its numbers, what it was fitted on, and scikit-learn's trees as flat arrays."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording, sha256_of
from kanhu.vitals.models import Model, Numbers, TrainedOn, TrainingSet, person_digest
from kanhu.vitals.models.table import FORMAT

__all__ = ["LICENCES", "forest_arrays", "put_together"]

LICENCES: Mapping[str, str] = {
    "sisfall": "none stated",
    "weda_fall": "none stated",
    "smartfallmm": "none stated",
    "afdb_rr": "ODC-BY 1.0",
    "cinc2017_rr": "ODC-BY 1.0",
    "cinc2017_ecg": "ODC-BY 1.0",
    "mitdb_beats": "ODC-BY 1.0",
    "mitdb_ecg": "ODC-BY 1.0",
    "gudb_rpeaks": "CC BY 3.0",
    "shanghai_cgm": "CC BY 4.0",
    "icu2012": "ODC-BY 1.0",
    "nab": "MIT",
}
"""Of each set, as its README states it."""


def put_together(
    name: str,
    *,
    version: str,
    numbers: Mapping[str, NDArray[np.generic]],
    recordings: Sequence[Recording],
    seed: int,
    limits: Iterable[str],
) -> Model:
    """The model with its card."""
    sets = []
    for one in sorted({recording.of for recording in recordings}):
        used = [recording for recording in recordings if recording.of == one]
        people = sorted({person_digest(one, recording.subject) for recording in used})
        sets.append(TrainingSet(one, LICENCES.get(one, "none stated"), tuple(people), len(used)))
    versions = {"python": platform.python_version()}
    versions |= {package: metadata.version(package) for package in ("numpy", "scikit-learn")}
    return Model(
        format=FORMAT,
        name=name,
        version=version,
        trained_on=TrainedOn(sha256_of(recordings), tuple(sets), seed, versions),
        limits=tuple(limits),
        numbers={key: Numbers.of(array) for key, array in numbers.items()},
    )


def forest_arrays(trees: Iterable[Any], *, value_of: Any, prefix: str = "") -> dict[str, NDArray[np.generic]]:
    """scikit-learn's fitted `tree_` objects as `vitals.models.Trees` walks them.

    `value_of(tree)` gives the number of every node of one tree, of which those of leaves count.
    """
    columns: dict[str, list[NDArray[np.generic]]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "value")
    }
    roots, nodes = [], 0
    for tree in trees:
        leaf = tree.children_left < 0
        roots.append(nodes)
        columns["feature"].append(np.where(leaf, -1, tree.feature))
        columns["threshold"].append(np.where(leaf, 0.0, tree.threshold))
        columns["left"].append(np.where(leaf, 0, tree.children_left + nodes))
        columns["right"].append(np.where(leaf, 0, tree.children_right + nodes))
        columns["value"].append(np.where(leaf, value_of(tree), 0.0))
        nodes += len(leaf)
    arrays = {prefix + name: np.concatenate(parts) for name, parts in columns.items()}
    return arrays | {prefix + "root": np.asarray(roots)}
