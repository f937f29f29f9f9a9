"""A clock that runs a given number of times as fast, for plays that nobody wants to wait for.

Only the simulator hurries: gateways and the county go on measuring by the wall, so rules with a time in them see less
of it pass between two readings.
"""

from datetime import datetime, timedelta

from kanhu.contract.clock import Clock, ClockState

__all__ = ["FASTEST", "SLOWEST", "HurriedClock"]

SLOWEST, FASTEST = 0.1, 20.0
_NS_PER_MS = 1_000_000


class HurriedClock:
    """Runs `speed` times as fast as another, from this moment on."""

    def __init__(self, clock: Clock, *, speed: float) -> None:
        """Begin with the same time as `clock`."""
        self._clock = clock
        self._speed = speed
        self._began_ns = clock.mono_ns()
        self._began_ms = clock.wall_ms()
        self._began = clock.now()

    @property
    def boot(self) -> str:
        """Id of the boot."""
        return self._clock.boot

    def now(self) -> datetime:
        """Wall time, as far ahead as the hurry has brought it."""
        return self._began + timedelta(microseconds=self._passed_ns() / 1000)

    def wall_ms(self) -> int:
        """The same in Unix milliseconds."""
        return self._began_ms + self._passed_ns() // _NS_PER_MS

    def mono_ns(self) -> int:
        """Nanoseconds since boot, hurried from this clock's beginning."""
        return self._began_ns + self._passed_ns()

    def state(self) -> ClockState:
        """As the other clock says."""
        return self._clock.state()

    async def sleep(self, seconds: float) -> None:
        """Wait so many hurried seconds."""
        await self._clock.sleep(seconds / self._speed)

    def _passed_ns(self) -> int:
        return round((self._clock.mono_ns() - self._began_ns) * self._speed)
