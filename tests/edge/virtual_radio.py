"""A virtual air with peripherals on it, and one controller that a gateway reaches over TCP.

Built from Bumble for these tests only. The controller is new for every TCP connection and ends all its links when that
connection ends, as a real one does when its host resets it; Bumble's own keeps them.
"""

import asyncio
from collections.abc import Callable

from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import (
    Address,
    HCI_ErrorCode,
    HCI_LE_Connection_Complete_Event,
    HCI_LE_Create_Connection_Cancel_Command,
    HCI_StatusReturnParameters,
    Role,
)
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, StreamPacketSource

_INTERVAL_MS = 50.0


class TcpController(Controller):
    """Cancels a pending connection when told to, which Bumble's own controller only acknowledges."""

    def on_hci_le_create_connection_cancel_command(
        self, _command: HCI_LE_Create_Connection_Cancel_Command
    ) -> HCI_StatusReturnParameters:
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return HCI_StatusReturnParameters(HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.send_hci_packet(
            HCI_LE_Connection_Complete_Event(
                status=HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=Role.CENTRAL,
                peer_address_type=pending.peer_address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return HCI_StatusReturnParameters(HCI_ErrorCode.SUCCESS)

    def leave(self) -> None:
        """End every link, and be gone from the air."""
        assert self.link is not None
        for connection in list(self.le_connections.values()):
            other = self.link.find_le_controller(connection.peer_address)
            left = None if other is None else other.le_connections.get(connection.self_address)
            if other is not None and left is not None:
                other.on_le_disconnected(left, HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        self.le_connections.clear()
        self.link.remove_controller(self)


class _HostSide(asyncio.Protocol):
    """One TCP connection of a gateway."""

    def __init__(self, air: "VirtualAir") -> None:
        self._air = air
        self._source = StreamPacketSource()
        self._transport: asyncio.WriteTransport | None = None
        self._controller: TcpController | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._air.connections.append(transport)
        self._controller = TcpController("gateway", host_source=self._source, host_sink=self, link=self._air.link)

    def data_received(self, data: bytes) -> None:
        self._source.data_received(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._controller is not None:
            self._controller.leave()

    def on_packet(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)


class VirtualAir:
    """The air, and the TCP port of its one controller."""

    def __init__(self, port: int) -> None:
        self.link = LocalLink()  # type: ignore[no-untyped-call]  # Bumble leaves this one untyped
        self.port = port
        self.connections: list[asyncio.WriteTransport] = []
        self._server: asyncio.Server | None = None

    @property
    def transport(self) -> str:
        return f"tcp-client:127.0.0.1:{self.port}"

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _HostSide(self), "127.0.0.1", self.port)

    async def close(self) -> None:
        """The controller is gone: its port is closed and so is what was connected to it."""
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.abort()
        self.connections.clear()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None


class Peripheral:
    """One device on the air, with at most one service."""

    def __init__(self, air: VirtualAir, *, address: str) -> None:
        self.address = address
        controller = Controller(address, link=air.link)
        host = Host()
        host.controller = controller
        controller.host = AsyncPipeSink(host)
        self.device = Device(name="test", address=Address(address), host=host)
        self.subscribed = asyncio.Event()
        self.connections: list[Connection] = []
        self._characteristic: Characteristic[bytes] | None = None
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)

    def serve(self, service: int | str, characteristic: int | str, *, properties: Characteristic.Properties) -> None:
        """Offer one characteristic, and a battery at 81 percent."""
        self._characteristic = Characteristic(_uuid(characteristic), properties, Characteristic.READABLE)
        self._characteristic.on(Characteristic.EVENT_SUBSCRIPTION, self._on_subscription)
        battery: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2A19),
            Characteristic.Properties.READ,
            Characteristic.READABLE,
            CharacteristicValue(read=lambda _: bytes([81])),
        )
        self.device.add_services(
            [
                Service(_uuid(service), [self._characteristic]),
                Service(UUID.from_16_bits(0x180F), [battery]),
            ]
        )

    async def power_on(self) -> None:
        await self.device.power_on()

    async def advertise(self, service: int | str) -> None:
        """Be connectable, and again after every disconnection."""
        kinds = {
            2: AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
            16: AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        }
        uuid = bytes(_uuid(service))
        data = AdvertisingData([(kinds[len(uuid)], uuid)])
        await self.device.start_advertising(
            auto_restart=True,
            advertising_data=bytes(data),
            advertising_interval_min=_INTERVAL_MS,
            advertising_interval_max=_INTERVAL_MS,
        )

    async def broadcast(self, service_data: bytes) -> None:
        """Advertise BTHome service data until told otherwise."""
        data = AdvertisingData([(AdvertisingData.SERVICE_DATA_16_BIT_UUID, b"\xd2\xfc" + service_data)])
        if self.device.is_advertising:
            await self.device.stop_advertising()
        await self.device.start_advertising(
            advertising_data=bytes(data), advertising_interval_min=_INTERVAL_MS, advertising_interval_max=_INTERVAL_MS
        )

    async def silence(self) -> None:
        await self.device.stop_advertising()

    async def send(self, value: bytes) -> None:
        """Notify, or indicate, whoever subscribed."""
        assert self._characteristic is not None
        if self._characteristic.properties & Characteristic.Properties.INDICATE:
            await self.device.indicate_subscribers(self._characteristic, value)
        else:
            await self.device.notify_subscribers(self._characteristic, value)

    async def drop(self) -> None:
        """End the link from the device's side."""
        self.subscribed.clear()
        for connection in list(self.connections):
            await connection.disconnect()

    def hang(self) -> Callable[[], None]:
        """Answer no attribute request any more, while the link stands; call the result to answer again."""
        server = self.device.gatt_server
        answering = server.on_gatt_pdu
        server.on_gatt_pdu = lambda *_: None  # type: ignore[method-assign]  # a peripheral that hangs

        def answer_again() -> None:
            server.on_gatt_pdu = answering  # type: ignore[method-assign]  # as it was

        return answer_again

    def _on_connection(self, connection: Connection) -> None:
        self.connections.append(connection)
        connection.on(Connection.EVENT_DISCONNECTION, lambda _: self._on_disconnection(connection))

    def _on_disconnection(self, connection: Connection) -> None:
        self.subscribed.clear()
        if connection in self.connections:
            self.connections.remove(connection)

    def _on_subscription(self, _connection: object, notify: bool, indicate: bool) -> None:
        if notify or indicate:
            self.subscribed.set()


def _uuid(of: int | str) -> UUID:
    return UUID(of) if isinstance(of, str) else UUID.from_16_bits(of)
