"""What has come from the broker and waits for the ledger: alerts first, gateways in turn, all of it bounded.

When ten thousand gateways come back at once, a call for help does not wait behind their heartbeats; nor does one
gateway that sends alert after alert keep the heartbeats of all others from being heard. Within a lane each gateway has
a queue of its own and is taken from in turn, so that one that has gone wild waits for itself and for nobody else. What
finds no room is dropped and counted, by gateway: no receipt is sent for it, so it comes again.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from kanhu.cloud.ingest.door import Message
from kanhu.contract import InvalidTopic, Up, parse_up_topic

NOBODY = ""
"""Who has sent what carries no topic of a gateway: all of it shares one turn."""

_OTHERS_ONE_IN = 4
"""Of what is taken at a time, where both wait; less, and a flood of alerts makes every other gateway look silent."""


class _Room(Enum):
    """Whether there was any."""

    KEPT = auto()
    OVER_OWN = auto()
    """So many of this gateway wait that there is none for more of it, however few others do."""
    FULL = auto()
    """There is none for anybody: no fault of whose message it is."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many messages of each gateway found no room."""

    messages: Counter[str] = field(default_factory=Counter)
    over_own: Counter[str] = field(default_factory=Counter)
    """Of them, those of gateways of which as many waited as may of one."""


class Inbox:
    """Filled by the reader, emptied by whoever stores; one event loop."""

    def __init__(self, most: int, *, most_each: int, turn: int) -> None:
        """Hold at most so many alerts, and as many others; of one gateway `most_each`, and `turn` at a time."""
        self._alerts = _Lane(most, most_each=most_each, turn=turn)
        self._others = _Lane(most, most_each=most_each, turn=turn)
        self._filled = asyncio.Event()
        self._dropped = Dropped()

    def put(self, message: Message) -> None:
        """Keep a message, or drop it where there is no room for its kind or of its gateway."""
        try:
            gateway, kind = parse_up_topic(message.topic)
        except InvalidTopic:
            gateway, kind = NOBODY, None
        room = (self._alerts if kind is Up.ALERT else self._others).put(gateway, message)
        if room is _Room.KEPT:
            self._filled.set()
            return
        self._dropped.messages[gateway] += 1
        if room is _Room.OVER_OWN:
            self._dropped.over_own[gateway] += 1

    async def take(self, most: int) -> list[Message]:
        """Wait until there is something, and take it in turns, alerts first; a quarter is for the others."""
        while not (self._alerts.waiting or self._others.waiting):
            self._filled.clear()
            await self._filled.wait()
        kept = min(self._others.waiting, most // _OTHERS_ONE_IN)
        alerts = list(self._alerts.take(most - kept))
        return alerts + list(self._others.take(most - len(alerts)))

    def dropped(self) -> Dropped:
        """What found no room since the last time somebody asked."""
        dropped, self._dropped = self._dropped, Dropped()
        return dropped


class _Lane:
    """Messages of one kind: a queue a gateway; whose turn comes first has waited longest since its last."""

    def __init__(self, most: int, *, most_each: int, turn: int) -> None:
        self.waiting = 0
        self._most = most
        self._most_each = most_each
        self._turn = turn
        self._queues: dict[str, deque[Message]] = {}

    def put(self, gateway: str, message: Message) -> _Room:
        """Keep it, or say for whom there is no room."""
        queue = self._queues.get(gateway)
        if queue is not None and len(queue) >= self._most_each:
            return _Room.OVER_OWN
        if self.waiting >= self._most:
            return _Room.FULL
        self._queues.setdefault(gateway, deque()).append(message)
        self.waiting += 1
        return _Room.KEPT

    def take(self, most: int) -> Iterator[Message]:
        """At most so many, and of each gateway at most a turn."""
        for gateway in list(self._queues):
            if most <= 0:
                return
            queue = self._queues.pop(gateway)
            taken = min(len(queue), self._turn, most)
            for _ in range(taken):
                yield queue.popleft()
            most -= taken
            self.waiting -= taken
            if queue:
                self._queues[gateway] = queue  # behind everybody else
