"""Silence in a home against the silences that are usual there.

Here lives the silence itself (silence.py) and what counts as a sign of the one person who lives there (home.py). Not
here: the clock, the card and the voice, which are the gateway's, and the rule that speaks of it.
"""

from kanhu.vitals.inactivity.home import METRIC, HomeState, HomeStep, HomeWatch, local_s
from kanhu.vitals.inactivity.silence import (
    SETTINGS,
    Presence,
    SilenceDetector,
    SilenceReason,
    SilenceSettings,
    is_front_door,
)

__all__ = [
    "METRIC", "SETTINGS", "HomeState", "HomeStep", "HomeWatch", "Presence", "SilenceDetector", "SilenceReason",
    "SilenceSettings", "is_front_door", "local_s",
]  # fmt: skip  # words by rows
