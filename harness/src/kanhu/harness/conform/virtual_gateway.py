"""One gateway as docs/spec/ describes it, played by the harness: it sends any bytes and keeps every receipt it gets."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiomqtt
from msgspec import UNSET

from kanhu.contract import (
    Boot,
    Clock,
    ClockState,
    Down,
    Envelope,
    GatewayState,
    Lane,
    MessageRefused,
    Receipt,
    Record,
    Running,
    Status,
    Up,
    decode_receipt,
    down_topic,
    encode_envelope,
    encode_status,
    new_epoch,
    up_topic,
)
from kanhu.contract.status import STATUS_VERSION

__all__ = ["ClauseBroken", "VirtualGateway", "names"]

_CONNECT_S = 15.0


class ClauseBroken(Exception):
    """The county did not do what the specification says; the text says what it did instead."""


def names(receipt: Receipt, seq: int) -> bool:
    """Whether a receipt accounts for a number."""
    return seq <= receipt.contiguous or any(first <= seq <= last for first, last in receipt.ranges)


class VirtualGateway:
    """One connection of one gateway; each holds an epoch of its own unless told another."""

    def __init__(self, url: str, gateway: str, *, clock: Clock, patience_s: float) -> None:
        """`patience_s` is how long the county has for an answer."""
        address = urlsplit(url)
        self.gateway = gateway
        self.epoch = new_epoch()
        self.receipts: list[Receipt] = []
        self.unreadable: list[str] = []
        """What came on the receipt's topic and is no receipt."""
        self._clock = clock
        self._patience_s = patience_s
        self._came = asyncio.Event()
        self._client = aiomqtt.Client(
            address.hostname or "127.0.0.1",
            address.port or 1883,
            identifier=f"{gateway}-{self.epoch[:8]}",  # brokers hold back a name that comes again at once
            timeout=_CONNECT_S,
        )
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect and subscribe to the receipts."""
        await self._client.__aenter__()
        await self._client.subscribe(down_topic(self.gateway, Down.RECEIPT), qos=0)
        self._listening = asyncio.create_task(self._listen(), name=f"receipts of {self.gateway}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await self._listening
        with suppress(aiomqtt.MqttError):  # the broker may have gone first
            await self._client.__aexit__(None, None, None)

    async def send(self, records: Iterable[tuple[int, Record]], *, lane: Lane = Lane.LIVE, epoch: str = "") -> None:
        """Publish one envelope."""
        await self.send_bytes(encode_envelope(Envelope(self.gateway, epoch or self.epoch, tuple(records))), lane=lane)

    async def send_bytes(self, wire: bytes, *, lane: Lane | Up = Lane.LIVE) -> None:
        """Publish any bytes on one of its own topics."""
        await self._client.publish(up_topic(self.gateway, lane), wire, qos=1, retain=lane is Up.STATUS)

    async def beat(self, *, epoch: str = "", state: GatewayState = GatewayState.ONLINE) -> None:
        """Publish a heartbeat."""
        await self.send_bytes(self.status(epoch=epoch, state=state), lane=Up.STATUS)

    def status(
        self, *, epoch: str = "", state: GatewayState = GatewayState.ONLINE, mono_ns: int | None = None
    ) -> bytes:
        """The heartbeat as bytes; with `mono_ns` it tells that as well."""
        now_ms = self._clock.wall_ms()
        status = Status(
            STATUS_VERSION, self.gateway, epoch or self.epoch, state, sent_ms=now_ms, clock=ClockState.SYNCED,
            heartbeat_s=60, boot="c" * 32, software="conform",
            running=UNSET if mono_ns is None else Running(mono_ns, (Boot("c" * 32, mono_ns),)),
        )  # fmt: skip  # one row
        return encode_status(status)

    async def answered(self, seqs: Iterable[int], *, epoch: str = "") -> Receipt:
        """Wait for a receipt that accounts for all these numbers.

        Raises:
            ClauseBroken: none came in time.
        """
        wanted = tuple(seqs)

        def accounts(receipt: Receipt) -> bool:
            return receipt.epoch == (epoch or self.epoch) and all(names(receipt, seq) for seq in wanted)

        span = f"{wanted[0]}" if len(wanted) == 1 else f"{wanted[0]} to {wanted[-1]}"
        return await self.until(accounts, f"no receipt accounted for {span}")

    async def until(self, wanted: Callable[[Receipt], bool], otherwise: str, *, after: int = 0) -> Receipt:
        """Wait for a receipt of this kind among those past the first `after`.

        Raises:
            ClauseBroken: none came in time, or one that cannot be read.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    if self.unreadable:
                        raise ClauseBroken(f"a receipt cannot be read: {self.unreadable[0]}")
                    found = next((each for each in self.receipts[after:] if wanted(each)), None)
                    if found is not None:
                        return found
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise ClauseBroken(f"{otherwise} within {self._patience_s:g} s") from None

    async def _listen(self) -> None:
        async for message in self._client.messages:
            try:
                receipt = decode_receipt(message.payload)
            except MessageRefused as error:
                self.unreadable.append(str(error))
            else:
                self.receipts.append(receipt)
            self._came.set()
