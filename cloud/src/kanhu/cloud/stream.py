"""Tells waiting streams that the revision log has grown; carries a number, never content."""

import asyncio


class ChangeStream:
    """The newest revision, announced from any thread, awaited on the event loop."""

    def __init__(self) -> None:
        """Start with nothing announced."""
        self._latest = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def latest(self) -> int:
        """Newest announced revision."""
        return self._latest

    def announce(self, revision: int) -> None:
        """Say from any thread that the log now reaches `revision`."""
        self._latest = max(self._latest, revision)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    async def wait(self, after: int, *, timeout_s: float) -> int:
        """Newest revision, as soon as it lies beyond `after`, at the latest when the time is over."""
        self._loop = asyncio.get_running_loop()
        if self._latest > after:
            return self._latest
        woken: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(woken)
        try:
            # A real pause: how long a quiet connection stays without a beat is a matter of networks, not of the county.
            await asyncio.wait((woken,), timeout=timeout_s)
        finally:
            self._waiting.discard(woken)
        return self._latest

    def _wake(self) -> None:
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)
