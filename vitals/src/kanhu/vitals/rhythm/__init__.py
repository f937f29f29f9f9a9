"""What the intervals between beats say.

Here lives how irregular a window of beats is. Not here: how often it has to be so before anybody hears of it, which is
a rule (rules/rhythm.py).
"""

from kanhu.vitals.rhythm.irregularity import Irregularity, RhythmLimits, irregularity, rhythm_of

__all__ = ["Irregularity", "RhythmLimits", "irregularity", "rhythm_of"]
