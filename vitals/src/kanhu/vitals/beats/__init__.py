"""Heartbeats in an electrocardiogram, and where not to count at all.

Here lives what is a beat and how good the signal is. Not here: what the intervals between beats say (rhythm/).
"""

from kanhu.vitals.beats.detector import Answer, Beat, BeatDetector, BeatQuality
from kanhu.vitals.beats.pulse import pulse_beats
from kanhu.vitals.beats.quality import SignalQuality, Window, quality_of
from kanhu.vitals.beats.settings import BeatSettings

__all__ = [
    "Answer",
    "Beat",
    "BeatDetector",
    "BeatQuality",
    "BeatSettings",
    "SignalQuality",
    "Window",
    "pulse_beats",
    "quality_of",
]
