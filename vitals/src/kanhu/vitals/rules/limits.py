"""Where a value stands against the limits that hold for one person."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from kanhu.contract import METRICS
from kanhu.vitals.profile import Profile
from kanhu.vitals.rules.records import Limit, ThresholdTrigger


class Standing(StrEnum):
    """Reached, inside but not by enough to clear, or clear."""

    REACHED = "reached"
    BETWEEN = "between"
    CLEAR = "clear"


class Side(StrEnum):
    """Which limit is reached."""

    LOW = "low"
    HIGH = "high"
    INSIDE = "inside"


class Bound(msgspec.Struct, frozen=True):
    """The limits of one component for one person."""

    metric: str
    at_or_below: Decimal | None
    below: Decimal | None
    at_or_above: Decimal | None
    high_at_or_below: Decimal | None
    clear_from: Decimal | None
    clear_to: Decimal | None
    clear_below: Decimal | None

    def reached(self, value: Decimal) -> bool:
        """Whether the limit is reached, on either side."""
        return self.reached_low(value) or (self.at_or_above is not None and value >= self.at_or_above)

    def reached_low(self, value: Decimal) -> bool:
        """Whether the lower limit is reached."""
        at = self.at_or_below is not None and value <= self.at_or_below
        return at or (self.below is not None and value < self.below)

    def urgent(self, value: Decimal) -> bool:
        """Whether the limit is reached so far that the priority is high."""
        return self.reached(value) and self.high_at_or_below is not None and value <= self.high_at_or_below

    def clear(self, value: Decimal) -> bool:
        """Whether the value is far enough inside to clear."""
        return (
            (self.clear_from is None or value >= self.clear_from)
            and (self.clear_to is None or value <= self.clear_to)
            and (self.clear_below is None or value < self.clear_below)
        )

    def text(self) -> str:
        """The limit as people write it."""
        low = f"≤ {self.at_or_below:f}" if self.at_or_below is not None else None
        low = f"< {self.below:f}" if self.below is not None else low
        high = f"≥ {self.at_or_above:f}" if self.at_or_above is not None else None
        return " / ".join(side for side in (low, high) if side is not None)


def bounds_for(trigger: ThresholdTrigger, profile: Profile, *, heard: str) -> tuple[Bound, ...]:
    """The limits that hold for this person, of what a reading of the metric `heard` can have."""
    parts = METRICS[heard].parts or (heard,)
    return tuple(_bound(limit, profile) for limit in trigger.limits if limit.metric in parts)


def standing(bounds: tuple[Bound, ...], values: Mapping[str, Decimal]) -> Standing:
    """Any component reached is reached; clear only where every component is there and clear."""
    if any(bound.metric in values and bound.reached(values[bound.metric]) for bound in bounds):
        return Standing.REACHED
    if all(bound.metric in values and bound.clear(values[bound.metric]) for bound in bounds):
        return Standing.CLEAR
    return Standing.BETWEEN


def urgent(bounds: tuple[Bound, ...], values: Mapping[str, Decimal]) -> bool:
    """Whether any component calls for high priority."""
    return any(bound.metric in values and bound.urgent(values[bound.metric]) for bound in bounds)


def side(bounds: tuple[Bound, ...], values: Mapping[str, Decimal]) -> Side:
    """Which limit is reached; the lower one where two components disagree."""
    if any(bound.metric in values and bound.reached_low(values[bound.metric]) for bound in bounds):
        return Side.LOW
    return Side.HIGH if standing(bounds, values) is Standing.REACHED else Side.INSIDE


def _bound(limit: Limit, profile: Profile) -> Bound:
    at_or_below, below = limit.at_or_below, None
    personal = profile.spo2_limit_percent if limit.metric == "spo2" else None
    if at_or_below is not None and personal is not None and personal.is_finite():
        at_or_below, below = None, personal
    elif limit.chronic_lung_below is not None and profile.chronic_lung:
        at_or_below, below = None, limit.chronic_lung_below
    low = below if below is not None else at_or_below
    clear_from = clear_to = None
    if limit.clear_margin is not None:
        highest = METRICS[limit.metric].high
        if low is not None:
            clear_from = low + limit.clear_margin
            # A personal limit close to the top of the scale would otherwise never clear.
            clear_from = clear_from if highest is None else min(clear_from, highest)
        if limit.at_or_above is not None:
            clear_to = limit.at_or_above - limit.clear_margin
    return Bound(
        metric=limit.metric,
        at_or_below=at_or_below,
        below=below,
        at_or_above=limit.at_or_above,
        high_at_or_below=limit.high_at_or_below,
        clear_from=clear_from,
        clear_to=clear_to,
        clear_below=limit.clear_below,
    )
