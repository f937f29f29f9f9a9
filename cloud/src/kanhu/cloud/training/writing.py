"""A fitted model put together: its numbers, what it was fitted on, and scikit-learn's trees as flat arrays."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording, sha256_of
from kanhu.vitals.models import Model, Numbers, TrainedOn, TrainingSet, person_digest
from kanhu.vitals.models.table import FORMAT

__all__ = ["LICENCES", "boosted_arrays", "forest_arrays", "in_the_making", "put_together"]

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
"""Of each set that is fitted on, as its README states it."""


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
        sets.append(TrainingSet(one, LICENCES[one], tuple(people), len(used)))
    versions = {"python": platform.python_version()}
    versions |= {package: metadata.version(package) for package in ("numpy", "scikit-learn")}
    return Model(
        format=FORMAT,
        name=name,
        version=version,
        trained_on=TrainedOn(sha256_of(recordings), tuple(sets), seed, versions),
        limits=tuple(limits),
        numbers=_written(numbers),
    )


def in_the_making(name: str, numbers: Mapping[str, NDArray[np.generic]]) -> Model:
    """A model that has no card yet, for the code that asks a model for its numbers."""
    return Model(FORMAT, name, "", TrainedOn("", (), 0, {}), (), _written(numbers))


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


def boosted_arrays(fitted: Any, prefix: str) -> dict[str, NDArray[np.generic]]:
    """scikit-learn's histogram boosting of one output: its trees as `forest_arrays` has them, and their `base`."""
    trees = [
        SimpleNamespace(
            children_left=np.where(nodes["is_leaf"], -1, nodes["left"].astype(np.int64)),
            children_right=np.where(nodes["is_leaf"], -1, nodes["right"].astype(np.int64)),
            feature=nodes["feature_idx"],
            threshold=nodes["num_threshold"],
            value=nodes["value"],
        )
        for nodes in (predictor.nodes for (predictor,) in fitted._predictors)  # no public way to the nodes
    ]
    arrays = forest_arrays(trees, value_of=lambda tree: tree.value, prefix=prefix)
    return arrays | {f"{prefix}base": np.ravel(fitted._baseline_prediction)}


def _written(numbers: Mapping[str, NDArray[np.generic]]) -> dict[str, Numbers]:
    return {key: Numbers.of(array) for key, array in numbers.items()}
