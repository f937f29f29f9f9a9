"""A county in fifty lines: stores what arrives and sends receipts, or leaves it."""

import asyncio
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiomqtt

from kanhu.contract import (
    ALL_UP,
    Down,
    Lane,
    Receipt,
    Record,
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
)
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway.link import Link


class County:
    """One subscriber on a broker, up to its exit; what it has stored outlives it."""

    def __init__(self, port: int, *, answers: bool = True, delay_s: float = 0.0) -> None:
        self.port = port
        self.answers = answers
        self.delay_s = delay_s
        self.refuses: set[int] = set()
        self.ignores: set[int] = set()
        self.stored: dict[int, Record] = {}
        """Of the epoch that the heartbeats name; of the one heard first where none was heard."""
        self.apart: dict[str, dict[int, Record]] = {}
        """Of other epochs."""
        self._first = ""
        self.arrivals: Counter[int] = Counter()
        self.order: list[tuple[Lane, tuple[int, ...]]] = []
        self.conflicts = 0
        self.statuses: list[tuple[Status, bool]] = []
        self.states: list[bytes] = []
        """What came on the lane of detector states; nothing of it is answered."""
        self._task: asyncio.Task[None] | None = None

    def of(self, epoch: str) -> dict[int, Record]:
        """What is stored of one epoch."""
        own = self.statuses[0][0].epoch if self.statuses else self._first or epoch
        return self.stored if epoch == own else self.apart.setdefault(epoch, {})

    async def __aenter__(self) -> Self:
        self._client = Link("127.0.0.1", self.port, identifier="county", clean_session=True)
        await self._client.__aenter__()
        await self._client.subscribe(ALL_UP, qos=0)
        self._task = asyncio.create_task(self._listen(), name="county")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        while not self._task.done():  # `wait_for` inside the client swallows a cancellation now and then
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)
        with suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await self._task
        with suppress(aiomqtt.MqttError):  # the broker may have gone first
            await self._client.__aexit__(None, None, None)

    async def _listen(self) -> None:
        async for message in self._client.messages:
            gateway, up = parse_up_topic(message.topic.value)
            if up is Up.STATUS:
                self.statuses.append((decode_status(message.payload), bool(message.retain)))
            elif up is Up.STATE:
                self.states.append(message.payload)
            else:
                await self._take(gateway, Lane(up.value), message.payload)

    async def _take(self, gateway: str, lane: Lane, wire: bytes) -> None:
        envelope = decode_envelope(wire)
        seqs = tuple(seq for seq, _ in envelope.records)
        await asyncio.sleep(self.delay_s)  # what a slow ledger takes for each envelope
        self.arrivals.update(seqs)
        self.order.append((lane, seqs))
        if self.ignores & set(seqs):
            return
        refused = () if not self.refuses & set(seqs) else (Refusal(seqs[0], seqs[-1], RefusalReason.NOT_STORABLE),)
        stored = self.of(envelope.epoch)
        self._first = self._first or envelope.epoch
        if not refused:
            for seq, record in envelope.records:
                self.conflicts += seq in stored and stored[seq] != record
                stored[seq] = record
        if self.answers:
            await self.send_receipt(gateway, envelope.epoch, refused=refused)

    async def send_receipt(self, gateway: str, epoch: str, *, refused: tuple[Refusal, ...] = ()) -> None:
        stored = SeqRanges((seq, seq) for seq in self.of(epoch))
        await self.send(Receipt(RECEIPT_VERSION, gateway, epoch, stored.contiguous(), tuple(stored)[:2000], refused))

    async def send(self, receipt: Receipt) -> None:
        await self._client.publish(down_topic(receipt.gateway, Down.RECEIPT), encode_receipt(receipt), qos=0)

    async def publish_state(self, gateway: str, wire: bytes) -> None:
        """Say something on the lane of detector states."""
        await self._client.publish(down_topic(gateway, Down.STATE), wire, qos=0)
