"""Features to log odds of an irregular rhythm: a fitted weighted sum."""

from collections.abc import Sequence
from math import fsum, log

from kanhu.vitals.errors import ModelRefused
from kanhu.vitals.models import Model

__all__ = ["WeightedSum", "inputs_of"]

_FLOOR = 0.01  # added below a logarithm: a share of one per cent is as good as none


def inputs_of(features: Sequence[float]) -> list[float]:
    """Every feature twice: as it is, and its logarithm, because many act by ratio."""
    return [*features, *(log(max(feature, 0.0) + _FLOOR) for feature in features)]


class WeightedSum:
    """Log odds by logistic regression."""

    def __init__(self, model: Model, prefix: str, *, features: int) -> None:
        """Take the arrays `centre`, `scale`, `weight` and the number `bias` of `model`, named with `prefix`.

        Raises:
            ModelRefused: they are not for the features of this software.
        """
        centre, scale, weight = (model.array(prefix + name) for name in ("centre", "scale", "weight"))
        if {centre.shape, scale.shape, weight.shape} != {(2 * features,)} or not (scale > 0).all():
            raise ModelRefused(model.name, f"{prefix}: is not for {features} features")
        self._weights: list[float] = (weight / scale).tolist()
        self._bias = model.number(prefix + "bias") - float((weight * centre / scale).sum())

    def log_odds(self, features: Sequence[float]) -> float:
        """Of an irregular rhythm; 0 is as likely as not, among those whom the model was fitted on."""
        return self._bias + fsum(
            weight * value for weight, value in zip(self._weights, inputs_of(features), strict=True)
        )
