"""The TCP port on which one gateway process at a time plugs its Bluetooth host into the home's air (HCI, H4).

    free --accept--> plugged in --host gone, or a newer host--> links dropped --> free

A host that was killed takes its links with it, as when a real radio loses power: the devices notice, advertise
again, and the next host finds them.
"""

import asyncio
import logging

from bumble import hci
from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

from kanhu.firmware_sim.air.controller import RadioController

_log = logging.getLogger(__name__)

# A host that has left this much unread is as good as dead: hours of everything a home can send.
_LARGEST_BACKLOG_BYTES = 1 << 20


class HciPort:
    """One controller behind a loopback port; accepts again and again."""

    def __init__(self, controller: RadioController) -> None:
        """Prepare the port; `open` listens."""
        self._controller = controller
        self._server: asyncio.Server | None = None
        self._host: _Host | None = None
        self._port = 0

    @property
    def transport(self) -> str:
        """How a Bumble host reaches this port."""
        return f"tcp-client:127.0.0.1:{self._port}"

    async def open(self, port: int = 0) -> None:
        """Listen on this port, 0 for a free one."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Host(self), "127.0.0.1", port)
        self._port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and hang up on the host; the whole air is going, nobody is told."""
        if self._server is not None:
            self._server.close()
        self._controller.set_packet_sink(None)
        host, self._host = self._host, None
        if host is not None:
            host.abort()

    def reset(self) -> None:
        """The radio loses power for a moment: its host is cut off, and all links with it."""
        if self._host is not None:
            self._host.abort()

    def plug_in(self, host: "_Host") -> None:
        """A host has come; an older one is unplugged first."""
        if self._host is not None:
            self._host.abort()
        self._controller.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        self._host = host
        self._controller.set_packet_sink(host)

    def unplug(self, host: "_Host") -> None:
        """A host has gone, or was replaced."""
        if self._host is not host:
            return
        self._host = None
        self._controller.set_packet_sink(None)
        self._controller.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def deliver(self, packet: bytes) -> None:
        """Hand one HCI packet of the host to the controller."""
        self._controller.on_packet(packet)


class _FromHost:
    """Where the parser puts a host's complete packets."""

    def __init__(self, port: HciPort) -> None:
        self._port = port

    def on_packet(self, packet: bytes) -> None:
        self._port.deliver(packet)


class _Host(asyncio.Protocol):
    """One accepted connection; as the controller's sink it carries packets back to the host."""

    def __init__(self, port: HciPort) -> None:
        self._port = port
        self._parser = PacketParser(_FromHost(port))
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._port.plug_in(self)

    def connection_lost(self, exc: Exception | None) -> None:
        _log.debug("host gone: %s", exc)
        self._transport = None
        self._port.unplug(self)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:  # replaced by a newer host
            return
        try:
            self._parser.feed_data(data)
        except InvalidPacketError as error:
            _log.warning("host does not speak HCI, unplugged: %s", error)
            self.abort()

    def on_packet(self, packet: bytes) -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > _LARGEST_BACKLOG_BYTES:
            _log.warning("host does not read any more, unplugged")
            self.abort()
            return
        self._transport.write(packet)

    def abort(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._port.unplug(self)
