"""A county written from docs/spec/ alone: it stores what it may, answers with receipts, and counts what came.

What a gateway is tested against, so that a fault of the county's own software cannot be taken for one of a gateway.
Storing is a dictionary here; `committed` outlives a county that is killed, as a disk would.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import aiomqtt

from kanhu.contract import (
    ALL_UP,
    Clock,
    Down,
    Envelope,
    Gap,
    GatewayState,
    InvalidTopic,
    MessageRefused,
    Receipt,
    Refusal,
    RefusalReason,
    SeqRanges,
    Status,
    Up,
    decode_envelope,
    decode_status,
    down_topic,
    encode_receipt,
    parse_up_topic,
    record_digest,
)
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from kanhu.contract.receipt import MAX_RANGES, RECEIPT_VERSION
from kanhu.harness.conform.bench import LedgerRow
from kanhu.harness.conform.readings import number_of

__all__ = ["Committed", "ReferenceCounty"]

_PAUSE_S = 0.25
_MAX_QUEUED = 5000

Key = tuple[str, str]
"""Gateway and epoch."""


@dataclass(slots=True)
class Committed:
    """What is stored for good, and what was seen on the way to it."""

    records: dict[Key, dict[int, set[bytes]]] = field(default_factory=dict)
    """Digests by sequence number; more than one is a conflict."""
    accounted: dict[Key, SeqRanges] = field(default_factory=dict)
    heard: dict[str, str] = field(default_factory=dict)
    """The epoch last heard of, by gateway."""
    numbers: Counter[int] = field(default_factory=Counter)
    """How often each reading of the harness was stored, under however many names."""
    arrived_s: dict[int, float] = field(default_factory=dict)
    """When each was stored first, by the monotonic clock."""
    redelivered: int = 0
    conflicts: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def rows(self) -> list[LedgerRow]:
        """Everything stored."""
        return [
            LedgerRow(gateway, epoch, seq, digest.hex())
            for (gateway, epoch), records in self.records.items()
            for seq, digests in records.items()
            for digest in digests
        ]


class ReferenceCounty:
    """One subscriber on a broker; `run` it as a task and cancel that to kill it."""

    def __init__(self, port: int, *, enrolled: frozenset[str], committed: Committed, clock: Clock) -> None:
        """`committed` may be what an earlier county left."""
        self._port = port
        self._enrolled = enrolled
        self._clock = clock
        self.committed = committed
        self.listening = asyncio.Event()
        """Set while it is subscribed."""

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the broker."""
        while True:
            with suppress(aiomqtt.MqttError, OSError):
                await asyncio.create_task(self._listen(), name="reference county")
            self.listening.clear()
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> None:
        client = aiomqtt.Client(
            "127.0.0.1", self._port, identifier="county", max_queued_incoming_messages=_MAX_QUEUED, keepalive=15
        )
        async with client:
            await client.subscribe(ALL_UP, qos=0)
            self.listening.set()
            for gateway, epoch in list(self.committed.heard.items()):
                await self._answer(client, gateway, epoch)
            async for message in client.messages:
                await self._take(client, message)
                _obey_cancellation()

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        try:
            gateway, kind = parse_up_topic(str(message.topic))
        except InvalidTopic:
            self.committed.refused["bad_topic"] += 1
            return
        if gateway not in self._enrolled:
            self.committed.refused[RefusalReason.UNKNOWN_GATEWAY.value] += 1
            return
        try:
            if kind is Up.STATUS:
                await self._status(client, gateway, decode_status(message.payload), is_retained=message.retain)
            elif kind is not Up.STATE:  # optional: this county keeps none
                await self._letter(client, gateway, message.payload)
        except MessageRefused as error:
            self.committed.refused[error.reason.value] += 1

    async def _status(self, client: aiomqtt.Client, gateway: str, status: Status, *, is_retained: bool) -> None:
        if status.gateway != gateway:
            raise MessageRefused(RefusalReason.WRONG_GATEWAY, status.gateway)
        if status.state is not GatewayState.ONLINE:
            return
        known = self.committed.heard.get(gateway) == status.epoch
        self.committed.heard[gateway] = status.epoch
        if not is_retained or not known:
            await self._answer(client, gateway, status.epoch, heard_ns=0 if is_retained else status.mono_ns)

    async def _letter(self, client: aiomqtt.Client, gateway: str, wire: bytes) -> None:
        if len(wire) > MAX_ENVELOPE_BYTES:
            raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes")
        envelope = decode_envelope(wire)
        if envelope.gateway != gateway:
            self.committed.refused[RefusalReason.WRONG_GATEWAY.value] += 1
            span = (envelope.records[0][0], envelope.records[-1][0])
            refusal = Refusal(*span, RefusalReason.WRONG_GATEWAY)
            await self._answer(client, gateway, envelope.epoch, refused=(refusal,))
            return
        await self.settle(client, envelope)

    async def settle(self, client: aiomqtt.Client, envelope: Envelope) -> None:
        """First commit, then send."""
        self.commit(envelope)
        await self._answer(client, envelope.gateway, envelope.epoch)

    def commit(self, envelope: Envelope) -> None:
        """Store what is new, keep what contradicts beside it, count what is known."""
        kept, key = self.committed, (envelope.gateway, envelope.epoch)
        records, accounted = kept.records.setdefault(key, {}), kept.accounted.setdefault(key, SeqRanges())
        kept.heard.setdefault(envelope.gateway, envelope.epoch)
        for seq, record in envelope.records:
            digests, digest = records.setdefault(seq, set()), record_digest(record)
            if digest in digests:
                kept.redelivered += 1
                continue
            kept.conflicts += bool(digests)
            digests.add(digest)
            accounted.add(seq, seq)
            for first, last in record.ranges if isinstance(record, Gap) else ():
                accounted.add(first, last)
            number = number_of(record)
            if number is not None:
                kept.numbers[number] += 1
                kept.arrived_s.setdefault(number, self._clock.mono_ns() / 1e9)

    def receipt(self, gateway: str, epoch: str, *, refused: tuple[Refusal, ...] = (), heard_ns: int = 0) -> Receipt:
        """What may be said now."""
        accounted = self.committed.accounted.get((gateway, epoch), SeqRanges())
        contiguous = accounted.contiguous()
        ranges = tuple(span for span in accounted if span[1] > contiguous)[:MAX_RANGES]
        return Receipt(RECEIPT_VERSION, gateway, epoch, contiguous, ranges, refused, self._clock.wall_ms(), heard_ns)

    async def _answer(
        self,
        client: aiomqtt.Client,
        gateway: str,
        epoch: str,
        *,
        refused: tuple[Refusal, ...] = (),
        heard_ns: int = 0,
    ) -> None:
        wire = encode_receipt(self.receipt(gateway, epoch, refused=refused, heard_ns=heard_ns))
        await client.publish(down_topic(gateway, Down.RECEIPT), wire, qos=0)


def _obey_cancellation() -> None:
    """Pass on a cancellation that came together with an answer: `asyncio.wait_for` drops it until Python 3.12."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
