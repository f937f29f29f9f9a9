"""Plays a fleet: connects it evenly, wakes each gateway when something is due, breaks all links, drains.

    ramp ──▶ steady (with a storm, where one is asked for) ──▶ drain ──▶ goodbye

One event loop, one heap of times; a gateway's earlier entries in the heap are passed over when they come up.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from random import Random

from kanhu.contract import Clock
from kanhu.firmware_sim.fleet.gateway import SECOND_NS, Habits, VirtualGateway
from kanhu.firmware_sim.fleet.link import Link
from kanhu.firmware_sim.fleet.tally import Tally

__all__ = ["Fleet", "Phase", "Plan", "gateway_names"]

_STEP_S = 0.01  # what falls due within it is done in one go
_PROGRESS_S = 0.5
_CONNECT_S = 8.0
_DIALS_AT_ONCE = 200  # below what a broker lets wait to be accepted
_LONGEST_BACK_OFF_S = 30.0
_SHORT_DRAIN_S = 15.0  # where somebody waits at a terminal for the end
_GATEWAYS_A_SECOND = 500  # that flush, or say goodbye: an end is no storm


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    gateways: int
    seconds: float
    """With all of them connected."""
    ramp_s: float
    drain_s: float
    seed: int
    storm_at_s: float | None = None
    storm_s: float = 10.0
    """How long no link stands."""


class Phase(StrEnum):
    """Where a run is."""

    RAMP = "connecting"
    STEADY = "sending"
    DRAIN = "draining"
    GOODBYE = "goodbye"


Progress = Callable[[Phase, Tally, float], None]
"""Told now and then: the phase, the counts, and how many seconds of the phase are left at most."""


class Fleet:
    """All gateways of one run."""

    def __init__(
        self,
        plan: Plan,
        *,
        habits: Habits,
        clock: Clock,
        broker: tuple[str, int],
        progress: Progress,
        check: Callable[[], None],
    ) -> None:
        """Nothing is connected before `play`; `check` is called now and then, and ends the run by raising."""
        self.tally = Tally()
        self.gateways: list[VirtualGateway] = []
        self.steady_s = self.drain_s = 0.0
        self.messages_per_s = 0.0
        """While all were connected."""
        self._plan = plan
        self._habits = habits
        self._clock = clock
        self._broker = broker
        self._progress = progress
        self._check = check
        self._agenda: list[tuple[int, int, VirtualGateway]] = []
        self._order = 0
        self._dialling: set[asyncio.Task[None]] = set()
        self._dials = asyncio.Semaphore(_DIALS_AT_ONCE)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Go on to a short drain now."""
        self._stop.set()

    async def play(self) -> None:
        """Ramp, send, drain and leave."""
        began_ns = self._clock.mono_ns()
        self._gather(began_ns)
        try:
            await self._run(Phase.RAMP, self._plan.ramp_s + _CONNECT_S, until=self._all_online)
            await self._steady()
            await self._drain()
            self._progress(Phase.GOODBYE, self.tally, self._spread_s())
            await self._leave()
        finally:
            for task in self._dialling:
                task.cancel()
            await asyncio.gather(*self._dialling, return_exceptions=True)
            for gateway in self.gateways:
                gateway.leave()

    def _gather(self, began_ns: int) -> None:
        for number, name in enumerate(gateway_names(self._plan.gateways)):
            first_s = self._plan.ramp_s * number / self._plan.gateways
            gateway = VirtualGateway(
                name,
                habits=self._habits,
                tally=self.tally,
                clock=self._clock,
                draw=Random(f"{self._plan.seed}/{name}"),
                dial=self._dial,
                plan=self._put,
                first_ns=began_ns + round(first_s * SECOND_NS),
            )
            self.gateways.append(gateway)
            self._put(gateway)

    async def _steady(self) -> None:
        began_ns, before = self._clock.mono_ns(), self._messages()
        storm_s = self._plan.storm_at_s
        if storm_s is not None and not self._stop.is_set():
            await self._run(Phase.STEADY, storm_s, beyond_s=self._plan.seconds - storm_s)
            self._storm()
        rest_s = self._plan.seconds - (storm_s or 0.0)
        if not self._stop.is_set():
            await self._run(Phase.STEADY, rest_s)
        self.steady_s = self._since_s(began_ns)
        self.messages_per_s = (self._messages() - before) / max(_STEP_S, self.steady_s)

    def _storm(self) -> None:
        back_ns = self._clock.mono_ns() + round(self._plan.storm_s * SECOND_NS)
        draw = Random(f"{self._plan.seed}/storm")
        # Each finds its link again when its back-off next lets it try: pauses that double have grown to the wait.
        latest_s = min(self._plan.storm_s, _LONGEST_BACK_OFF_S)
        for gateway in self.gateways:
            gateway.cut(back_ns + round(draw.uniform(0, latest_s) * SECOND_NS))

    async def _drain(self) -> None:
        drain_s = min(self._plan.drain_s, _SHORT_DRAIN_S) if self._stop.is_set() else self._plan.drain_s
        self._stop.clear()
        began_ns = self._habits.emit_until_ns = self._clock.mono_ns()
        spread_ns = round(self._spread_s() * SECOND_NS)
        draw = Random(f"{self._plan.seed}/drain")
        for gateway in self.gateways:
            gateway.flush(began_ns + draw.randint(0, spread_ns))
        await self._run(Phase.DRAIN, drain_s, until=partial(self._all_settled, began_ns + spread_ns))
        self.drain_s = self._since_s(began_ns)

    async def _leave(self) -> None:
        for number, gateway in enumerate(self.gateways):
            gateway.leave()
            if number % (_GATEWAYS_A_SECOND // 10) == 0:
                self._wake_due(self._clock.mono_ns())  # who waits for its turn stays alive until then
                await self._clock.sleep(0.1)
        await self._clock.sleep(0.1)

    async def _run(
        self, phase: Phase, seconds: float, *, beyond_s: float = 0.0, until: Callable[[], bool] | None = None
    ) -> None:
        """Wake whom it concerns until the time is over, somebody says stop, or `until` holds."""
        end_ns = self._clock.mono_ns() + round(seconds * SECOND_NS)
        told_ns = 0
        while (now_ns := self._clock.mono_ns()) < end_ns and not self._stop.is_set():
            self._wake_due(now_ns)
            if until is not None and until():
                return
            if now_ns >= told_ns + _PROGRESS_S * SECOND_NS:
                told_ns = now_ns
                self._check()
                self._progress(phase, self.tally, (end_ns - now_ns) / SECOND_NS + beyond_s)
            await self._clock.sleep(_STEP_S)

    def _wake_due(self, now_ns: int) -> None:
        for gateway in self._due(now_ns):
            gateway.wake()
            self._put(gateway)

    def _due(self, now_ns: int) -> Iterator[VirtualGateway]:
        while self._agenda and self._agenda[0][0] <= now_ns:
            due_ns, _, gateway = heapq.heappop(self._agenda)
            if due_ns == gateway.planned_ns:  # else it has been planned anew since
                yield gateway

    def _put(self, gateway: VirtualGateway) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (gateway.planned_ns, self._order, gateway))

    def _dial(self, gateway: VirtualGateway) -> None:
        task = asyncio.create_task(self._connect(gateway), name=f"dial {gateway.name}")
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _connect(self, gateway: VirtualGateway) -> None:
        host, port = self._broker
        try:
            async with self._dials, asyncio.timeout(_CONNECT_S):
                await asyncio.get_running_loop().create_connection(lambda: Link(gateway), host, port)
        except OSError:  # a timeout is one, too
            gateway.unreachable()

    def _messages(self) -> int:
        return self.tally.parcels + self.tally.heartbeats

    def _all_online(self) -> bool:
        return self.tally.online == len(self.gateways)

    def _all_settled(self, after_ns: int) -> bool:
        """Whether everything accepted has a receipt, and everybody had the time to accept what was due."""
        return self._clock.mono_ns() > after_ns and self.tally.receipted == self.tally.emitted

    def _spread_s(self) -> float:
        return len(self.gateways) / _GATEWAYS_A_SECOND

    def _since_s(self, began_ns: int) -> float:
        return (self._clock.mono_ns() - began_ns) / SECOND_NS


def gateway_names(count: int) -> Iterator[str]:
    """Ids of a fleet's gateways: the same for every run, so that a county can enrol them once."""
    return (f"fleet-{number:05d}" for number in range(1, count + 1))
