"""Scores that clinicians know, computed as they are published.

Here lives NEWS2. Not here: what a score leads to, which is a rule; readings of different sessions, which the caller
does not combine.
"""

from kanhu.vitals.scores.news2 import Band, Consciousness, News2Score, Spo2Scale, VitalSigns, news2

__all__ = ["Band", "Consciousness", "News2Score", "Spo2Scale", "VitalSigns", "news2"]
