"""Oxygen below a person's own baseline: spot readings over days, and dips in a night of values.

Not here: a reading below a set limit (the rule SPO2-LOW).
"""

from kanhu.vitals.oxygen.dips import DipAnswer, DipDetector
from kanhu.vitals.oxygen.drop import DropAnswer, DropDetector
from kanhu.vitals.oxygen.reading import OxygenReason
from kanhu.vitals.oxygen.settings import OxygenSettings

__all__ = ["DipAnswer", "DipDetector", "DropAnswer", "DropDetector", "OxygenReason", "OxygenSettings"]
