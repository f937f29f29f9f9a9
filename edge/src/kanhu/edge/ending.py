"""How reading ends: what was begun is done before it does."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_Result = TypeVar("_Result")


async def to_the_end(call: Coroutine[object, object, _Result]) -> _Result:
    """Await `call` even through a cancellation, which is then passed on: nothing is half handed over."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def obey_cancellation() -> None:
    """Pass on a cancellation that a library kept to itself.

    Until Python 3.12 `asyncio.wait_for`, which Bluetooth libraries use, drops one that comes together with its answer;
    the task would then stay for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
