"""Time that moves when told: wall and monotonic time together, exact to the millisecond however long the way."""

import asyncio
from datetime import UTC, datetime, timedelta

from kanhu.contract import ClockState

__all__ = ["VirtualClock"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_MS = 1_000_000


class VirtualClock:
    """The county's clock in a replay; it counts from the recording's start."""

    def __init__(self, starts_ms: int) -> None:
        """Stand at the start."""
        self._starts_ms = starts_ms
        self._now_ms = starts_ms

    @property
    def boot(self) -> str:
        """One boot from first to last."""
        return "0" * 32

    def move(self, to_ms: int) -> None:
        """Go on to this moment; never back."""
        self._now_ms = max(self._now_ms, to_ms)

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return _EPOCH + timedelta(milliseconds=self._now_ms)

    def wall_ms(self) -> int:
        """Wall time in Unix milliseconds."""
        return self._now_ms

    def mono_ns(self) -> int:
        """Nanoseconds since the start."""
        return (self._now_ms - self._starts_ms) * _NS_PER_MS

    def state(self) -> ClockState:
        """The county's own clock is right."""
        return ClockState.SYNCED

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002  # virtual time passes for nobody who waits
        """Return at the next turn."""
        await asyncio.sleep(0)
