"""What a gateway knows of itself, as far as it matters to updates."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kanhu.gateway.outbox import Outbox

_RECENT_HEARTBEATS = 3
_RECENT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gateway knows of itself; counts since the outbox was made, or since the process began."""

    accepted: int
    refused: int
    receipts: int
    county_answers: bool
    """Whether its last receipt is recent."""
    alerts_owed: int
    """On the card or in memory."""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """By name of the work."""
    readings_come: bool = False
    """Whether one was accepted in the last minute."""
    alerts_in_memory: int = 0
    """Those that no card took: they end with the process."""
    latest_ms: int | None = None
    """Not earlier than the true time; None where nobody has told it."""


def facts_of(
    outbox: Outbox,
    *,
    receipts: int,
    receipt_ms: int | None,
    reading_ms: int | None,
    restarts: Mapping[str, int],
    time: tuple[int, int] | None,
    wall_ms: int,
    heartbeat_s: float,
    in_memory: int,
) -> Facts:
    """Read them, in the thread of the outbox.

    By the wall clock, `receipt_ms` is when the county last answered, and `reading_ms` when a reading was last accepted;
    `time` is the interval in which the true time lies, Unix ms.
    """
    names = [(name.partition(":")[0], count) for (_, name), count in outbox.counters().items()]
    recent_ms = _RECENT_HEARTBEATS * heartbeat_s * 1000 + _RECENT_MS
    return Facts(
        accepted=sum(count for name, count in names if name == "accepted"),
        refused=sum(count for name, count in names if name == "refused"),
        receipts=receipts,
        county_answers=receipt_ms is not None and abs(wall_ms - receipt_ms) < recent_ms,
        alerts_owed=outbox.owed().alerts + in_memory,
        restarts=restarts,
        readings_come=reading_ms is not None and abs(wall_ms - reading_ms) < _RECENT_MS,
        alerts_in_memory=in_memory,
        latest_ms=None if time is None else time[1],
    )
