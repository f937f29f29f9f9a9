"""The play's own time: seconds since the start, and the second of the day the bodies live in."""

from kanhu.contract.clock import Clock


class Timeline:
    """Counts from the moment it is made."""

    def __init__(self, clock: Clock, *, start_of_day_s: float, duration_s: float) -> None:
        """Start now."""
        self._clock = clock
        self._started_ns = clock.mono_ns()
        self._start_of_day_s = start_of_day_s
        self.duration_s = duration_s

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return (self._clock.mono_ns() - self._started_ns) / 1e9

    async def until(self, at_s: float) -> None:
        """Wait for a second of the play; one that is past is now."""
        await self._clock.sleep(at_s - self.elapsed_s())

    def second_of_day(self, at_s: float) -> float:
        """The second of the day the bodies live in."""
        return self._start_of_day_s + at_s
