"""Waiting for something to come to hold."""

import asyncio
from collections.abc import Callable

__all__ = ["until"]

_LOOK_EVERY_S = 0.05


async def until(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Whether something comes to hold in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not holds():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True
