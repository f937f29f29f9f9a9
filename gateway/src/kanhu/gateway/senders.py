"""The senders of one uplink: what is owed, handed over parcel by parcel while a connection stands.

Three tasks: what only memory holds, alerts, and everything else. Alerts have a sender and a window of their own and
wait for no reading. Nothing overtakes bytes that are on a slow link, so a sender hands over one parcel at a time, no
larger than the link has shown to bear (allowance.py). How far each queue was read is remembered for one connection;
what was sent is known to the flight, and what is owed to the outbox.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from kanhu.contract import Clock, Lane, Up, up_topic
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from kanhu.gateway.allowance import PASSES_IN_S, Allowance
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import UplinkConfig
from kanhu.gateway.flight import Flight, Suspect
from kanhu.gateway.link import Link, obey_cancellation
from kanhu.gateway.notes import LinkNotes
from kanhu.gateway.outbox import BATCH_ROWS
from kanhu.gateway.parcels import SealedParcel, take_next, take_these
from kanhu.gateway.unwritten import Unwritten

_UNWRITTEN_AGAIN_S = 5.0
"""Between two sends of what only memory holds, which the county stores once; as soon as the county says anything ..."""
_UNWRITTEN_PAUSE_S = 1.0
"""... and never oftener."""
_LIVE_PAUSE_S = 1.0
"""Between two parcels of a live view: a person sees no more, and an envelope costs 150 bytes."""
_IDLE_S = 3600.0
_NEVER = 2**63  # above every number


class Senders:
    """Of one gateway; outlive a connection, `begin` starts the next."""

    def __init__(
        self,
        gateway: str,
        committer: Committer,
        *,
        flight: Flight,
        unwritten: Unwritten,
        notes: LinkNotes,
        config: UplinkConfig,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        """Once `stopping` is set nothing waits for company any more."""
        self._gateway = gateway
        self._committer = committer
        self._flight = flight
        self._allowance = Allowance(passes_in_s=min(PASSES_IN_S, config.receipt_timeout_s / 4))
        self._unwritten = unwritten
        self._notes = notes
        self._config = config
        self._clock = clock
        self._stopping = stopping
        self._alert_wake = asyncio.Event()
        self._routine_wake = asyncio.Event()
        self._alerts_read = self._live_read = self._backfill_read = self._backfill_end = 0
        self._alerts_again = _NEVER
        self._routine_again: tuple[int, int] | None = None
        self._routine_due_ns = self._routine_sent_ns = 0
        self._live_until_ns, self._live_subject = 0, ""

    async def begin(self) -> None:
        """Start a new connection: everything owed is sent on it, a backlog behind what comes from now on."""
        self._allowance.begin()
        owed = await self._committer.call(lambda outbox: outbox.owed())
        self._alerts_read = self._live_read = self._backfill_read = self._backfill_end = 0
        if owed.routine > BATCH_ROWS:  # a backlog: what comes from now on need not wait for it
            self._backfill_end = self._live_read = self._committer.last_seq
        self._alerts_again, self._routine_again = _NEVER, None
        self._routine_due_ns = self._clock.mono_ns()
        self.wake()

    def wake(self) -> None:
        """Something was answered, or time has passed: there may be something to send."""
        self._alert_wake.set()
        self._routine_wake.set()

    def announce(self, lanes: Sequence[Lane], *, subject: str = "") -> None:
        """Records were committed on these lanes, about whom the live view may be."""
        if Lane.ALERT in lanes:
            self._alert_wake.set()
            self._routine_due_ns = 0  # the readings before it are its evidence, and leave at once
        elif self._clock.mono_ns() < self._live_until_ns and self._live_subject in {"", subject}:
            self._routine_due_ns = min(self._routine_due_ns, self._routine_sent_ns + round(_LIVE_PAUSE_S * 1e9))
        self._routine_wake.set()

    def go_live(self, *, seconds: float, subject: str) -> None:
        """Let routine readings of one person, or of everybody, leave as they come; from now on for so long."""
        self._live_until_ns = self._clock.mono_ns() + round(seconds * 1e9)
        self._live_subject = subject

    def read_again(self, first: int, last: int) -> None:
        """Numbers in this span are owed that were read before: alerts are sent at once, the rest behind what is new.

        Each sender goes back by itself before it reads on: a position that another task moved while one reads is lost.
        """
        self._alerts_again = min(self._alerts_again, first - 1)
        spans = self._routine_again or (first, last)
        self._routine_again = min(spans[0], first), max(spans[1], last)
        self.wake()

    def _go_back_for_routine(self) -> None:
        if self._routine_again is None:
            return
        (first, last), self._routine_again = self._routine_again, None
        last = min(last, self._live_read)
        if first <= last:
            idle = self._backfill_read >= self._backfill_end
            self._backfill_read = first - 1 if idle else min(self._backfill_read, first - 1)
            self._backfill_end = last if idle else max(self._backfill_end, last)

    # ------------------------------------------------------------------------------------------- tasks

    async def send_unwritten(self, client: Link) -> None:
        """All of it again and again until it is answered: it is little, and nothing else remembers it."""
        self._unwritten.wake.set()
        while True:
            self._unwritten.wake.clear()
            for parcel in self._unwritten.parcels() if self._unwritten else ():
                await self._hand_over(client, Lane.ALERT, parcel)
            if self._unwritten:
                await self._clock.sleep(_UNWRITTEN_PAUSE_S)
            await wait_for(self._unwritten.wake, _UNWRITTEN_AGAIN_S)

    async def send_alerts(self, client: Link) -> None:
        """Findings, calls for help and gap records, each as soon as it is there."""
        while True:
            self._alert_wake.clear()
            while await self._send_again(client, Lane.ALERT) or await self._send_alert(client):
                pass
            await wait_for(self._alert_wake, self._again_in_s(Lane.ALERT))

    async def send_routine(self, client: Link) -> None:
        """Everything else: what is new in its rhythm, and a backlog behind it."""
        while True:
            self._routine_wake.clear()
            if await self._send_again(client, Lane.LIVE):
                continue
            wait_s = await self._send_one_routine(client)
            if wait_s > 0:
                await wait_for(self._routine_wake, min(wait_s, self._again_in_s(Lane.LIVE)))

    async def _send_alert(self, client: Link) -> int:
        if not self._flight.has_room(Lane.ALERT):
            return 0
        suspect = self._flight.next_suspect(Lane.ALERT)
        if suspect is not None:
            return await self._send_suspect(client, suspect)
        self._alerts_read, self._alerts_again = min(self._alerts_read, self._alerts_again), _NEVER
        before = self._alerts_read
        self._alerts_read = await self._send_next(client, Lane.ALERT, queue=Lane.ALERT, after=before)
        return self._alerts_read - before

    async def _send_one_routine(self, client: Link) -> float:
        """Send at most one parcel; returns how long nothing has to be done unless something happens."""
        if not self._flight.has_room(Lane.LIVE):
            return _IDLE_S
        suspect = self._flight.next_suspect(Lane.LIVE)
        if suspect is not None:
            await self._send_suspect(client, suspect)
            return 0
        self._go_back_for_routine()
        now_ns = self._clock.mono_ns()
        pending = self._committer.last_seq - self._live_read  # alerts among them are counted too: only ever too early
        due = now_ns >= self._routine_due_ns or self._stopping.is_set() or pending >= self._config.routine_count
        if pending and due:
            self._routine_sent_ns = now_ns
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

    # ----------------------------------------------------------------------------------------- parcels

    async def _send_next(self, client: Link, lane: Lane, *, queue: Lane, after: int, upto: int | None = None) -> int:
        room = self._allowance.parcel_bytes
        take = partial(take_next, lane=queue, gateway=self._gateway, most_bytes=room, after=after, upto=upto)
        taken = await self._committer.call(partial(take, without=self._flight.suspected() | self._flight.flying()))
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

    @property
    def parcel_bytes(self) -> int:
        """How many bytes the link has shown to bear at a time."""
        return self._allowance.parcel_bytes

    async def send_state(self, client: Link, wire: bytes) -> None:
        """One message on the lane of detector states; it says nothing about records."""
        await self._pass(client, Up.STATE, wire)

    async def _hand_over(self, client: Link, lane: Lane, parcel: SealedParcel) -> None:
        await self._pass(client, lane, parcel.wire)
        await self._acknowledged(parcel)

    async def _pass(self, client: Link, kind: Lane | Up, wire: bytes) -> None:
        topic, patience_s = up_topic(self._gateway, kind), self._config.receipt_timeout_s
        passage, left_ns = self._allowance.leave(len(wire)), self._clock.mono_ns()
        try:
            await client.publish(topic, wire, qos=1, timeout=patience_s)
        except BaseException:
            self._allowance.stuck(passage, seconds=(self._clock.mono_ns() - left_ns) / 1e9)
            raise
        self._allowance.passed(passage, seconds=(self._clock.mono_ns() - left_ns) / 1e9)
        obey_cancellation()

    async def _acknowledged(self, parcel: SealedParcel) -> None:
        """The broker has it. That is all that a PUBACK says."""
        del parcel
        self._notes.moment("puback_ms")


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Return once it is set, or after so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
