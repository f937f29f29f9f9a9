"""One TCP connection of one gateway: bytes in and out, nothing else.

All links share one receive buffer: they run on one event loop, and what has come is taken out of it at once.
"""

import asyncio
from typing import Protocol

from kanhu.firmware_sim.errors import MqttRefused
from kanhu.firmware_sim.fleet.mqtt import Packet, Parser

__all__ = ["Link", "Owner"]

_BUFFER = memoryview(bytearray(64 * 1024))


class Owner(Protocol):
    """Whom a link tells what happens on it."""

    def opened(self, link: "Link") -> None:
        """The connection stands; nothing was said on it."""

    def received(self, packet: Packet) -> None:
        """A packet came."""

    def closed(self, link: "Link") -> None:
        """The connection ended, by whichever side."""


class Link(asyncio.BufferedProtocol):
    """An open connection."""

    __slots__ = ("_owner", "_parser", "_transport")

    def __init__(self, owner: Owner) -> None:
        """Not open yet."""
        self._owner = owner
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None

    def send(self, data: bytes) -> None:
        """Hand bytes to the kernel, or keep them until it has room."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close after what was sent has left."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Break off, as a link that fails does."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        if not isinstance(transport, asyncio.Transport):
            msg = f"{type(transport).__name__} cannot write"
            raise TypeError(msg)
        self._transport = transport
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        del exc  # that it is gone is what counts
        self._transport = None
        self._owner.closed(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the event loop before it reads."""
        del sizehint
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the event loop after it has read."""
        try:
            packets = self._parser.feed(bytes(_BUFFER[:nbytes]))
        except MqttRefused:
            self.drop()
            return
        for packet in packets:
            self._owner.received(packet)
