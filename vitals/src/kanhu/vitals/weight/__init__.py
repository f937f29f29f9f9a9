"""Weight gained within days, which in heart failure may be water.

Not here: the quality gate before all rules, and whom it is for: people whose profile says heart failure.
"""

from kanhu.vitals.weight.gain import GainDetector, WeightAnswer, WeightReason
from kanhu.vitals.weight.settings import WeightSettings

__all__ = ["GainDetector", "WeightAnswer", "WeightReason", "WeightSettings"]
