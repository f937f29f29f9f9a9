"""A connectable device with a GATT server: one measurement characteristic, battery and device information.

It advertises whenever nobody is connected, and again after every lost connection.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from bumble import hci
from bumble.att import ATT_Error
from bumble.controller import Controller
from bumble.core import UUID
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.keys import PairingKeys
from bumble.transport.common import AsyncPipeSink

from kanhu.firmware_sim.air.controller import RadioController
from kanhu.firmware_sim.air.link import Air

_AD_FLAGS = bytes([0x02, 0x01, 0x06])  # general discoverable, no classic Bluetooth
_AD_SERVICES = {2: 0x03, 16: 0x07}  # complete list of service UUIDs, by their length
_AD_BYTES = 31
_AD_COMPLETE_NAME = 0x09
_SERVICE_DEVICE_INFORMATION = 0x180A
_SERVICE_BATTERY = 0x180F
# 200 ms: found soon after a lost link, and 30 devices still cost next to nothing. Bumble counts in ms.
_ADVERTISING_INTERVAL_MS = 200.0
# A host confirms an indication within a few milliseconds; one that is being killed never does.
_CONFIRMATION_TIMEOUT_S = 5.0


class Delivery(Enum):
    """How a measurement reaches its hosts; the values are the bits with which a host subscribes."""

    NOTIFY = 1 << 0  # never confirmed
    INDICATE = 1 << 1  # confirmed one by one


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says about itself."""

    name: str
    address: str  # static random, F0:...
    service_uuid: int | str
    """Of the Bluetooth SIG its number; of a maker's own its 36 characters."""
    maker: str
    model: str
    battery_percent: int = 80


@dataclass(frozen=True, slots=True)
class Register:
    """A characteristic that a host reads and writes."""

    service_uuid: int
    uuid: int
    read: Callable[[], bytes]
    write: Callable[[bytes], None]
    """Raises AttributeRefused."""


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A characteristic that a host writes questions to, and that indicates answers."""

    uuid: int
    asked: Callable[[bytes], None]
    protected: bool = False
    """Taken on an encrypted link only: the host has to pair."""


@dataclass(frozen=True, slots=True)
class StreamService:
    """A service beside the first one: its control point is asked for data, which it then notifies."""

    uuid: str
    control_uuid: str
    data_uuid: str
    features: bytes
    """What reading the control point gives."""
    asked: Callable[[bytes, int], None]
    """Told what a host wrote, and the ATT_MTU of its link."""


class AttributeRefused(ATT_Error):
    """What a host wrote is not taken; carries the code that it is told."""


class Peripheral:
    """One GATT peripheral on the air."""

    def __init__(
        self,
        air: Air,
        *,
        identity: Identity,
        measurement_uuid: int | str,
        delivery: Delivery,
        constants: tuple[tuple[int, bytes], ...] = (),
        registers: tuple[Register, ...] = (),
        control: ControlPoint | None = None,
        stream: StreamService | None = None,
    ) -> None:
        """Build the device with its measurement, constants, registers and control point; `power_on` advertises."""
        self._identity = identity
        self._delivery = delivery
        self._measurement: Characteristic[bytes] = Characteristic(
            _uuid(measurement_uuid), Characteristic.Properties[delivery.name], Characteristic.Permissions(0), b""
        )
        controller = RadioController(identity.name, link=air, public_address="00:00:00:00:00:00")
        host = Host()
        host.set_packet_sink(AsyncPipeSink(controller))
        controller.set_packet_sink(AsyncPipeSink(host))
        config = DeviceConfiguration(
            name=identity.name,
            address=hci.Address(identity.address),
            identity_address_type=hci.Address.RANDOM_DEVICE_ADDRESS,
            irk=bytes(hci.Address(identity.address)).ljust(16, b"\x01"),
        )
        self.links = 0
        """How often a host has connected."""
        self.pairings = 0
        """How often a host has paired."""
        self._controller: Controller = controller
        self._device = Device(config=config, host=host)
        self._device.on(Device.EVENT_CONNECTION, self._on_connection)
        characteristics: dict[int | str, list[Characteristic[bytes]]] = {
            identity.service_uuid: [self._measurement, *(_constant(uuid, value) for uuid, value in constants)],
            _SERVICE_DEVICE_INFORMATION: [
                _constant(0x2A29, identity.maker.encode()),
                _constant(0x2A24, identity.model.encode()),
            ],
            _SERVICE_BATTERY: [_constant(0x2A19, bytes([identity.battery_percent]))],
        }
        self._control = None if control is None else _control_of(control)
        if self._control is not None:
            characteristics[identity.service_uuid].append(self._control)
        self._data: Characteristic[bytes] | None = None
        if stream is not None:
            self._control, self._data = _control_of_stream(stream), _notified(stream.data_uuid)
            characteristics[stream.uuid] = [self._control, self._data]
        for register in registers:
            characteristics.setdefault(register.service_uuid, []).append(_characteristic_of(register))
        self._device.add_services([Service(_uuid(uuid), offered) for uuid, offered in characteristics.items()])

    async def power_on(self) -> None:
        """Start the device and advertise."""
        await self._device.power_on()
        await self.come()

    async def come(self) -> None:
        """Into reach, where it was not: advertise."""
        service = bytes(_uuid(self._identity.service_uuid))
        head = _AD_FLAGS + bytes([1 + len(service), _AD_SERVICES[len(service)]]) + service
        name = self._identity.name.encode()[: _AD_BYTES - len(head) - 2]
        advertisement = head + bytes([1 + len(name), _AD_COMPLETE_NAME]) + name
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=advertisement,
            scan_response_data=b"",
            advertising_interval_min=_ADVERTISING_INTERVAL_MS,
            advertising_interval_max=_ADVERTISING_INTERVAL_MS,
        )

    async def power_off(self) -> None:
        """Stop for good; what is still on the air no longer reaches the device."""
        await self._device.power_off()
        self._controller.set_packet_sink(None)

    async def go(self) -> None:
        """Out of reach: it is not heard any more, and its links end."""
        await self._device.stop_advertising()
        await self.drop()

    def has_subscriber(self) -> bool:
        """Whether a connected host has asked for measurements."""
        return bool(self._subscribers())

    def is_encrypted(self) -> bool:
        """Whether a host is connected, and every link is encrypted."""
        links = list(self._device.connections.values())
        return bool(links) and all(link.is_encrypted for link in links)

    async def send(self, value: bytes) -> bool:
        """Send `value` to every host that asked; False where one did not confirm an indication."""
        confirmed = True
        for connection in self._subscribers():
            if self._delivery is Delivery.NOTIFY:
                await self._device.notify_subscriber(connection, self._measurement, value)
                continue
            try:
                async with asyncio.timeout(_CONFIRMATION_TIMEOUT_S):
                    await self._device.indicate_subscriber(connection, self._measurement, value)
            except TimeoutError:
                confirmed = False
            _obey_cancellation()
        return confirmed

    async def answer(self, value: bytes) -> None:
        """Indicate by the control point to every host that asked for its answers; one that is gone confirms none."""
        if self._control is None:
            return
        for connection in list(self._device.connections.values()):
            with suppress(TimeoutError):
                async with asyncio.timeout(_CONFIRMATION_TIMEOUT_S):
                    await self._device.indicate_subscriber(connection, self._control, value)
            _obey_cancellation()

    def has_listener(self) -> bool:
        """Whether a connected host has asked for the data of the stream."""
        return any(self._notifies(connection, self._data) for connection in self._device.connections.values())

    async def stream(self, value: bytes) -> None:
        """Notify data of the stream to every host that asked for it."""
        if self._data is not None:
            await self._device.notify_subscribers(self._data, value)

    async def drop(self) -> None:
        """End every link from the device's side."""
        for connection in list(self._device.connections.values()):
            await connection.disconnect()

    def _notifies(self, connection: Connection, characteristic: Characteristic[bytes] | None) -> bool:
        if characteristic is None:
            return False
        return bool(self._device.gatt_server.read_cccd(connection, characteristic)[0] & Delivery.NOTIFY.value)

    def _on_connection(self, connection: Connection) -> None:
        self.links += 1
        connection.on(Connection.EVENT_PAIRING, self._on_pairing)

    def _on_pairing(self, _keys: PairingKeys) -> None:
        self.pairings += 1

    def _subscribers(self) -> list[Connection]:
        server = self._device.gatt_server
        return [
            connection
            for connection in self._device.connections.values()
            if server.read_cccd(connection, self._measurement)[0] & self._delivery.value
        ]


def _obey_cancellation() -> None:
    """Pass on a cancellation that came together with a confirmation: until Python 3.12 Bumble's `wait_for` drops it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _uuid(of: int | str) -> UUID:
    return UUID(of) if isinstance(of, str) else UUID.from_16_bits(of)


def _constant(uuid: int, value: bytes) -> Characteristic[bytes]:
    return Characteristic(f"{uuid:04X}", Characteristic.Properties.READ, Characteristic.READABLE, value)


def _control_of(control: ControlPoint) -> Characteristic[bytes]:
    value = CharacteristicValue(write=lambda _, given: control.asked(bytes(given)))
    properties = Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE
    permissions = Characteristic.WRITEABLE
    if control.protected:
        permissions |= Characteristic.WRITE_REQUIRES_ENCRYPTION
    return Characteristic(f"{control.uuid:04X}", properties, permissions, value)


def _control_of_stream(stream: StreamService) -> Characteristic[bytes]:
    def written(connection: Connection, value: bytes) -> None:
        stream.asked(bytes(value), connection.att_mtu)

    properties = Characteristic.Properties.READ | Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE
    return Characteristic(
        stream.control_uuid,
        properties,
        Characteristic.READABLE | Characteristic.WRITEABLE,
        CharacteristicValue(read=lambda _: stream.features, write=written),
    )


def _notified(uuid: str) -> Characteristic[bytes]:
    return Characteristic(uuid, Characteristic.Properties.NOTIFY, Characteristic.Permissions(0), b"")


def _characteristic_of(register: Register) -> Characteristic[bytes]:
    value = CharacteristicValue(read=lambda _: register.read(), write=lambda _, given: register.write(bytes(given)))
    return Characteristic(
        f"{register.uuid:04X}",
        Characteristic.Properties.READ | Characteristic.Properties.WRITE,
        Characteristic.READABLE | Characteristic.WRITEABLE,
        value,
    )
