"""What a gateway costs under a steady load: the same for every gateway, whoever wrote it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kanhu.contract import Clock
from kanhu.harness.conform.feed import Feed
from kanhu.harness.conform.meter import Meter
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.village.processes import Processes

__all__ = ["Cost", "Load", "measure"]

MB = 1 << 20
"""As `free -m` and `ps` count."""

_LOOK_S = 1.0
_FIRST_S = 120.0
_WARM_UP_S = 10.0  # starting costs once; it is not part of what a second costs
_PERCENTILE = 0.99


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of it."""

    seconds: float
    """From the first accepted reading on."""
    readings_per_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What that took."""

    cold_start_s: float
    """From the start of the process to its word that a first reading is on its disk."""
    rss_mb: float
    """Resident at the end, of all its processes."""
    peak_mb: float
    cpu_percent: float
    """Of one core, from the tenth second on."""
    accept_p99_ms: float
    """From handing a reading over to the word that it is on the disk: 99 of 100 were faster."""
    accepted: int
    offered: int
    readings_per_s: float
    """Accepted; where it is less than was asked for, this machine did not bear the load, and the rest says little."""


@dataclass(slots=True)
class _Offering:
    """Hands readings over evenly; one that is slow to be accepted does not hold up the next."""

    feed: Feed
    clock: Clock
    took_s: list[float] = field(default_factory=list)

    async def run(self, readings_per_s: float) -> None:
        began_s, number = _now_s(self.clock), 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                number += 1
                tasks.create_task(self._one(number), name=f"reading {number}")
                await asyncio.sleep(max(0.0, began_s + number / readings_per_s - _now_s(self.clock)))

    async def _one(self, number: int) -> None:
        began_s = _now_s(self.clock)
        await self.feed.offer(number)
        accepted_s = self.feed.promises.accepted_s.get(number)
        if accepted_s is not None:
            self.took_s.append(accepted_s - began_s)


async def measure(
    name: str,
    command: Sequence[str],
    *,
    feed: Feed,
    load: Load,
    processes: Processes,
    clock: Clock,
    tell: Callable[[float], None] = lambda _: None,
) -> Cost:
    """Start it, load it, look at it, and stop it; `tell` hears how many seconds are done.

    Raises:
        ProgramFailed: it never accepted a first reading.
        ProcessDied: it ended by itself.
    """
    meter, offering = Meter(), _Offering(feed, clock)
    async with feed:
        began_s = _now_s(clock)
        await processes.start(name, command)
        pid = processes.pid(name)
        task = asyncio.create_task(offering.run(load.readings_per_s), name=f"load of {name}")
        try:
            await _first(feed, processes, name, clock=clock)
            first_s = min(feed.promises.accepted_s.values())
            counted_s = counted_cpu_s = 0.0
            while (done_s := _now_s(clock) - first_s) < load.seconds:
                processes.check()
                meter.look(pid)
                if not counted_s and done_s >= min(_WARM_UP_S, load.seconds / 2):
                    counted_s, counted_cpu_s = _now_s(clock), meter.cpu_s
                tell(done_s)
                await asyncio.sleep(min(_LOOK_S, load.seconds / 10))
            meter.look(pid)
            used_s, lasted_s = meter.cpu_s - counted_cpu_s, _now_s(clock) - counted_s
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await processes.stop(name)
    took_s = sorted(offering.took_s)
    return Cost(
        cold_start_s=first_s - began_s,
        rss_mb=meter.resident_bytes / MB,
        peak_mb=meter.peak_bytes / MB,
        cpu_percent=100 * used_s / lasted_s,
        accept_p99_ms=1000 * took_s[int(len(took_s) * _PERCENTILE)],
        accepted=len(feed.promises.accepted_s),
        offered=feed.promises.offered,
        readings_per_s=len(feed.promises.accepted_s) / done_s,
    )


async def _first(feed: Feed, processes: Processes, name: str, *, clock: Clock) -> None:
    began_s = _now_s(clock)
    while not feed.promises.accepted_s:
        processes.check()
        if _now_s(clock) - began_s > _FIRST_S:
            log = processes.children[name].log
            text = await asyncio.to_thread(log.read_text, encoding="utf-8", errors="replace")
            raise ProgramFailed(f"accepting a first reading by {name} within {_FIRST_S:.0f} s", text[-3000:])
        await asyncio.sleep(0.02)


def _now_s(clock: Clock) -> float:
    return clock.mono_ns() / 1e9
