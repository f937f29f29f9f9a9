"""Plays a schedule: each fault begins and ends at its time, whatever others do meanwhile, and all end at the end."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kanhu.harness.faults.errors import ScheduleRefused
from kanhu.harness.faults.schedule import Fault, Place, Schedule

__all__ = ["Breakable", "Hit", "Played", "play"]


class Hit(StrEnum):
    """What a fault met."""

    HIT = "hit"
    ALREADY_DOWN = "already_down"  # it was dead already: nothing happened, and nothing is counted


class Breakable(Protocol):
    """One place that can be broken and mended; faults on it may overlap."""

    async def begin(self, fault: Fault) -> Hit:
        """Break it."""

    async def end(self, fault: Fault) -> None:
        """Mend it, as far as no other fault keeps it broken; called once for each fault that hit."""


@dataclass(frozen=True, slots=True)
class Played:
    """One fault that was played."""

    fault: Fault
    hit: Hit
    at_s: float
    """When it began; later than asked for where the machine was busy."""


async def play(
    schedule: Schedule,
    *,
    places: Mapping[Place, Breakable],
    elapsed_s: Callable[[], float],
    tell: Callable[[Played], None] = lambda _: None,
    end_s: float | None = None,
) -> list[Played]:
    """Play all; returns when the last timed fault has ended.

    Faults that last to the end are ended at `end_s`, or when this is cancelled, and so is every other: nothing stays
    broken.

    Raises:
        ScheduleRefused: a fault is at a place that this run cannot break; nothing was begun.
    """
    for fault in schedule:
        if fault.target.place not in places:
            have = ", ".join(sorted(place.value for place in places))
            raise ScheduleRefused(str(fault.target), f"cannot be broken here; this run knows {have}")
    played: list[Played] = []

    async def one(fault: Fault) -> None:
        place = places[fault.target.place]
        await asyncio.sleep(max(0.0, fault.at_s - elapsed_s()))
        began_s = elapsed_s()
        hit = await place.begin(fault)
        played.append(Played(fault, hit, began_s))
        tell(played[-1])
        if hit is not Hit.HIT:
            return
        try:
            if fault.for_s:
                await asyncio.sleep(fault.for_s)
            elif end_s is not None:
                await asyncio.sleep(max(0.0, end_s - elapsed_s()))
            else:
                await asyncio.Event().wait()  # until this run is cancelled
        finally:
            await asyncio.shield(asyncio.create_task(place.end(fault), name=f"end of {fault}"))

    async with asyncio.TaskGroup() as tasks:
        for fault in schedule:
            tasks.create_task(one(fault), name=str(fault))
    return played
