"""The one supervisor: restarts a task that failed, with a growing pause, and counts it."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from kanhu.contract import Clock

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Runs tasks for ever; `restarts` says how often each had to be started again."""

    def __init__(self, clock: Clock) -> None:
        """Nothing runs yet."""
        self._clock = clock
        self.restarts: Counter[str] = Counter()

    async def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run, and run again after every failure, until cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began_ns = self._clock.mono_ns()
            try:
                await run()
            except Exception:  # noqa: BLE001  # the one place that goes on after anything: it restarts and counts
                _log.exception("%s failed and is started again", name)
            self.restarts[name] += 1
            if self._clock.mono_ns() - began_ns > _LONGEST_PAUSE_S * 1e9:
                pause_s = _FIRST_PAUSE_S
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
