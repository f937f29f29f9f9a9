"""Decision trees, walked with numpy alone: the same leaf that scikit-learn reaches."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.errors import ModelRefused
from kanhu.vitals.models.table import Model

_ARRAYS = ("feature", "threshold", "left", "right", "value", "root")


class Trees:
    """All trees of one model, side by side in flat arrays: a node is a row, a leaf has the feature -1."""

    def __init__(self, model: Model, prefix: str = "", *, inputs: Literal["float32", "float64"] = "float32") -> None:
        """Take the arrays `feature`, `threshold`, `left`, `right`, `value`, `root` of `model`, named with `prefix`.

        scikit-learn's forests compare inputs as 32-bit numbers, its histogram boosting as 64-bit ones.

        Raises:
            ModelRefused: they are not trees.
        """
        feature, threshold, left, right, value, root = (model.array(prefix + name) for name in _ARRAYS)
        nodes = len(feature)
        if not nodes or {len(threshold), len(left), len(right), len(value)} != {nodes}:
            raise ModelRefused(model.name, f"{prefix}: arrays of different lengths are no trees")
        self._feature = feature.astype(np.intp)
        inner = self._feature >= 0
        own = np.flatnonzero(inner)
        for links, least in ((left[inner], own + 1), (right[inner], own + 1), (root, 0)):
            if not ((links >= least) & (links < nodes)).all():  # downwards only, so a walk ends
                raise ModelRefused(model.name, f"{prefix}: a branch leads up, or out of the table")
        self._threshold, self._value, self._inputs = threshold, value, np.dtype(inputs)
        self._left, self._right, self._root = (links.astype(np.intp) for links in (left, right, root))

    @property
    def count(self) -> int:
        """How many trees."""
        return len(self._root)

    def values(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value of the leaf that each tree reaches; one row of inputs."""
        row = inputs.astype(self._inputs)
        node = self._root
        while True:
            feature = self._feature[node]
            walking = feature >= 0
            if not walking.any():
                return self._value[node]
            below = row[feature] <= self._threshold[node]
            node = np.where(walking, np.where(below, self._left[node], self._right[node]), node)
