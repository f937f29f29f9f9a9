"""Continuous glucose: forecast, lows and warnings of lows, highs, and what of a sensor is not believed.

Not here: single readings of a meter (the rules of the pack), and the fit of the numbers (the county's training).
"""

from kanhu.vitals.glucose.detector import GlucoseAnswer, GlucoseDetector, GlucoseReason
from kanhu.vitals.glucose.features import FEATURES
from kanhu.vitals.glucose.low_watch import LowStage, LowWatch
from kanhu.vitals.glucose.settings import GlucoseSettings

__all__ = [
    "FEATURES",
    "GlucoseAnswer",
    "GlucoseDetector",
    "GlucoseReason",
    "GlucoseSettings",
    "LowStage",
    "LowWatch",
]
