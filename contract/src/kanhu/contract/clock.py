"""Time is passed in: the Clock protocol, the one real clock, and a fake one for tests and replays.

Wall time may be wrong on a gateway without a clock chip, so every clock also says how far its wall time can be
trusted, and gives monotonic time with the id of the boot it belongs to.
"""

import asyncio
import ctypes
import heapq
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol

# Before this instant no kanhu existed: a wall clock that shows less has never been set.
EARLIEST_PLAUSIBLE = datetime(2026, 1, 1, tzinfo=UTC)

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_ADJTIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux; spare room for other layouts
_ADJTIMEX_UNSYNCHRONISED = 5  # TIME_ERROR in adjtimex(2)


class ClockState(StrEnum):
    """How far a wall clock can be trusted."""

    UNSET = "unset"
    RESTORED = "restored"
    SYNCED = "synced"


class Clock(Protocol):
    """What every process object takes instead of asking the system."""

    @property
    def boot(self) -> str:
        """Id of the boot that `mono_ns` counts from, 32 hex digits."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""

    def wall_ms(self) -> int:
        """Wall time in Unix milliseconds."""

    def mono_ns(self) -> int:
        """Nanoseconds since boot, suspended time included."""

    def state(self) -> ClockState:
        """How far `now` can be trusted at this moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""


class SystemClock:
    """The real clock: the only place in kanhu that asks the operating system for the time."""

    def __init__(self) -> None:
        """Read the kernel's boot id once."""
        self._boot = _kernel_boot_id()

    @property
    def boot(self) -> str:
        """Id of this boot, 32 hex digits."""
        return self._boot

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(UTC)

    def wall_ms(self) -> int:
        """Wall time in Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def mono_ns(self) -> int:
        """Nanoseconds since boot, suspended time included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def state(self) -> ClockState:
        """`unset` below the first plausible date, `synced` where the kernel says so, else `restored`."""
        if self.now() < EARLIEST_PLAUSIBLE:
            return ClockState.UNSET
        return ClockState.SYNCED if _kernel_is_synchronised() else ClockState.RESTORED

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop's monotonic clock."""
        await asyncio.sleep(max(0.0, seconds))


class FakeClock:
    """A clock that moves only when told; sleepers wake in order as it passes their time."""

    def __init__(
        self,
        start: datetime = datetime(2026, 3, 2, 0, 0, tzinfo=UTC),
        *,
        boot: str = "0" * 32,
        state: ClockState = ClockState.SYNCED,
    ) -> None:
        """Start at `start`, zero nanoseconds after boot."""
        self._now = start
        self._mono_ns = 0
        self._boot = boot
        self._state = state
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = 0

    @property
    def boot(self) -> str:
        """Id of the pretended boot."""
        return self._boot

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return self._now

    def wall_ms(self) -> int:
        """Wall time in Unix milliseconds."""
        return (self._now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    def mono_ns(self) -> int:
        """Nanoseconds since the pretended boot."""
        return self._mono_ns

    def state(self) -> ClockState:
        """The state last set."""
        return self._state

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed this point."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._mono_ns + round(seconds * 1e9), self._order, woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move wall and monotonic time together and wake whoever was due; who sleeps again counts from the new time."""
        self._now += timedelta(seconds=seconds)
        self._mono_ns += round(seconds * 1e9)
        while self._sleepers and self._sleepers[0][0] <= self._mono_ns:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def step_wall(self, seconds: float) -> None:
        """Let the wall clock jump; monotonic time stays."""
        self._now += timedelta(seconds=seconds)

    def set_state(self, state: ClockState) -> None:
        """Pretend that the clock was set or lost."""
        self._state = state

    def reboot(self, boot: str) -> None:
        """Begin a new boot: monotonic time starts again at zero."""
        self._boot = boot
        self._mono_ns = 0


def _kernel_boot_id() -> str:
    try:
        return _BOOT_ID_FILE.read_text(encoding="ascii").strip().replace("-", "")
    except OSError:  # not Linux, or /proc not mounted: a process is then its own boot
        return uuid.uuid4().hex


@cache
def _adjtimex() -> Callable[..., int]:
    """Looked up once: every reading asks."""
    found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).adjtimex
    return found


# Asked at every reading: one for all threads. Its `modes` stay 0, read only, and what it is filled with nobody reads.
_TIMEX = ctypes.create_string_buffer(_ADJTIMEX_BYTES)


def _kernel_is_synchronised() -> bool:
    status: int = _adjtimex()(_TIMEX)
    return 0 <= status != _ADJTIMEX_UNSYNCHRONISED
