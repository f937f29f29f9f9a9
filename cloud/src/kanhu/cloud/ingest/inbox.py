"""What has come from the broker and waits for the ledger: alerts first, the rest in order, both bounded.

When ten thousand gateways come back at once, a call for help does not wait behind their heartbeats; nor does one
gateway that sends alert after alert keep the heartbeats of all others from being heard. What finds no room is dropped
and counted: no receipt is sent for it, so it comes again.
"""

import asyncio
from collections import deque

from kanhu.cloud.ingest.door import Message
from kanhu.contract import Up

_OTHERS_ONE_IN = 4
"""Of what is taken at a time, where both wait; less, and a flood of alerts makes every other gateway look silent."""

_ALERT = f"/{Up.ALERT.value}"


class Inbox:
    """Filled by the reader, emptied by whoever stores; one event loop."""

    def __init__(self, most: int) -> None:
        """Hold at most so many alerts, and as many others."""
        self._most = most
        self._alerts: deque[Message] = deque()
        self._others: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._dropped = 0

    def put(self, message: Message) -> None:
        """Keep a message, or drop it where there is no room for its kind."""
        waiting = self._alerts if message.topic.endswith(_ALERT) else self._others
        if len(waiting) < self._most:
            waiting.append(message)
            self._filled.set()
        else:
            self._dropped += 1

    async def take(self, most: int) -> list[Message]:
        """Wait until there is something, and take what waits longest, alerts first; a quarter is for the others."""
        while not (self._alerts or self._others):
            self._filled.clear()
            await self._filled.wait()
        taken: list[Message] = []
        kept = min(len(self._others), most // _OTHERS_ONE_IN)
        for waiting, limit in ((self._alerts, most - kept), (self._others, most)):
            while waiting and len(taken) < limit:
                taken.append(waiting.popleft())
        return taken

    def dropped(self) -> int:
        """How many found no room since the last time somebody asked."""
        dropped, self._dropped = self._dropped, 0
        return dropped
