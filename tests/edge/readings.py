"""Subjects, times, and who remembers: a sink, a memory, somebody who looks at signals."""

import asyncio
import struct
from collections.abc import Callable, Mapping

from kanhu.contract import ClockState, Observation, Subject, SubjectKind, Times, Waveform
from kanhu.edge.devices import DeviceSeen, Stretch

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


class RememberingMemory:
    """Keeps it in a table."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, int]] = {}

    async def recall(self) -> Mapping[str, Mapping[str, int]]:
        return self.kept

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        self.kept.setdefault(device, {}).update(notes)


class Watcher:
    """Remembers stretches of signal, and finds what a test tells it to find."""

    def __init__(self, find: Callable[[Stretch], tuple[Observation, ...]] = lambda _: ()) -> None:
        self.stretches: list[Stretch] = []
        self._find = find

    def take(self, stretch: Stretch) -> tuple[Observation, ...]:
        self.stretches.append(stretch)
        return self._find(stretch)

    def of(self, metric: str) -> list[tuple[Waveform, bool]]:
        return [(one, stretch.joins) for stretch in self.stretches for one in stretch.waveforms if one.metric == metric]

    def samples(self, metric: str) -> list[int]:
        return [number for waveform, _ in self.of(metric) for number in samples_of(waveform)]


def samples_of(waveform: Waveform) -> tuple[int, ...]:
    return struct.unpack(f"<{len(waveform.samples) // 2}h", waveform.samples)


async def until(holds: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Wait for a condition, looking often; fail with its name once the time is over."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110  # what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not come true within {within_s} s") from None
