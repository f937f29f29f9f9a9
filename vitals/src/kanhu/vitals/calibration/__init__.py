"""How rare a score is, and the threshold that a false-alarm budget asks for.

Not here: the scores themselves, and whose history they are learned from.
"""

from kanhu.vitals.calibration.tails import (
    ConformalTail,
    ParetoTail,
    Taken,
    Threshold,
    ThresholdReason,
    chance_per_look,
)

__all__ = ["ConformalTail", "ParetoTail", "Taken", "Threshold", "ThresholdReason", "chance_per_look"]
