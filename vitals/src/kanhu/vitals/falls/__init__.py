"""Falls from acceleration: a cheap candidate at every sample, a small model of the seconds around it, then stages.

Not here: the voice that asks, who is called (rules and the county), and how a model is fitted (the county's training).
"""

from kanhu.vitals.falls.candidates import Candidate, Candidates
from kanhu.vitals.falls.detector import FallDetector, FallEvent, FallStage, fall_score
from kanhu.vitals.falls.features import FEATURES, HZ, Site, features_of
from kanhu.vitals.falls.impacts import Impacts
from kanhu.vitals.falls.resampling import Resampler

__all__ = [
    "FEATURES",
    "HZ",
    "Candidate",
    "Candidates",
    "FallDetector",
    "FallEvent",
    "FallStage",
    "Impacts",
    "Resampler",
    "Site",
    "fall_score",
    "features_of",
]
