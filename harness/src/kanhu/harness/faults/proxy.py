"""A TCP relay in user space that can do to a connection what a bad network does; needs no root.

What it cannot do is lose a packet unseen: the kernel of this machine acknowledges what the relay has not yet carried.
So loss is what a program sees of it, a stall of one retransmission timeout a packet, doubled while losses follow one
another. Where the packets themselves must be lost, a link between two name spaces can do it (docs/faults.md).
"""

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Self

from kanhu.harness.faults.play import Hit
from kanhu.harness.faults.schedule import KINDS, Fault, Kind, Place

__all__ = ["Condition", "LinkFaults", "LinkProxy"]

_CHUNK_BYTES = 16384
_PACKET_BYTES = 1448
_RETRANSMIT_S = 0.2  # Linux's shortest retransmission timeout
_LONGEST_RETRANSMIT_S = 3.2
_RATE_SLICE_S = 0.1  # a slow link lets bytes through evenly, not a chunk at a time
_BACKLOG = 64
_ESTABLISHED = 1  # tcp_states.h
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends a reset


class _Way(StrEnum):
    UP = "up"
    DOWN = "down"


_STANDS_STILL = {
    Kind.SILENT: frozenset(_Way),
    Kind.ONE_WAY_UP: frozenset({_Way.DOWN}),
    Kind.ONE_WAY_DOWN: frozenset({_Way.UP}),
}


class Condition:
    """One fault of a link while it lasts."""

    def __init__(self, kind: Kind, amount: float) -> None:
        self.kind = kind
        self.amount = amount


class LinkProxy:
    """One link: listens on a port of loopback that it keeps, and relays to where the other side is."""

    def __init__(self, *, to_port: int, to_host: str = "127.0.0.1", seed: str = "") -> None:
        self._to = (to_host, to_port)
        self._draw = random.Random(f"{seed}/link")
        self._conditions: list[Condition] = []
        self._flows = {way: asyncio.Event() for way in _Way}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0
        """Accepted since it was opened."""
        self.bytes_up = 0
        self.bytes_down = 0

    async def __aenter__(self) -> Self:
        """Open on a free port."""
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def open(self) -> int:
        """Listen on a free port of loopback; returns it."""
        # Bound and never listening: the port stays ours while nobody listens on it.
        self._held = _bound(0)
        self.port = int(self._held.getsockname()[1])
        self._apply()
        await self._listen()
        return self.port

    async def close(self) -> None:
        """Cut everything and give the port back."""
        self._deafen()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()
            self._held = None

    # ------------------------------------------------------------------------------------------ faults

    async def impose(self, kind: Kind, *, amount: float | None = None) -> Condition:
        """Let the link be so from now on; several hold together."""
        condition = Condition(kind, KINDS[Place.LINK][kind] if amount is None else amount)
        self._conditions.append(condition)
        self._apply()
        if kind is Kind.REFUSE:
            self._deafen()
        if kind in {Kind.REFUSE, Kind.RESET}:
            self.cut()
        return condition

    async def lift(self, condition: Condition) -> None:
        """End one of them."""
        self._conditions.remove(condition)
        self._apply()
        if self._server is None and not self._has(Kind.REFUSE):
            await self._listen()

    def cut(self) -> None:
        """Reset every connection; the next is carried as before."""
        for writer in list(self._writers):
            _reset(writer)

    def _has(self, kind: Kind) -> bool:
        return any(condition.kind is kind for condition in self._conditions)

    def _amount(self, kind: Kind) -> float | None:
        """The worst of this kind; None where there is none."""
        amounts = [condition.amount for condition in self._conditions if condition.kind is kind]
        if not amounts:
            return None
        return min(amounts) if kind is Kind.RATE else max(amounts)

    def _apply(self) -> None:
        for way, flows in self._flows.items():
            if any(way in _STANDS_STILL.get(condition.kind, ()) for condition in self._conditions):
                flows.clear()
            else:
                flows.set()

    # --------------------------------------------------------------------------------------------- relay

    async def _listen(self) -> None:
        listener = _bound(self.port)
        self._server = await asyncio.start_server(self._met, sock=listener, backlog=_BACKLOG)

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of ours: asyncio's own, when cancelled, complains about it.
        task = asyncio.create_task(self._serve(reader, writer), name="link")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with self._watched(writer):
            await self._flows[_Way.UP].wait()  # a link that carries nothing carries no greeting either
            if not _is_open(writer):  # whoever gave up meanwhile never reached the other side
                return
            try:
                far_reader, far_writer = await asyncio.open_connection(*self._to)
            except OSError:
                _reset(writer)
                return
            with self._watched(far_writer):
                pumps = [
                    asyncio.create_task(self._pump(reader, far_writer, _Way.UP), name="up"),
                    asyncio.create_task(self._pump(far_reader, writer, _Way.DOWN), name="down"),
                ]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)

    @contextmanager
    def _watched(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way) -> None:
        data = b""
        with suppress(OSError):
            while True:
                with suppress(ConnectionError):  # a reset is news as well, and waits its turn
                    data = await reader.read(_CHUNK_BYTES)
                await self._flows[way].wait()
                if not data:
                    return
                if self._has(Kind.RESET):
                    self.cut()
                    return
                if self._has(Kind.TORN):
                    await self._write(writer, data[: max(1, len(data) // 2)], way)
                    self.cut()
                    return
                await self._carry(writer, data, way)
                data = b""

    async def _carry(self, writer: asyncio.StreamWriter, data: bytes, way: _Way) -> None:
        at = 0
        while at < len(data):
            share, rate = self._amount(Kind.LOSS), self._amount(Kind.RATE)
            size = _PACKET_BYTES if share is not None else _CHUNK_BYTES
            if rate is not None:
                size = max(1, min(size, round(rate * _RATE_SLICE_S)))
            piece = data[at : at + size]
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)
            if share is not None:
                await self._lose(share)
            await self._flows[way].wait()
            await self._write(writer, piece, way)
            at += len(piece)

    async def _lose(self, share: float) -> None:
        wait_s = _RETRANSMIT_S
        while self._draw.random() < share and self._has(Kind.LOSS):
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_RETRANSMIT_S)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, way: _Way) -> None:
        writer.write(data)
        await writer.drain()
        if way is _Way.UP:
            self.bytes_up += len(data)
        else:
            self.bytes_down += len(data)


class LinkFaults:
    """Breaks links by name."""

    def __init__(self, links: dict[str, LinkProxy]) -> None:
        self._links = links
        self._imposed: dict[Fault, list[Condition]] = {}

    async def begin(self, fault: Fault) -> Hit:
        """Impose it."""
        condition = await self._links[fault.target.name].impose(fault.kind, amount=fault.amount)
        self._imposed.setdefault(fault, []).append(condition)
        return Hit.HIT

    async def end(self, fault: Fault) -> None:
        """Lift it."""
        await self._links[fault.target.name].lift(self._imposed[fault].pop())


def _bound(port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    found.setblocking(False)
    return found


def _is_open(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end has neither closed nor reset it; asyncio tells of a close only once all was read."""
    raw = writer.get_extra_info("socket")
    try:
        return bool(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED)
    except OSError:
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):  # closed already
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
