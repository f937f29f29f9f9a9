"""Subjects, times and a sink that remembers, as the tests of this part use them."""

import asyncio
from collections.abc import Callable

from kanhu.contract import ClockState, Observation, Subject, SubjectKind, Times
from kanhu.edge.devices import DeviceSeen

RESIDENT = Subject(SubjectKind.RESIDENT, "r-0003")
TIMES = Times(arrival_ms=1_780_000_000_000, mono_ns=5_000_000_000, boot="0" * 32, clock=ClockState.SYNCED)


class RememberingSink:
    """Commits to a list."""

    def __init__(self) -> None:
        self.accepted: list[Observation] = []
        self.refused: list[tuple[str, str]] = []
        self.details: list[str] = []
        self.seen: list[DeviceSeen] = []

    async def accept(self, observation: Observation) -> bool:
        await asyncio.sleep(0)
        self.accepted.append(observation)
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        await asyncio.sleep(0)
        self.refused.append((device, reason))
        self.details.append(detail)

    def device_seen(self, seen: DeviceSeen) -> None:
        self.seen.append(seen)

    def of(self, device: str) -> list[Observation]:
        return [observation for observation in self.accepted if observation.device == device]

    def latest(self, device: str) -> DeviceSeen | None:
        return next((seen for seen in reversed(self.seen) if seen.device == device), None)

    @property
    def readings(self) -> int:
        return len(self.accepted) + len(self.refused)


class SlowSink(RememberingSink):
    """Commits only when let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.committing = 0

    async def accept(self, observation: Observation) -> bool:
        self.committing += 1
        await self.let.wait()
        return await super().accept(observation)


async def until(holds: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Wait for a condition, looking often; fail with its name once the time is over."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110  # what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not come true within {within_s} s") from None
