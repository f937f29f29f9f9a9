"""When a low is said, when it is warned of, and when nothing is said again."""

import math
from enum import StrEnum

import msgspec

from kanhu.vitals.glucose.settings import GlucoseSettings

__all__ = ["LowStage", "LowWatch"]


class LowStage(StrEnum):
    """Where a person is between calm and low."""

    CALM = "calm"
    AHEAD = "ahead"
    WARNED = "warned"
    LOW = "low"
    STILL_LOW = "still_low"
    RECOVERING = "recovering"


class LowWatch(msgspec.Struct, array_like=True):
    """Remembers the last low and the last warning."""

    last_low_min: float = -math.inf
    warned_min: float = -math.inf

    def __post_init__(self) -> None:
        """Refuse what no watch can be: stored state is read back into this."""
        if math.isnan(self.last_low_min) or math.isnan(self.warned_min):
            raise ValueError("not a watch")

    def update(
        self, value_mg_dl: float, minute: float, *, score: float | None, warn_at: float, settings: GlucoseSettings
    ) -> LowStage:
        """Take one value, later than the last; without a score nothing is warned of."""
        since_low = minute - self.last_low_min
        if value_mg_dl < settings.low_mg_dl:
            self.last_low_min, self.warned_min = minute, -math.inf
            return LowStage.STILL_LOW if since_low <= settings.low_over_min else LowStage.LOW
        if since_low < settings.low_over_min:
            return LowStage.RECOVERING
        if score is None or score < warn_at:
            return LowStage.CALM
        if minute - self.warned_min < settings.again_min:
            return LowStage.WARNED
        self.warned_min = minute
        return LowStage.AHEAD
