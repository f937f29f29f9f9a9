"""The way to the county: one MQTT connection at a time, and nothing forgotten before the county's own receipt.

    waiting ──▶ connecting ──▶ online ──┬─ told to stop ─────────────▶ flushing ─▶ goodbye ─▶ (end)
       ▲             │ UNREACHABLE      ├─ connection lost ─▶ LOST ──────────────┐
       │             ▼                  └─ no receipt in time ─▶ RECEIPTS_SILENT │
       └──── back-off with jitter ◀──────────────────────────────────────────────┘

Hard cases: a PUBACK is no receipt, so it deletes nothing; aiomqtt does not reconnect and paho keeps timed-out
publishes, so every connection is a fresh client and everything unanswered flies again from the outbox; a link may
take bytes and never answer, so receipts are timed, not the connection; a broker may take alerts before the county
listens, so the county's first receipt that does not name them sends them again; alerts have their own sender and
window and wait for no reading; nothing overtakes bytes that are on a slow link, so a sender hands over one parcel at a
time, no larger than the link has shown to bear (allowance.py). Two senders, a receiver, a heartbeat and a watch run
while online and end together.
"""

import asyncio
import logging
import random
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial

import aiomqtt
import msgspec

from kanhu.contract import (
    Clock,
    Down,
    GatewayState,
    Lane,
    MessageRefused,
    MessageTooLarge,
    Receipt,
    Record,
    SeqRanges,
    Status,
    Up,
    decode_receipt,
    down_topic,
    encode_status,
    up_topic,
)
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from kanhu.gateway.allowance import PASSES_IN_S, Allowance
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, UplinkConfig
from kanhu.gateway.errors import IdentityUnusable, OutboxError
from kanhu.gateway.flight import Answer, Condemned, Flight, Suspect
from kanhu.gateway.link import Link, obey_cancellation
from kanhu.gateway.notes import LinkNotes
from kanhu.gateway.outbox import BATCH_ROWS, Outbox
from kanhu.gateway.parcels import SealedParcel, take_next, take_these
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.unwritten import Unwritten

_CONNECT_TIMEOUT_S = 8.0
_FIRST_BACK_OFF_S = 0.5
_ALERT_PAUSE_S = 4.0
"""Longest pause while an alert is owed: staff have to see it within 5 s of the link's return."""
_UNWRITTEN_AGAIN_S = 5.0
"""Between two sends of what only memory holds, which the county stores once; as soon as the county says anything ..."""
_UNWRITTEN_PAUSE_S = 1.0
"""... and never oftener."""
_FLUSH_S = 5.0  # a stop waits so long for receipts; what is still owed then waits for the next start
_IDLE_S = 3600.0
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


class _ReceiptsSilent(Exception):
    """Records are under way and the county says nothing."""


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
        self._timekeeper = timekeeper
        self.unwritten = Unwritten(gateway) if unwritten is None else unwritten
        """Alerts that the card did not take."""
        self._flight = Flight(timeout_s=config.receipt_timeout_s, routine_s=config.routine_s)
        self._allowance = Allowance(passes_in_s=min(PASSES_IN_S, config.receipt_timeout_s / 4))
        self._alert_wake = asyncio.Event()
        self._routine_wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._beat_now = asyncio.Event()
        self._alerts_read = self._live_read = self._backfill_read = self._backfill_end = 0
        self._routine_due_ns = 0
        self.notes = LinkNotes(committer, clock=clock)
        self.ends: Counter[SessionEnd] = Counter()
        """How connections ended, since the process began."""
        self.receipts = 0
        """Receipts for this outbox, since then."""
        self.on_receipt: Callable[[Receipt], None] | None = None
        """Told of each receipt for this outbox."""

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
            await _wait(self._hurry, longest_s * share)
        left_s = (ends_ns - self._clock.mono_ns()) / 1e9
        await _wait(self._stopping, max(0.0, min(left_s, _ALERT_PAUSE_S * share)))

    async def _owed_alerts(self) -> int:
        return await self._committer.call(lambda outbox: outbox.owed().alerts)

    def stop(self) -> None:
        """Flush, say goodbye and return from `run`; where there is no connection, return at once."""
        self._stopping.set()
        self._beat_now.set()
        self._hurry.set()
        self._routine_wake.set()

    def carry(self, records: Sequence[Record]) -> bool:
        """Send alerts that the card did not take from memory; False where that is full too."""
        kept = self.unwritten.keep(records)
        self._hurry.set()
        return kept

    def announce(self, lanes: Sequence[Lane]) -> None:
        """Records were committed on these lanes."""
        if Lane.ALERT in lanes:
            self._alert_wake.set()
            self._hurry.set()
            self._routine_due_ns = 0  # the readings before it are its evidence, and leave at once
        self._routine_wake.set()

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

    async def _connect_once(self) -> SessionEnd:
        end = SessionEnd.UNREACHABLE
        try:
            async with await self._client() as client:
                end = SessionEnd.LOST
                await client.subscribe(down_topic(self._gateway, Down.RECEIPT), qos=0)
                obey_cancellation()
                await self._begin()
                async with asyncio.TaskGroup() as tasks:
                    for work in (
                        self._beat,
                        self._receive,
                        self._watch,
                        self._send_unwritten,
                        self._send_alerts,
                        self._send_routine,
                    ):
                        tasks.create_task(work(client), name=f"uplink {work.__name__.strip('_')}")
        except* _Stopped:
            end = SessionEnd.STOPPED
        except* _ReceiptsSilent:
            end = SessionEnd.RECEIPTS_SILENT
        except* IdentityUnusable:
            end = SessionEnd.NO_IDENTITY
        except* aiomqtt.exceptions.MqttConnectError:
            end = SessionEnd.REFUSED
        except* (aiomqtt.MqttError, OSError):
            pass  # the way it ended is what is counted
        return end

    async def _client(self) -> Link:
        will = aiomqtt.Will(
            up_topic(self._gateway, Up.STATUS),
            await self._status_wire(GatewayState.LOST),
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
        self._allowance.begin()
        owed = await self._committer.call(lambda outbox: outbox.owed())
        self._alerts_read = self._live_read = self._backfill_read = self._backfill_end = 0
        if owed.routine > BATCH_ROWS:  # a backlog: what comes from now on need not wait for it
            self._backfill_end = self._live_read = self._committer.last_seq
        self._routine_due_ns = self._clock.mono_ns()
        self.notes.moment("connected_ms")
        self._alert_wake.set()
        self._routine_wake.set()

    async def _beat(self, client: Link) -> None:
        while not self._stopping.is_set():
            self._beat_now.clear()
            await self._say(client, GatewayState.ONLINE)
            await self.notes.write()
            if not self._stopping.is_set():
                await _wait(self._beat_now, self._heartbeat_s)
        try:
            async with asyncio.timeout(_FLUSH_S):
                self._settled.clear()
                while self.unwritten or (await self._committer.call(lambda outbox: outbox.owed())).total:
                    await self._settled.wait()
                    self._settled.clear()
        except TimeoutError:
            pass  # what is owed stays in the outbox
        await self._say(client, GatewayState.STOPPED)
        raise _Stopped

    async def _say(self, client: Link, state: GatewayState) -> None:
        topic, wire = up_topic(self._gateway, Up.STATUS), await self._status_wire(state)
        await client.publish(topic, wire, qos=1, retain=True, timeout=self._config.receipt_timeout_s)
        obey_cancellation()

    async def _status_wire(self, state: GatewayState) -> bytes:
        status = await self._status(state)
        try:
            return encode_status(status)
        except MessageTooLarge:  # more devices than one heartbeat tells of: better none of them than no heartbeat
            return encode_status(msgspec.structs.replace(status, devices=()))

    # ------------------------------------------------------------------------------------------ answers

    async def _receive(self, client: Link) -> None:
        async for message in client.messages:
            try:
                receipt = decode_receipt(message.payload)
            except MessageRefused:
                self.notes.count("bad_receipts")
                continue
            if receipt.gateway == self._gateway and receipt.epoch == self.unwritten.epoch:
                refused = self.unwritten.settle(receipt)
                if refused:
                    _log.error("the county refused %d alerts that only memory held", refused)
                self._settled.set()
                continue
            if receipt.gateway != self._gateway or receipt.epoch != self._committer.epoch:
                self.notes.count("foreign_receipts")
                continue
            self.unwritten.wake.set()  # the county listens
            await self._settle(receipt)

    async def _settle(self, receipt: Receipt) -> None:
        self.notes.moment("receipt_ms")
        self.receipts += 1
        if self.on_receipt is not None:
            self.on_receipt(receipt)
        if self._timekeeper.told(county_ms=receipt.county_ms, heard_ns=receipt.heard_ns):
            self._beat_now.set()  # until the county knows it too, readings of before have no time there
        highest = max((receipt.contiguous, *(last for _, last in receipt.ranges)))
        if highest > self._committer.last_seq:
            self.notes.count("receipts_ahead")
        condemned = self._flight.answer(receipt, now_ns=self._clock.mono_ns())
        sent = SeqRanges(self._flight.sent)  # a copy: the senders go on while the outbox's thread reads it
        try:
            oldest = await self._committer.call(partial(_settle_upto, receipt=receipt, sent=sent))
        except OutboxError as error:  # what was not deleted stays owed, and the next receipt names it again
            _log.warning("what the county has stored could not be deleted: %s", error)
        else:
            self._flight.forget_below(oldest)
        await self._quarantine(condemned)
        self._settled.set()
        self._alert_wake.set()
        self._routine_wake.set()

    async def _watch(self, _: Link) -> None:
        while True:
            await self._clock.sleep(self._config.receipt_timeout_s / 4)
            answer, condemned = self._flight.check(self._clock.mono_ns())
            await self._quarantine(condemned)
            if answer is Answer.SILENT:
                raise _ReceiptsSilent
            self._alert_wake.set()
            self._routine_wake.set()

    async def _quarantine(self, condemned: Sequence[Condemned]) -> None:
        for one in condemned:
            quarantine = partial(_set_aside, seq=one.seq, reason=one.reason)
            await self._committer.call(quarantine)

    # ------------------------------------------------------------------------------------------- senders

    async def _send_unwritten(self, client: Link) -> None:
        """All of it again and again until it is answered: it is little, and nothing else remembers it."""
        self.unwritten.wake.set()
        while True:
            self.unwritten.wake.clear()
            for parcel in self.unwritten.parcels() if self.unwritten else ():
                await self._hand_over(client, Lane.ALERT, parcel)
            if self.unwritten:
                await self._clock.sleep(_UNWRITTEN_PAUSE_S)
            await _wait(self.unwritten.wake, _UNWRITTEN_AGAIN_S)

    async def _send_alerts(self, client: Link) -> None:
        while True:
            self._alert_wake.clear()
            while await self._send_again(client, Lane.ALERT) or await self._send_alert(client):
                pass
            await _wait(self._alert_wake, self._again_in_s(Lane.ALERT))

    async def _send_alert(self, client: Link) -> int:
        if not self._flight.has_room(Lane.ALERT):
            return 0
        suspect = self._flight.next_suspect(Lane.ALERT)
        if suspect is not None:
            return await self._send_suspect(client, suspect)
        before = self._alerts_read
        self._alerts_read = await self._send_next(client, Lane.ALERT, queue=Lane.ALERT, after=before)
        return self._alerts_read - before

    async def _send_routine(self, client: Link) -> None:
        while True:
            self._routine_wake.clear()
            if await self._send_again(client, Lane.LIVE):
                continue
            wait_s = await self._send_one_routine(client)
            if wait_s > 0:
                await _wait(self._routine_wake, min(wait_s, self._again_in_s(Lane.LIVE)))

    async def _send_one_routine(self, client: Link) -> float:
        """Send at most one parcel; returns how long nothing has to be done unless something happens."""
        if not self._flight.has_room(Lane.LIVE):
            return _IDLE_S
        suspect = self._flight.next_suspect(Lane.LIVE)
        if suspect is not None:
            await self._send_suspect(client, suspect)
            return 0
        now_ns = self._clock.mono_ns()
        pending = self._committer.last_seq - self._live_read  # alerts among them are counted too: only ever too early
        due = now_ns >= self._routine_due_ns or self._stopping.is_set() or pending >= self._config.routine_count
        if pending and due:
            self._live_read = await self._send_next(client, Lane.LIVE, queue=Lane.LIVE, after=self._live_read)
            if pending <= BATCH_ROWS:  # all that waited has left
                self._routine_due_ns = now_ns + round(self._config.routine_s * 1e9)
            return 0
        if self._backfill_read < self._backfill_end:
            self._backfill_read = await self._send_next(
                client, Lane.BACKFILL, queue=Lane.LIVE, after=self._backfill_read, upto=self._backfill_end
            )
            return 0
        return max(0.01, (self._routine_due_ns - now_ns) / 1e9) if pending else _IDLE_S

    async def _send_next(self, client: Link, lane: Lane, *, queue: Lane, after: int, upto: int | None = None) -> int:
        room = self._allowance.parcel_bytes
        take = partial(take_next, lane=queue, gateway=self._gateway, most_bytes=room, after=after, upto=upto)
        taken = await self._committer.call(partial(take, without=self._flight.suspected()))
        if taken.parcel is not None:
            await self._publish(client, lane, taken.parcel)
        return taken.upto

    async def _send_again(self, client: Link, lane: Lane) -> bool:
        """Send what the county has shown that it did not get, at most one parcel; whether there was one."""
        again = self._flight.next_again(lane, now_ns=self._clock.mono_ns())
        if again is None:
            return False
        parcel = await self._take_these(again.seqs, most_bytes=MAX_ENVELOPE_BYTES)  # it passed once, and stays whole
        if parcel is not None:
            await self._hand_over(client, again.lane, parcel)
        return True

    def _again_in_s(self, lane: Lane) -> float:
        return min(_IDLE_S, self._flight.again_in_s(lane, now_ns=self._clock.mono_ns()))

    async def _send_suspect(self, client: Link, suspect: Suspect) -> int:
        parcel = await self._take_these(suspect.seqs, most_bytes=self._allowance.parcel_bytes)
        if parcel is not None:
            await self._publish(client, suspect.lane, parcel, suspect=suspect)
        return 1

    async def _take_these(self, seqs: Sequence[int], *, most_bytes: int) -> SealedParcel | None:
        take = partial(take_these, seqs=seqs, gateway=self._gateway, most_bytes=most_bytes)
        return await self._committer.call(take)

    async def _publish(self, client: Link, lane: Lane, parcel: SealedParcel, *, suspect: Suspect | None = None) -> None:
        self._flight.launch(lane, parcel.seqs, now_ns=self._clock.mono_ns(), suspect=suspect)
        await self._hand_over(client, lane, parcel)

    async def _hand_over(self, client: Link, lane: Lane, parcel: SealedParcel) -> None:
        topic, patience_s = up_topic(self._gateway, lane), self._config.receipt_timeout_s
        passage, left_ns = self._allowance.leave(len(parcel.wire)), self._clock.mono_ns()
        try:
            await client.publish(topic, parcel.wire, qos=1, timeout=patience_s)
        except BaseException:
            self._allowance.stuck(passage, seconds=(self._clock.mono_ns() - left_ns) / 1e9)
            raise
        self._allowance.passed(passage, seconds=(self._clock.mono_ns() - left_ns) / 1e9)
        obey_cancellation()
        await self._acknowledged(parcel)

    async def _acknowledged(self, parcel: SealedParcel) -> None:
        """The broker has it. That is all that a PUBACK says."""
        del parcel
        self.notes.moment("puback_ms")


def _settle_upto(outbox: Outbox, *, receipt: Receipt, sent: SeqRanges) -> int:
    outbox.settle(receipt, sent=sent)
    return outbox.oldest_seq()


def _set_aside(outbox: Outbox, *, seq: int, reason: str) -> None:
    outbox.quarantine([seq], reason=reason)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
