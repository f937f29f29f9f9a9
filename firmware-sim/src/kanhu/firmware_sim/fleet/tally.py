"""What all gateways of a fleet count together while they play."""

from array import array
from dataclasses import dataclass, field

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counters since the play began."""

    emitted: int = 0
    sent: int = 0
    """Readings handed to the broker at least once."""
    receipted: int = 0
    parcels: int = 0
    heartbeats: int = 0
    receipts: int = 0
    foreign_receipts: int = 0
    """Receipts that cannot be read, or speak of another gateway or outbox."""
    refused: int = 0
    """Refusals named in receipts; one is counted again with each receipt that repeats it."""
    dials: int = 0
    connections: int = 0
    online: int = 0
    silent: int = 0
    """Connections given up because records were under way and no receipt came."""
    broken: int = 0
    """Connections that ended otherwise than by a goodbye, the silent ones not counted."""
    unreachable: int = 0
    receipt_ms: "array[float]" = field(default_factory=lambda: array("d"))
    """From the first send of a parcel to the first receipt that names it."""

    def percentile_ms(self, percent: int) -> float:
        """Of the time to a receipt; 0 where none came."""
        ranked = sorted(self.receipt_ms)
        return round(ranked[min(len(ranked) - 1, len(ranked) * percent // 100)], 1) if ranked else 0.0
