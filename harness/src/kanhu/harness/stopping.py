"""Runs a proof so that a request to stop, from the keyboard or from outside, ends what it started first."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

__all__ = ["STOPPED", "until_told"]

STOPPED = 130
"""Exit code of what was stopped by hand."""

_Answer = TypeVar("_Answer")


def until_told(work: Coroutine[object, object, _Answer]) -> _Answer:
    """Run to the end.

    Raises:
        KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; nothing of it runs any more.
    """
    try:
        return asyncio.run(_cancelled_when_told(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _cancelled_when_told(work: Coroutine[object, object, _Answer]) -> _Answer:
    task = asyncio.create_task(work, name="proof")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task
