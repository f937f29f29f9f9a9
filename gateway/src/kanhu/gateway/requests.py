"""What the county asks of this gateway, done one after the other beside everything else.

    heard ──▶ waiting (few) ──▶ done in small steps ──▶ taken: the heartbeat names its number

A request changes nothing that it does not name, may come twice, and may be any bytes: what cannot be read, is for
another gateway or is not known here is counted and ignored. What finds no place is forgotten, and the county asks again
because no heartbeat named it.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from kanhu.contract import Ask, MessageRefused, Request, decode_request
from kanhu.contract.request import MAX_LIVE_MINUTES
from kanhu.contract.status import MAX_REQUESTS
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.link import Link
from kanhu.gateway.notes import LinkNotes
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.senders import Senders

_MOST_WAITING = 8

_log = logging.getLogger(__name__)


class Requests:
    """To one gateway; outlive a connection."""

    def __init__(self, gateway: str, committer: Committer, *, senders: Senders, notes: LinkNotes) -> None:
        """None was heard."""
        self._gateway = gateway
        self._committer = committer
        self._senders = senders
        self._notes = notes
        self._waiting: asyncio.Queue[Request] = asyncio.Queue(_MOST_WAITING)
        self._begun: set[int] = set()
        """Numbers of those that wait or are being done: the county says one again until a heartbeat names it."""
        self.taken: tuple[int, ...] = ()
        """Numbers of the last ones that were done, oldest first."""
        self.on_taken: Callable[[], None] | None = None
        """Told when one was done: the county waits for the heartbeat that names it."""

    def hear(self, wire: bytes) -> None:
        """Take any bytes from the topic."""
        try:
            request = decode_request(wire)
        except MessageRefused:
            self._notes.count("bad_requests")
            return
        if request.gateway != self._gateway or request.ask not in set(Ask):
            self._notes.count("unknown_requests")
            return
        if request.number not in self._begun.union(self.taken) and not self._waiting.full():
            self._waiting.put_nowait(request)
            self._begun.add(request.number)

    async def work(self, _: Link) -> None:
        """Do what was asked, until cancelled."""
        while True:
            request = await self._waiting.get()
            try:
                await self._do(request)
            except OutboxError as error:  # the card takes nothing now: not taken, so the county asks again
                _log.warning("what the county asked for could not be taken up: %s", error)
                continue
            finally:  # also where the connection broke off
                self._begun.discard(request.number)
            self.taken = (*self.taken, request.number)[-MAX_REQUESTS:]
            self._notes.count("requests")
            if self.on_taken is not None:
                self.on_taken()

    async def _do(self, request: Request) -> None:
        if request.ask == Ask.RESEND:
            await self._resend(request)
        else:
            minutes = min(request.minutes, MAX_LIVE_MINUTES)
            self._senders.go_live(seconds=60 * minutes, subject=request.resident)

    async def _resend(self, request: Request) -> None:
        if request.epoch != self._committer.epoch:
            return  # of a card that is gone, and with it what it held
        turn: int | None = 0
        owed, upto = 0, await self._committer.call(Outbox.delivered_upto)  # what is confirmed from now on is no loss
        while turn is not None:  # in small steps: readings are committed in between
            step = await self._committer.call(partial(Outbox.owe_again, ranges=request.ranges, after=turn, upto=upto))
            turn, owed = step.turn, owed + len(step.seqs)
            if step.seqs:
                self._senders.read_again(min(step.seqs), max(step.seqs))
        if owed:
            _log.warning("the county has lost %d records and asked for them: they are owed again", owed)
