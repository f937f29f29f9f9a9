"""Waiting for what another process or thread does."""

import asyncio
from collections.abc import Callable


async def until(done: Callable[[], bool], *, patience_s: float = 20) -> None:
    """Look every 50 ms; TimeoutError when patience is over."""
    async with asyncio.timeout(patience_s):
        while not done():  # noqa: ASYNC110  # what is waited for happens elsewhere and sets no event
            await asyncio.sleep(0.05)
