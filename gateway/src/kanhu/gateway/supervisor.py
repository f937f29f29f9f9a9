"""The one supervisor: restarts what fails, counts it, and says so. The only broad except of the gateway."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine

from kanhu.contract import Clock

_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0
_HEALTHY_AFTER_S = 60.0  # work that ran so long had started well: its next failure is a new one
_STUCK_AFTER_S = 60.0  # longer than any pause: a machine that slept in the middle of one is not stuck

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps named work running."""

    def __init__(self, clock: Clock) -> None:
        """Back-off is measured on `clock`."""
        self._clock = clock
        self.restarts: Counter[str] = Counter()
        """Restarts since the process began, by name."""
        self._due_ns: dict[str, int] = {}  # of work that waits for its next start

    def stuck(self) -> list[str]:
        """Names of work whose next start was due a minute ago and has not come."""
        late_ns = self._clock.mono_ns() - round(_STUCK_AFTER_S * 1e9)
        return sorted(name for name, due_ns in self._due_ns.items() if due_ns < late_ns)

    async def keep(self, name: str, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Run `work` until it returns or this is cancelled; where it fails, run it again after a growing pause.

        Each run has its own task: a cancellation that a library let loose in it ends that run and not the watch.
        """
        back_off_s = _FIRST_BACK_OFF_S
        while True:
            began_ns = self._clock.mono_ns()
            try:
                return await asyncio.create_task(work(), name=name)
            except asyncio.CancelledError:
                keeper = asyncio.current_task()
                if keeper is None or keeper.cancelling():
                    raise
                _log.error("%s was cut off, starts again in %.1f s", name, back_off_s)
            except Exception:  # noqa: BLE001  # whatever failed, the rest of the gateway goes on
                _log.exception("%s failed, starts again in %.1f s", name, back_off_s)
            self.restarts[name] += 1
            if self._clock.mono_ns() - began_ns > _HEALTHY_AFTER_S * 1e9:
                back_off_s = _FIRST_BACK_OFF_S
            self._due_ns[name] = self._clock.mono_ns() + round(back_off_s * 1e9)
            await self._clock.sleep(back_off_s)
            del self._due_ns[name]
            back_off_s = min(back_off_s * 2, _LONGEST_BACK_OFF_S)
