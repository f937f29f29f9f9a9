"""From a schedule that fails to a small one that fails still: delta debugging (Zeller and Hildebrandt, 2002).

The result is minimal in this sense: leave any one fault out, and it does not fail any more, as far as each trial told
the truth. Real runs are not quite repeatable, so a schedule counts as passing only after it has passed several times.
"""

from collections.abc import Awaitable, Callable

from kanhu.harness.faults.errors import ScheduleRefused
from kanhu.harness.faults.schedule import Fault, Schedule

__all__ = ["Trial", "shrink"]

Trial = Callable[[Schedule], Awaitable[bool]]
"""Plays a schedule; whether it failed."""


async def shrink(
    schedule: Schedule, fails: Trial, *, tries: int = 1, tell: Callable[[str], None] = lambda _: None
) -> Schedule:
    """Leave out what is not needed; `tries` is how often a schedule has to pass to count as passing.

    Raises:
        ScheduleRefused: it does not fail, or fails without any fault.
    """
    known: dict[Schedule, bool] = {}

    async def failing(part: list[Fault]) -> bool:
        key = tuple(part)
        if key not in known:
            known[key] = False
            for _ in range(tries):
                if await fails(key):
                    known[key] = True
                    break
            tell(f"{len(key)} faults: {'fails' if known[key] else 'passes'}")
        return known[key]

    if not await failing(list(schedule)):
        raise ScheduleRefused("schedule", "does not fail: nothing to shrink")
    if await failing([]):
        raise ScheduleRefused("schedule", "fails without any fault: the faults are not why")
    left = list(schedule)
    pieces = 2
    while len(left) > 1:
        size = -(-len(left) // pieces)
        parts = [left[at : at + size] for at in range(0, len(left), size)]
        smaller = await _first(failing, parts)
        if smaller is not None:
            left, pieces = smaller, 2
            continue
        without = [[fault for other in parts if other is not part for fault in other] for part in parts]
        smaller = await _first(failing, without) if len(parts) > 2 else None
        if smaller is not None:
            left, pieces = smaller, max(pieces - 1, 2)
        elif size == 1:
            break
        else:
            pieces = min(2 * pieces, len(left))
    return tuple(left)


async def _first(failing: Callable[[list[Fault]], Awaitable[bool]], parts: list[list[Fault]]) -> list[Fault] | None:
    for part in parts:
        if await failing(part):
            return part
    return None
