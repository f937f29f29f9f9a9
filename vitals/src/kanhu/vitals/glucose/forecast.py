"""The fitted forecast: glucose in 30 minutes, and how likely a low comes first."""

import math

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.errors import ModelRefused
from kanhu.vitals.glucose.features import FEATURES
from kanhu.vitals.models import Model, Trees

__all__ = ["FORECAST_MIN", "Forecast"]

FORECAST_MIN = 30
"""How far the forecast reaches."""


class Forecast:
    """Boosted trees for the change; trees and a logistic line, averaged, for the low."""

    def __init__(self, model: Model) -> None:
        """Take the numbers of a fitted model.

        Raises:
            ModelRefused: it is not one of glucose, or of other features.
        """
        self._change, self._low = (Trees(model, prefix, inputs="float64") for prefix in ("change_", "low_"))
        self._change_base, self._low_base = model.number("change_base"), model.number("low_base")
        self._centre, self._scale, self._line = (model.array(f"line_{name}") for name in ("centre", "scale", "weight"))
        if {len(self._centre), len(self._scale), len(self._line)} != {len(FEATURES)} or (self._scale <= 0).any():
            raise ModelRefused(model.name, f"is not of {len(FEATURES)} features")
        self._line_base = model.number("line_base")
        self._span_mg_dl = model.array("span_mg_dl")
        self._far_mg_dl = model.number("far_mg_dl")
        self.warn_at = model.number("warn_at")
        """The score from which a low is warned of."""

    def change_mg_dl(self, row: NDArray[np.float64]) -> float:
        """How much glucose changes within 30 min."""
        return float(self._change_base + self._change.values(row).sum())

    def in_30_min_mg_dl(self, row: NDArray[np.float64]) -> float:
        """Glucose in 30 min, within what a sensor can say."""
        low, high = self._span_mg_dl
        return min(max(float(row[0]) + self.change_mg_dl(row), float(low)), float(high))

    def low_score(self, row: NDArray[np.float64]) -> float:
        """How near a low is, as log odds; minus infinity far above one."""
        if row[0] >= self._far_mg_dl:
            return -math.inf
        trees = self._low_base + self._low.values(row).sum()
        line = self._line_base + float((self._line * ((row - self._centre) / self._scale)).sum())
        return float(trees + line) / 2
