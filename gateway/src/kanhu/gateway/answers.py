"""What the county answers, and that it does: receipts settle what was sent, silence ends the connection.

A receipt that cannot be read, or is for another outbox, is counted and obeyed in nothing. A card that does not settle
keeps what is stored as owed, and the next receipt names it again. Requests come by the same door and are handed on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from kanhu.contract import Clock, Down, MessageRefused, Receipt, SeqRanges, decode_receipt, down_topic
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.flight import Answer, Condemned, Flight
from kanhu.gateway.link import Link
from kanhu.gateway.notes import LinkNotes
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.senders import Senders
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.unwritten import Unwritten

_log = logging.getLogger(__name__)


class ReceiptsSilent(Exception):
    """Records are under way and the county says nothing."""


class Answers:
    """To one gateway; outlive a connection."""

    def __init__(
        self,
        gateway: str,
        committer: Committer,
        *,
        flight: Flight,
        senders: Senders,
        unwritten: Unwritten,
        notes: LinkNotes,
        timekeeper: Timekeeper,
        clock: Clock,
        patience_s: float,
        hear_request: Callable[[bytes], None],
    ) -> None:
        """`patience_s` is how long the county has for an answer, as the flight knows it too.

        `hear_request` is handed what comes on the topic of requests.
        """
        self._hear_request = hear_request
        self._gateway = gateway
        self._committer = committer
        self._flight = flight
        self._senders = senders
        self._unwritten = unwritten
        self._notes = notes
        self._timekeeper = timekeeper
        self._clock = clock
        self._patience_s = patience_s
        self.settled = asyncio.Event()
        """Set whenever less is owed than before, or may be."""
        self.news = asyncio.Event()
        """Set when the time was told that the next heartbeat should tell the county at once."""
        self.receipts = 0
        """Receipts for this outbox, since the process began."""
        self.on_receipt: Callable[[Receipt], None] | None = None
        """Told of each of them."""
        self.on_states: Callable[[bytes], None] | None = None
        """Told what comes on the lane of detector states."""

    async def listen(self, client: Link) -> None:
        """Obey receipts until the connection ends."""
        states_topic, command_topic = (down_topic(self._gateway, one) for one in (Down.STATE, Down.COMMAND))
        async for message in client.messages:
            if message.topic.value == states_topic:
                if self.on_states is not None:
                    self.on_states(message.payload)
                continue
            if message.topic.value == command_topic:
                if not message.retain:  # a request is of its moment
                    self._hear_request(bytes(message.payload))
                continue
            try:
                receipt = decode_receipt(message.payload)
            except MessageRefused:
                self._notes.count("bad_receipts")
                continue
            if receipt.gateway == self._gateway and receipt.epoch == self._unwritten.epoch:
                refused = self._unwritten.settle(receipt)
                if refused:
                    _log.error("the county refused %d alerts that only memory held", refused)
                self.settled.set()
                continue
            if receipt.gateway != self._gateway or receipt.epoch != self._committer.epoch:
                self._notes.count("foreign_receipts")
                continue
            self._unwritten.wake.set()  # the county listens
            await self._settle(receipt)

    async def watch(self, _: Link) -> None:
        """Time what is under way.

        Raises:
            ReceiptsSilent: nothing was answered in time.
        """
        while True:
            await self._clock.sleep(self._patience_s / 4)
            answer, condemned = self._flight.check(self._clock.mono_ns())
            await self._quarantine(condemned)
            if answer is Answer.SILENT:
                raise ReceiptsSilent
            self._senders.wake()

    async def _settle(self, receipt: Receipt) -> None:
        self._notes.moment("receipt_ms")
        self.receipts += 1
        if self.on_receipt is not None:
            self.on_receipt(receipt)
        if self._timekeeper.told(county_ms=receipt.county_ms, heard_ns=receipt.heard_ns):
            self.news.set()  # until the county knows it too, readings of before have no time there
        highest = max((receipt.contiguous, *(last for _, last in receipt.ranges)))
        if highest > self._committer.last_seq:
            self._notes.count("receipts_ahead")
        condemned = self._flight.answer(receipt, now_ns=self._clock.mono_ns())
        sent = SeqRanges(self._flight.sent)  # a copy: the senders go on while the outbox's thread reads it
        try:
            oldest = await self._committer.call(partial(_settle_upto, receipt=receipt, sent=sent))
        except OutboxError as error:  # what was not deleted stays owed, and the next receipt names it again
            _log.warning("what the county has stored could not be deleted: %s", error)
        else:
            self._flight.forget_below(oldest)
        await self._quarantine(condemned)
        self.settled.set()
        self._senders.wake()

    async def _quarantine(self, condemned: Sequence[Condemned]) -> None:
        for one in condemned:
            quarantine = partial(_set_aside, seq=one.seq, reason=one.reason)
            await self._committer.call(quarantine)


def _settle_upto(outbox: Outbox, *, receipt: Receipt, sent: SeqRanges) -> int:
    outbox.settle(receipt, sent=sent)
    return outbox.oldest_seq()


def _set_aside(outbox: Outbox, *, seq: int, reason: str) -> None:
    outbox.quarantine([seq], reason=reason)
