"""The way to the county: one MQTT connection at a time, and nothing forgotten before the county's own receipt.

    waiting ──▶ connecting ──▶ online ──┬─ told to stop ─────────────▶ flushing ─▶ goodbye ─▶ (end)
       ▲             │ UNREACHABLE      ├─ connection lost ─▶ LOST ──────────────┐
       │             ▼                  └─ no receipt in time ─▶ RECEIPTS_SILENT │
       └──── back-off with jitter ◀──────────────────────────────────────────────┘

Hard cases: a PUBACK is no receipt, so it deletes nothing; aiomqtt does not reconnect and paho keeps timed-out
publishes, so every connection is a fresh client and everything unanswered flies again from the outbox; a link may
take bytes and never answer, so receipts are timed, not the connection; a broker may take alerts before the county
listens, so the county's first receipt that does not name them sends them again. The senders (senders.py), what listens
and watches (answers.py) and a heartbeat run while online and end together.
"""

import asyncio
import logging
import random
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum

import aiomqtt
import msgspec

from kanhu.contract import (
    Clock,
    Down,
    GatewayState,
    Lane,
    MessageTooLarge,
    Record,
    Status,
    Up,
    down_topic,
    encode_status,
    up_topic,
)
from kanhu.gateway.answers import Answers, ReceiptsSilent
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, UplinkConfig
from kanhu.gateway.errors import IdentityUnusable
from kanhu.gateway.flight import Flight
from kanhu.gateway.link import Link, obey_cancellation
from kanhu.gateway.notes import LinkNotes
from kanhu.gateway.requests import Requests
from kanhu.gateway.senders import Senders, wait_for
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.unwritten import Unwritten

_CONNECT_TIMEOUT_S = 8.0
_FIRST_BACK_OFF_S = 0.5
_ALERT_PAUSE_S = 4.0
"""Longest pause while an alert is owed: staff have to see it within 5 s of the link's return."""
_FLUSH_S = 5.0  # a stop waits so long for receipts; what is still owed then waits for the next start
_STATES_PAUSE_S = 1.0
"""Between two looks whether an alert is still owed, before detector states are said."""
_MAX_QUEUED = 64  # two windows and a heartbeat fit; more would be a mistake and must fail loudly
_MAX_RECEIPTS_WAITING = 256

_log = logging.getLogger(__name__)


class SessionEnd(StrEnum):
    """Why a connection ended, or never was."""

    UNREACHABLE = "unreachable"
    NO_IDENTITY = "no_identity"
    REFUSED = "refused"
    LOST = "lost"
    RECEIPTS_SILENT = "receipts_silent"
    STOPPED = "stopped"


class _Stopped(Exception):
    """Goodbye was said."""


class Uplink:
    """Sends what is owed until told to stop."""

    def __init__(
        self,
        gateway: str,
        committer: Committer,
        *,
        broker: BrokerConfig,
        config: UplinkConfig,
        heartbeat_s: float,
        clock: Clock,
        status: Callable[[GatewayState], Awaitable[Status]],
        timekeeper: Timekeeper,
        unwritten: Unwritten | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`status` is asked for each heartbeat, and for the last will; `unwritten` is kept from an earlier uplink.

        `tls` is asked for each connection, off this thread.
        """
        self._tls = tls
        self._gateway = gateway
        self._committer = committer
        self._broker = broker
        self._config = config
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._status = status
        self.unwritten = Unwritten(gateway) if unwritten is None else unwritten
        """Alerts that the card did not take."""
        self._flight = Flight(timeout_s=config.receipt_timeout_s, routine_s=config.routine_s)
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self.notes = LinkNotes(committer, clock=clock)
        self._senders = Senders(
            gateway,
            committer,
            flight=self._flight,
            unwritten=self.unwritten,
            notes=self.notes,
            config=config,
            clock=clock,
            stopping=self._stopping,
        )
        self.requests = Requests(gateway, committer, senders=self._senders, notes=self.notes)
        self.answers = Answers(
            gateway,
            committer,
            flight=self._flight,
            senders=self._senders,
            unwritten=self.unwritten,
            notes=self.notes,
            timekeeper=timekeeper,
            clock=clock,
            patience_s=config.receipt_timeout_s,
            hear_request=self.requests.hear,
        )
        self._online = asyncio.Event()
        self._client: Link | None = None
        self._receipts_before = 0
        self.requests.on_taken = self.answers.news.set
        self.ends: Counter[SessionEnd] = Counter()
        """How connections ended, since the process began."""

    async def run(self) -> None:
        """Connect, send, and connect again, until `stop`."""
        back_off_s = _FIRST_BACK_OFF_S
        last_end: SessionEnd | None = None
        while not self._stopping.is_set():
            receipts_before = self.notes.values.get("receipt_ms")
            end = await self._session()
            self.ends[end] += 1
            if end is not last_end:  # an hour without a network is one line, not two hundred
                _log.info("the way to %s:%d: %s", self._broker.host, self._broker.port, end.value)
                last_end = end
            await self.notes.write()
            if end is SessionEnd.STOPPED:
                return
            # A silent county may listen again at any moment: who is away then misses its first receipt. Having waited
            # for receipts is pause enough.
            if end is SessionEnd.RECEIPTS_SILENT or self.notes.values.get("receipt_ms") != receipts_before:
                back_off_s = _FIRST_BACK_OFF_S
            limit_s = self._config.reconnect_max_s
            await self._pause(min(back_off_s, limit_s))
            back_off_s = min(back_off_s * 2, limit_s)

    async def _pause(self, longest_s: float) -> None:
        """Wait before the next attempt, with jitter; never long while an alert is owed, or once one comes."""
        share = random.uniform(0.5, 1.0)
        ends_ns = self._clock.mono_ns() + round(longest_s * share * 1e9)
        self._hurry.clear()  # before the outbox is asked: an alert that comes in between sets it again
        if not self._stopping.is_set() and not self.unwritten and not await self._owed_alerts():
            await wait_for(self._hurry, longest_s * share)
        left_s = (ends_ns - self._clock.mono_ns()) / 1e9
        await wait_for(self._stopping, max(0.0, min(left_s, _ALERT_PAUSE_S * share)))

    async def _owed_alerts(self) -> int:
        return await self._committer.call(lambda outbox: outbox.owed().alerts)

    def stop(self) -> None:
        """Flush, say goodbye and return from `run`; where there is no connection, return at once."""
        self._stopping.set()
        self.answers.news.set()
        self._hurry.set()
        self._senders.wake()

    def carry(self, records: Sequence[Record]) -> bool:
        """Send alerts that the card did not take from memory; False where that is full too."""
        kept = self.unwritten.keep(records)
        self._hurry.set()
        return kept

    def announce(self, lanes: Sequence[Lane], *, subject: str = "") -> None:
        """Records were committed on these lanes, about this person where they are about one."""
        if Lane.ALERT in lanes:
            self._hurry.set()
        self._senders.announce(lanes, subject=subject)

    def _is_heard(self) -> bool:
        """Whether the county has sent a receipt on this connection: it listens, and knows which outbox is in use."""
        return self.answers.receipts > self._receipts_before

    def state_bytes(self) -> int:
        """How many bytes of detector states the link bears at a time."""
        return self._senders.parcel_bytes

    async def say_state(self, wire: bytes) -> None:
        """Say something of detector states, once the county answers on a connection and no alert is owed.

        Returns also where the connection breaks meanwhile: whoever waits for the answer learns it by that.
        """
        client = None
        while client is None or not self._is_heard() or self.unwritten or await self._owed_alerts():
            if client is not None:
                await self._clock.sleep(_STATES_PAUSE_S)
            await self._online.wait()
            client = self._client
        with suppress(aiomqtt.MqttError, OSError):
            await self._senders.send_state(client, wire)

    # ----------------------------------------------------------------------------------------- session

    async def _session(self) -> SessionEnd:
        # In a task of its own: until Python 3.13 a TaskGroup that fails leaves its task marked as cancelled, and with
        # the Python of Debian 12 (3.11.2) every later timeout in that task is then a cancellation.
        session = asyncio.create_task(self._connect_once(), name="uplink session")
        try:
            return await session
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return SessionEnd.LOST
        finally:
            self._online.clear()
            self._client = None

    async def _connect_once(self) -> SessionEnd:
        end = SessionEnd.UNREACHABLE
        try:
            async with await self._new_client() as client:
                end = SessionEnd.LOST
                heard = (Down.RECEIPT, Down.COMMAND) + (() if self.answers.on_states is None else (Down.STATE,))
                await client.subscribe([(down_topic(self._gateway, one), 0) for one in heard])
                obey_cancellation()
                await self._begin()
                self._client, self._receipts_before = client, self.answers.receipts
                self._online.set()
                async with asyncio.TaskGroup() as tasks:
                    for work in (
                        self._beat,
                        self.answers.listen,
                        self.answers.watch,
                        self.requests.work,
                        self._senders.send_unwritten,
                        self._senders.send_alerts,
                        self._senders.send_routine,
                    ):
                        tasks.create_task(work(client), name=f"uplink {work.__name__.strip('_')}")
        except* _Stopped:
            end = SessionEnd.STOPPED
        except* ReceiptsSilent:
            end = SessionEnd.RECEIPTS_SILENT
        except* IdentityUnusable:
            end = SessionEnd.NO_IDENTITY
        except* aiomqtt.exceptions.MqttConnectError:
            end = SessionEnd.REFUSED
        except* (aiomqtt.MqttError, OSError):
            pass  # the way it ended is what is counted
        return end

    async def _new_client(self) -> Link:
        will = aiomqtt.Will(
            up_topic(self._gateway, Up.STATUS),
            (await self._status_wires(GatewayState.LOST))[-1],
            qos=1,
            retain=True,
        )
        # The kernel gives up on bytes that nobody acknowledges, also when it is a goodbye that hangs.
        patience_ms = round(self._config.receipt_timeout_s * 1000)
        return Link(
            self._broker.host,
            self._broker.port,
            identifier=self._gateway,
            clean_session=True,
            keepalive=self._broker.keepalive_s,
            will=will,
            tls_context=None if self._tls is None else await asyncio.to_thread(self._tls),
            timeout=min(_CONNECT_TIMEOUT_S, self._config.receipt_timeout_s),
            max_queued_outgoing_messages=_MAX_QUEUED,
            max_queued_incoming_messages=_MAX_RECEIPTS_WAITING,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms),),
        )

    async def _begin(self) -> None:
        self._flight.begin(self._clock.mono_ns())
        await self._senders.begin()
        self.notes.moment("connected_ms")

    async def _beat(self, client: Link) -> None:
        while not self._stopping.is_set():
            self.answers.news.clear()
            await self._say(client, GatewayState.ONLINE)
            await self.notes.write()
            if not self._stopping.is_set():
                await wait_for(self.answers.news, self._heartbeat_s)
        try:
            async with asyncio.timeout(_FLUSH_S):
                self.answers.settled.clear()
                while self.unwritten or (await self._committer.call(lambda outbox: outbox.owed())).total:
                    await self.answers.settled.wait()
                    self.answers.settled.clear()
        except TimeoutError:
            pass  # what is owed stays in the outbox
        await self._say(client, GatewayState.STOPPED)
        raise _Stopped

    async def _say(self, client: Link, state: GatewayState) -> None:
        topic = up_topic(self._gateway, Up.STATUS)
        for wire in await self._status_wires(state):
            await client.publish(topic, wire, qos=1, retain=True, timeout=self._config.receipt_timeout_s)
            obey_cancellation()

    async def _status_wires(self, state: GatewayState) -> list[bytes]:
        """A heartbeat; two where devices and tally are too much for one, the devices last, because that one stays."""
        status = await self._status(state)
        try:
            return [encode_status(status)]
        except MessageTooLarge:
            parts = ({"devices": ()}, {"tally": msgspec.UNSET})
        wires = []
        for part in parts:
            with suppress(MessageTooLarge):
                wires.append(encode_status(msgspec.structs.replace(status, **part)))
        # More devices than one heartbeat tells of: better none of them than no heartbeat.
        return wires or [encode_status(msgspec.structs.replace(status, devices=(), tally=msgspec.UNSET))]
