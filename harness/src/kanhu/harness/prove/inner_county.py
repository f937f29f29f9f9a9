"""A broker and a county in one, inside the proof: stores what arrives, answers with receipts, or is away.

It keeps the second set of books: which number it allowed to be deleted, and when it first said so. While it is away
its broker takes everything and forgets it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

from kanhu.contract import (
    Clock,
    Down,
    Gap,
    InvalidTopic,
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
from kanhu.contract.receipt import MAX_RANGES, RECEIPT_VERSION
from kanhu.harness.conform import mqtt_packets as mqtt

__all__ = ["InnerCounty"]

_LEVEL = 4  # MQTT 3.1.1


class InnerCounty:
    """Listens on a port while entered; of one gateway with one card."""

    def __init__(self, clock: Clock, *, refuses: Callable[[int], bool] = lambda _seq: False) -> None:
        """`refuses` says which numbers it will never store."""
        self.port = 0
        self.epoch = ""
        """Of the outbox, as the first heartbeat names it."""
        self.stored: dict[int, Record] = {}
        """Of that epoch."""
        self.apart: dict[tuple[str, int], Record] = {}
        """Of other epochs: what came from memory because the card took no writes."""
        self.conflicts = 0
        """Numbers that came again with another record."""
        self.status: Status | None = None
        """The last heartbeat, heard also while away."""
        self.released_s: dict[int, float] = {}
        """When the gateway was first allowed to delete a number, Unix seconds: stored, or named by a stored gap."""
        self._clock = clock
        self._refuses = refuses
        self._ranges: defaultdict[tuple[str, str], SeqRanges] = defaultdict(SeqRanges)  # by gateway and epoch
        self._away = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def go_away(self) -> None:
        """Hear nothing and say nothing from now on."""
        self._away = True

    def come_back(self) -> None:
        """Listen again, and say so to everybody, as docs/spec asks."""
        self._away = False
        for writer in self._writers:
            for gateway, epoch in self._ranges:
                self._answer(writer, gateway, epoch)

    @property
    def named(self) -> SeqRanges:
        """Numbers that stored gaps name."""
        return SeqRanges(span for record in self.stored.values() if isinstance(record, Gap) for span in record.ranges)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, EOFError, ValueError, IndexError):  # gone
            while True:
                packet = await mqtt.read_packet(reader)
                match packet.kind:
                    case mqtt.Kind.CONNECT:
                        writer.write(mqtt.connack(level=_LEVEL))
                    case mqtt.Kind.SUBSCRIBE:
                        writer.write(mqtt.subscribe_answer(packet, level=_LEVEL))
                    case mqtt.Kind.PINGREQ:
                        writer.write(mqtt.short_answer(mqtt.Kind.PINGRESP))
                    case mqtt.Kind.PUBLISH:
                        self._published(mqtt.read_publish(packet, level=_LEVEL), writer)
                    case mqtt.Kind.DISCONNECT:
                        break
                await writer.drain()
        self._writers.discard(writer)
        writer.close()

    def _published(self, publication: mqtt.Publication, writer: asyncio.StreamWriter) -> None:
        if publication.qos:
            writer.write(mqtt.short_answer(mqtt.Kind.PUBACK, publication.number))
        with suppress(InvalidTopic):
            _, up = parse_up_topic(publication.topic)
            if up is Up.STATUS:
                self.status = decode_status(publication.payload)
                self.epoch = self.epoch or self.status.epoch
            elif up is not Up.STATE and not self._away:
                self._take(publication.payload, writer)

    def _take(self, wire: bytes, writer: asyncio.StreamWriter) -> None:
        envelope = decode_envelope(wire)
        gateway, epoch = envelope.gateway, envelope.epoch
        seqs = [seq for seq, _ in envelope.records]
        if any(self._refuses(seq) for seq in seqs):
            self._answer(writer, gateway, epoch, (Refusal(seqs[0], seqs[-1], RefusalReason.NOT_STORABLE),))
            return
        now_s = self._clock.wall_ms() / 1000  # before anybody is told
        for seq, record in envelope.records:
            self._ranges[gateway, epoch].add(seq, seq)
            if epoch != self.epoch:
                self.apart[epoch, seq] = record
                continue
            self.conflicts += self.stored.get(seq, record) != record
            self.stored[seq] = record
            self.released_s.setdefault(seq, now_s)
            if isinstance(record, Gap):
                for first, last in record.ranges:
                    for missing in range(first, last + 1):
                        self.released_s.setdefault(missing, now_s)
        self._answer(writer, gateway, epoch)

    def _answer(
        self, writer: asyncio.StreamWriter, gateway: str, epoch: str, refused: tuple[Refusal, ...] = ()
    ) -> None:
        stored = self._ranges[gateway, epoch]
        receipt = Receipt(RECEIPT_VERSION, gateway, epoch, stored.contiguous(), tuple(stored)[:MAX_RANGES], refused)
        topic = down_topic(gateway, Down.RECEIPT)
        writer.write(mqtt.publish(topic, encode_receipt(receipt), level=_LEVEL))
