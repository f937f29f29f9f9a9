"""The supervisor restarts and counts; it never gives up and never spins."""

import asyncio
from itertools import pairwise

import pytest

from kanhu.contract import FakeClock
from kanhu.gateway.supervisor import Supervisor


async def test_what_fails_runs_again_after_a_growing_pause_and_is_counted() -> None:
    clock = FakeClock()
    supervisor = Supervisor(clock)
    began: list[float] = []

    async def fails() -> None:
        began.append(clock.mono_ns() / 1e9)
        raise LookupError("again")

    task = asyncio.create_task(supervisor.keep("sensing", fails))
    for _ in range(400):
        for _ in range(5):  # the work has a task of its own
            await asyncio.sleep(0)
        clock.advance(0.25)
    task.cancel()
    await asyncio.wait({task})
    pauses = [after - before for before, after in pairwise(began)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(pauses) == 30
    assert supervisor.restarts == {"sensing": len(began)}


async def test_work_that_a_library_cancels_runs_again() -> None:
    supervisor = Supervisor(FakeClock())
    runs = 0

    async def cut_off() -> None:
        nonlocal runs
        runs += 1
        raise asyncio.CancelledError

    task = asyncio.create_task(supervisor.keep("sensing", cut_off))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    assert (runs, supervisor.restarts) == (1, {"sensing": 1})
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_work_that_returns_is_done_and_a_cancel_is_no_failure() -> None:
    supervisor = Supervisor(FakeClock())

    async def returns() -> None:
        await asyncio.sleep(0)

    await supervisor.keep("uplink", returns)
    task = asyncio.create_task(supervisor.keep("sensing", asyncio.Event().wait))  # type: ignore[arg-type]  # waits
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not supervisor.restarts
