"""How rare a score is, and the threshold that a false-alarm budget asks for.

Not here: the scores themselves, and whose history they are learned from.
"""

from kanhu.vitals.calibration.risk import alerts_by_limit, limit_within
from kanhu.vitals.calibration.tails import (
    ConformalTail,
    ParetoTail,
    Taken,
    Threshold,
    ThresholdReason,
    chance_per_look,
)

__all__ = [
    "ConformalTail", "ParetoTail", "Taken", "Threshold", "ThresholdReason",
    "alerts_by_limit", "chance_per_look", "limit_within",
]  # fmt: skip  # by kind
