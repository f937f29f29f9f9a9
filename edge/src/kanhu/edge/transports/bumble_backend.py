"""A bleak backend without BlueZ: Bumble as the Bluetooth host, over any of its transports.

For a USB controller without a system stack, and for the virtual radios of tests and demo. One host serves scanner and
clients at once; `BumbleRadio.session` brings it up and hands out backend classes that are bound to it.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Literal

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble.core import BaseBumbleError, PhysicalTransport
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.gatt import Characteristic
from bumble.hci import Address, HCI_LE_Create_Connection_Cancel_Command
from bumble.transport import open_transport
from bumble.transport.common import Transport

from kanhu.edge.errors import LinkLost, LinkReason
from kanhu.edge.transports.ble import RadioSession
from kanhu.edge.transports.bumble_advertisement import advertisement_data, bleak_uuid

_POWER_ON_S = 10.0
_CANCEL_S = 1.0
# A device that was just heard answers within its advertising interval, at most some seconds; while the controller
# waits for one, it can wait for no other.
_LINK_S = 4.0
# A strap packs up to nine beat intervals in 20 bytes, and more where it may.
_WANTED_MTU = 247
_DEFAULT_MTU = 23
_ATT_HEADER_BYTES = 3

_PROPERTY_NAMES: tuple[tuple[Characteristic.Properties, CharacteristicPropertyName], ...] = (
    (Characteristic.Properties.READ, "read"),
    (Characteristic.Properties.WRITE, "write"),
    (Characteristic.Properties.WRITE_WITHOUT_RESPONSE, "write-without-response"),
    (Characteristic.Properties.NOTIFY, "notify"),
    (Characteristic.Properties.INDICATE, "indicate"),
)

# Bumble writes a stack trace for every link that ends; why it ended is told by the device's own state.
logging.getLogger("bumble").setLevel(logging.CRITICAL)


class BumbleRadio:
    """A radio behind a Bumble transport such as `tcp-client:127.0.0.1:40001`."""

    def __init__(self, transport: str) -> None:
        """Name the transport; it is opened by `session`."""
        self._transport = transport

    @asynccontextmanager
    async def session(self) -> AsyncIterator[RadioSession]:
        """Open the transport and power the host on; both end with the context."""
        async with _opened(self._transport) as transport:
            device = await _powered_on(transport)
            lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            def on_terminated(_: object) -> None:
                if not lost.done():
                    lost.set_result(f"{self._transport} ended")

            transport.source.terminated.add_done_callback(on_terminated)
            connecting = asyncio.Lock()  # a controller can wait for one connection at a time

            class Scanner(BumbleScanner):
                host = device

            class Client(BumbleClient):
                host = device
                lock = connecting

            yield RadioSession(lost=lost, scanner=Scanner, client=Client, scanning_mode="passive")


class BumbleScanner(BaseBleakScanner):
    """Listens through a host that is shared with the clients."""

    host: Device

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        **_platform: Any,
    ) -> None:
        """Arguments as bleak passes them; those for other platforms are left aside."""
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        """Begin to listen; repeats are reported, because a repeat may carry a new event."""
        self.seen_devices = {}
        self.host.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        with _bleak_errors():
            await self.host.start_scanning(active=self._active, filter_duplicates=False)

    async def stop(self) -> None:
        """Listen no more."""
        with suppress(KeyError):  # pyee's answer to a listener that is not there
            self.host.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        with _bleak_errors():
            await self.host.stop_scanning()

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        data = advertisement_data(advertisement)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, data.local_name, advertisement.address, data)
        self.call_detection_callbacks(device, data)


class BumbleClient(BaseBleakClient):
    """One connection through a host that is shared with the scanner."""

    host: Device
    lock: asyncio.Lock

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_platform: Any,
    ) -> None:
        """Arguments as bleak passes them; those for other platforms are left aside."""
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        details = address_or_ble_device.details if isinstance(address_or_ble_device, BLEDevice) else None
        self._peer_address = details if isinstance(details, Address) else Address(self.address)
        self._wanted = services
        self._connection: Connection | None = None
        self._peer: Peer | None = None

    @property
    def name(self) -> str:
        """The address; names are not read."""
        return self.address

    @property
    def mtu_size(self) -> int:
        """The agreed size of an attribute message."""
        return self._connection.att_mtu if self._connection is not None else _DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        """Whether the link stands."""
        return self._connection is not None

    async def connect(self, pair: bool, **_rest: Any) -> None:
        """Connect and discover the wanted services."""
        with _bleak_errors():
            connection = await self._link()
            self._connection = connection
            connection.once(Connection.EVENT_DISCONNECTION, self._on_disconnection)
            self._peer = Peer(connection)
            if pair:
                await connection.pair()
            with suppress(BaseBumbleError):  # a peripheral may know no other size than the default
                await self._peer.request_mtu(_WANTED_MTU)
            self.services = await _discover(self._peer, self._wanted, lambda: self.mtu_size - _ATT_HEADER_BYTES)

    async def disconnect(self) -> None:
        """End the link, if it stands."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with _bleak_errors():
                await connection.disconnect()

    async def pair(self, *_args: Any, **_rest: Any) -> None:
        """Pair, as the peripheral allows."""
        if self._connection is None:
            raise BleakError("not connected")
        with _bleak_errors():
            await self._connection.pair()
        if not self._connection.is_encrypted:
            raise BleakError("paired, and the link is not encrypted")

    async def unpair(self) -> None:
        """Forget the keys of this peripheral."""
        if self.host.keystore is not None:
            with _bleak_errors():
                await self.host.keystore.delete(str(self._peer_address))

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_rest: Any) -> bytearray:
        """Read a value from the peripheral."""
        with _bleak_errors():
            return bytearray(await self._open_peer().read_value(characteristic.obj))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_rest: Any) -> bytearray:
        """Read a descriptor from the peripheral."""
        with _bleak_errors():
            return bytearray(await self._open_peer().read_value(descriptor.obj))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a value to the peripheral."""
        with _bleak_errors():
            await self._open_peer().write_value(characteristic.obj, bytes(data), with_response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor of the peripheral."""
        with _bleak_errors():
            await self._open_peer().write_value(descriptor.obj, bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_rest: Any
    ) -> None:
        """Subscribe; indications are confirmed by the host."""
        with _bleak_errors():
            await self._open_peer().subscribe(characteristic.obj, lambda value: callback(bytearray(value)))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Subscribe no more."""
        with _bleak_errors():
            await self._open_peer().unsubscribe(characteristic.obj)

    def _open_peer(self) -> Peer:
        if self._connection is None or self._peer is None:
            raise BleakError("not connected")
        return self._peer

    def _on_disconnection(self, _reason: int) -> None:
        unsolicited, self._connection = self._connection is not None, None
        if unsolicited and self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _link(self) -> Connection:
        async with self.lock:
            # A connection that was completed after its client had given up belongs to whoever asks next.
            left = self.host.find_connection_by_bd_addr(self._peer_address, transport=PhysicalTransport.LE)
            if left is not None:
                return left
            try:
                async with asyncio.timeout(min(self._timeout, _LINK_S)):
                    return await self.host.connect_le(self._peer_address, timeout=None)
            except (asyncio.CancelledError, TimeoutError):
                # Or the controller would go on waiting, and refuse the next connection.
                with suppress(BaseBumbleError, TimeoutError):
                    async with asyncio.timeout(_CANCEL_S):
                        await self.host.send_sync_command(HCI_LE_Create_Connection_Cancel_Command())
                raise


@asynccontextmanager
async def _opened(name: str) -> AsyncIterator[Transport]:
    try:
        transport = await open_transport(name)
    except (OSError, BaseBumbleError, ValueError) as error:
        raise LinkLost(LinkReason.RADIO_LOST, f"{name}: {error}") from error
    try:
        yield transport
    finally:
        await transport.close()


async def _powered_on(transport: Transport) -> Device:
    configuration = DeviceConfiguration(name="kanhu", address=Address.generate_static_address())
    device = Device.from_config_with_hci(configuration, transport.source, transport.sink)
    try:
        async with asyncio.timeout(_POWER_ON_S):
            with _bleak_errors():
                await device.power_on()
    except (BleakError, OSError, TimeoutError) as error:
        raise LinkLost(LinkReason.RADIO_LOST, f"the controller does not start: {error}") from error
    return device


@contextmanager
def _bleak_errors() -> Iterator[None]:
    """Bumble's errors as bleak's.

    Bytes of a peripheral that are not what they should be show as errors of Python. Where a link ends in the middle of
    its work Bumble asserts, or cancels what waited for an answer; without a cancellation of this task that is an error
    of the link, and passed on as it came it would end the task in silence.
    """
    try:
        yield
    except (BaseBumbleError, AssertionError, ValueError, LookupError, struct.error) as error:
        raise BleakError(str(error) or type(error).__name__) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BleakError("the link ended") from error


async def _discover(
    peer: Peer, wanted: set[str] | None, longest_write: Callable[[], int]
) -> BleakGATTServiceCollection:
    found = BleakGATTServiceCollection()
    for service_proxy in await peer.discover_services():
        uuid = bleak_uuid(service_proxy.uuid)
        if wanted is not None and uuid not in wanted:
            continue
        service = BleakGATTService(service_proxy, service_proxy.handle, uuid)
        found.add_service(service)
        for proxy in await peer.discover_characteristics(service=service_proxy):
            properties: list[CharacteristicPropertyName] = [
                name for flag, name in _PROPERTY_NAMES if proxy.properties & flag
            ]
            found.add_characteristic(
                BleakGATTCharacteristic(proxy, proxy.handle, bleak_uuid(proxy.uuid), properties, longest_write, service)
            )
    return found
