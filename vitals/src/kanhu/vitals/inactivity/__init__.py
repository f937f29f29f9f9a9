"""Silence in a home against the silences that are usual there."""

from kanhu.vitals.inactivity.silence import (
    SETTINGS,
    Presence,
    SilenceDetector,
    SilenceReason,
    SilenceSettings,
    is_front_door,
)

__all__ = ["SETTINGS", "Presence", "SilenceDetector", "SilenceReason", "SilenceSettings", "is_front_door"]
