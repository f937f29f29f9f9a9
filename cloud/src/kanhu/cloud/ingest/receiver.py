"""Listens to the broker and answers it.

    [waiting] -- connect, subscribe --> [listening] -- link lost --> [backing off] -- pause --> [waiting]

Each connection has a fresh client. It begins with a receipt to every gateway: what they published while nobody
listened is lost, and they see it by that and send it again. Messages wait in a bounded inbox, alerts first; what finds
no room there comes again, because no receipt was sent. Everything that waits goes into one job of the writer.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiomqtt
import msgspec
from sqlalchemy.exc import OperationalError

from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ingest.greeting import greetings
from kanhu.cloud.ingest.inbox import Inbox
from kanhu.cloud.ingest.take import Ingest
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.contract import (
    ALL_UP,
    Clock,
    ContractError,
    Down,
    Receipt,
    down_topic,
    encode_receipt,
    encode_request,
)

KEEPALIVE_S = 15
WAITING_MESSAGES = 5_000
MESSAGES_A_JOB = 200
OF_ONE_GATEWAY = 100  # a gateway has a few parcels under way, and a heartbeat: this is one that has gone wild
OF_ONE_GATEWAY_A_JOB = 4  # of each lane: everybody waits for the job, so that a wild one must not make it long
_REFUSED = 0x80  # in a SUBACK of MQTT 3.1.1
_LONGEST_PAUSE_S = 2.0  # one client in the broker's own house: no burden, and an alert waits for it
_FIRST_PAUSE_S = 0.25
_GREETING_PAUSE_S = 0.02  # between two batches: five thousand gateways in a second at most, and their answers after it

_NOT_TOLD = "ingest.not_told"

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


class LinkState(StrEnum):
    """What the equipment page says of the broker."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    BACKING_OFF = "backing_off"


class Receiver:
    """The county's one connection to its broker."""

    def __init__(
        self,
        url: Callable[[], str],
        ingest: Ingest,
        *,
        writer: Writer,
        clock: Clock,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """Listen to `mqtt://host:port`, asked anew for each connection, as is `tls`."""
        self._tls = tls
        self._url = url
        self._ingest = ingest
        self._writer = writer
        self._clock = clock
        self._inbox = Inbox(WAITING_MESSAGES, most_each=OF_ONE_GATEWAY, turn=OF_ONE_GATEWAY_A_JOB)
        self.state = LinkState.CONNECTING
        self.detail = ""
        self._deaf_ns = 0

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the broker or of room on the disk."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began_ns = self._clock.mono_ns()
            try:
                # A task of its own: a group whose task fails leaves its owner marked as cancelled before Python 3.13.
                await asyncio.create_task(self._listen(), name="ingest-listen")
            except* (aiomqtt.MqttError, OSError, OperationalError) as errors:
                detail = str(errors.exceptions[0])
                if detail != self.detail:  # a day without the broker is one line
                    _log.warning("broker or ledger lost: %s", detail)
                self.detail = detail
            _end_if_cancelled()
            self.state = LinkState.BACKING_OFF
            if self._clock.mono_ns() - began_ns > _LONGEST_PAUSE_S * 1e9:
                pause_s = _FIRST_PAUSE_S
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _listen(self) -> None:
        self.state = LinkState.CONNECTING
        address = urlsplit(self._url())
        client = _Client(
            address.hostname or "127.0.0.1",
            address.port or 1883,
            identifier=COUNTY_NAME,
            keepalive=KEEPALIVE_S,
            timeout=KEEPALIVE_S,
            tls_context=None if self._tls is None else self._tls(),
            max_queued_incoming_messages=WAITING_MESSAGES,
        )
        async with client:
            granted = await client.subscribe(ALL_UP, qos=0)
            if _REFUSED in granted:
                raise aiomqtt.MqttError(f"the broker does not let the county subscribe to {ALL_UP}")
            await self._run_job(self._began)
            self.state, self.detail = LinkState.CONNECTED, ""
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._store(client), name="ingest-store")
                    tasks.create_task(self._read(client), name="ingest-read")
                    tasks.create_task(self._greet(client), name="ingest-greet")
            finally:
                self._deaf_ns = self._clock.mono_ns()
                self._writer.submit(self._ended)

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            _end_if_cancelled()
            self._inbox.put(Message(str(message.topic), message.payload, message.retain))

    async def _store(self, client: aiomqtt.Client) -> None:
        while True:
            messages = await self._inbox.take(MESSAGES_A_JOB)
            answers = await self._run_job(partial(self._ingest.take, messages=messages))
            await self._answer(client, answers.receipts)
            for states in answers.states:
                # A gateway that heard nothing asks, or sends, again.
                await self._tell(client, states.message.gateway, Down.STATE, partial(bytes, states.wire))
            await self._ask(client)
            await self._count_dropped()  # after the answers: nobody sends again because others found no room

    async def _count_dropped(self) -> None:
        dropped = self._inbox.dropped()
        if dropped.messages:
            most = dropped.messages.most_common(3)
            names = ", ".join(f"{gateway or 'nobody known'} {times}" for gateway, times in most)
            _log.warning("%d messages found no room and will come again; most of %s", dropped.messages.total(), names)
            await self._run_job(partial(self._ingest.turned_away, dropped=dropped))

    async def _greet(self, client: aiomqtt.Client) -> None:
        after: str | None = ""
        while after is not None:
            batch = await self._run_job(partial(greetings, after=after))
            await self._answer(client, batch.receipts)
            after = batch.after
            if after is not None:
                await self._clock.sleep(_GREETING_PAUSE_S)
                _end_if_cancelled()

    async def _answer(self, client: aiomqtt.Client, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            # A receipt is cumulative and repeated on every heartbeat, so a lost one costs a minute at most.
            await self._tell(client, receipt.gateway, Down.RECEIPT, partial(encode_receipt, receipt))

    async def _ask(self, client: aiomqtt.Client) -> None:
        for request in self._ingest.asking.due():
            # Asked again with the next heartbeat, until one says that it was taken.
            await self._tell(client, request.gateway, Down.COMMAND, partial(encode_request, request))

    async def _tell(self, client: aiomqtt.Client, gateway: str, what: Down, encoded: Callable[[], bytes]) -> None:
        """Say it once, at QoS 0; what cannot be said to one gateway is counted, and the others are heard and told."""
        try:
            await client.publish(down_topic(gateway, what), encoded(), qos=0)
        except (ContractError, msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
            _log.warning("%s for %s could not be said: %s", what.value, gateway, error)
            await self._run_job(lambda transaction: count(transaction.connection, {_NOT_TOLD: 1}))
        _end_if_cancelled()

    async def _run_job(self, job: Callable[[Transaction], _Answer]) -> _Answer:
        return await asyncio.wrap_future(self._writer.submit(job))

    def _began(self, transaction: Transaction) -> None:
        self._ingest.listening.begin(transaction.connection, mono_ns=self._clock.mono_ns())

    def _ended(self, transaction: Transaction) -> None:
        self._ingest.listening.end(transaction.connection, mono_ns=self._deaf_ns)


class _Client(aiomqtt.Client):
    """Notices an end before the broker has answered, as a relay before a dead broker makes.

    The library would wait out its patience for the answer, and the county be deaf meanwhile. Its public surface has no
    place for that, hence the inherited names.
    """

    def _on_disconnect(self, *arguments: Any, **named: Any) -> None:
        super()._on_disconnect(*arguments, **named)
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("closed before the broker answered"))
            self._connected.exception()  # whoever still waits is told; asyncio need not complain where nobody does


def _end_if_cancelled() -> None:
    """Obey a cancellation that was lost: before Python 3.12 `asyncio.wait_for`, inside the client, can swallow one.

    A disconnect that fails replaces it, too. A task that went on would keep its group, and a shutdown, waiting.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
