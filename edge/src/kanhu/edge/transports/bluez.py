"""BlueZ, Linux's Bluetooth service, as far as bleak leaves it alone: its end, its question, and what it still holds.

bleak scans, connects and reads by BlueZ. Besides that a gateway has to

- notice at once that the service or the bus ended, or that the adapter was pulled out or switched off: bleak's scanner
  then falls silent without a word, and nothing is heard any more;
- answer where BlueZ asks whether to pair. Without anybody who answers it refuses, and so the device does. Nobody is
  there to compare numbers, so a device is paired with if it is configured, and no other;
- let go of the links of a gateway that was killed. BlueZ holds them, and a device that is linked does not advertise, so
  that it would never be heard again (https://github.com/bluez/bluez/issues/89).

Names and signatures: BlueZ, doc/org.bluez.*.rst, and the D-Bus specification.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bleak.args.bluez import BlueZScannerArgs
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

from kanhu.edge.errors import LinkLost, LinkReason
from kanhu.edge.transports.ble import RadioSession

__all__ = ["BluezRadio"]

_log = logging.getLogger(__name__)

_NO_SERVICE = "no Bluetooth service (D-Bus, BlueZ) on this machine"
_ANSWER_S = 10.0
_SERVICE = "org.bluez"
_ADAPTER, _DEVICE, _AGENT = "org.bluez.Adapter1", "org.bluez.Device1", "org.bluez.Agent1"
_AGENT_PATH = "/kanhu/agent"
_NEITHER_SCREEN_NOR_KEYS = "NoInputNoOutput"
_BUS, _OBJECTS, _PROPERTIES = (
    "org.freedesktop.DBus", "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties",
)  # fmt: skip  # words by rows
_WATCHED = (
    f"type='signal',sender='{_BUS}',member='NameOwnerChanged',arg0='{_SERVICE}'",
    f"type='signal',sender='{_SERVICE}',member='InterfacesRemoved'",
    f"type='signal',sender='{_SERVICE}',member='PropertiesChanged',arg0='{_ADAPTER}'",
)


class BluezRadio:
    """The system's own radio."""

    def __init__(self, adapter: str | None, *, addresses: Collection[str]) -> None:
        """Use this adapter, or the first; these devices, in upper case, may be paired with."""
        self._adapter = adapter
        self._addresses = frozenset(addresses)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[RadioSession]:
        """Be there while the service is."""
        async with _bus() as bus:
            service = _Service(bus, adapter=self._adapter, addresses=self._addresses)
            await service.begin()
            bluez = BlueZScannerArgs() if self._adapter is None else BlueZScannerArgs(adapter=self._adapter)
            bus_ends = asyncio.create_task(service.bus_ends(), name="ble bus")
            try:
                yield RadioSession(lost=service.lost, bluez=bluez, hears_once=True)
            finally:
                bus_ends.cancel()


class _Service:
    """BlueZ on one connection to the bus."""

    def __init__(self, bus: MessageBus, *, adapter: str | None, addresses: Collection[str]) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._bus = bus
        self._adapter = adapter
        self._addresses = addresses

    async def begin(self) -> None:
        """Watch, be ready to answer, and let go of what is held.

        Raises:
            LinkLost: the service is not there.
        """
        self._bus.add_message_handler(self._on_message)
        for rule in _WATCHED:
            await self._call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", rule)
        (objects,) = await self._call(_SERVICE, "/", _OBJECTS, "GetManagedObjects")
        await self._offer_to_answer()
        await asyncio.gather(*(self._let_go(path) for path in _held(objects, self._addresses)))

    async def bus_ends(self) -> None:
        """Wait until the bus itself ends: then nobody tells any more what becomes of the service."""
        try:
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # it returns nothing
        except (DBusError, OSError, EOFError) as error:
            self._lose(f"D-Bus ended: {str(error) or type(error).__name__}")

    async def _offer_to_answer(self) -> None:
        words = ("os", _AGENT_PATH, _NEITHER_SCREEN_NOR_KEYS)
        try:
            await self._call(_SERVICE, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", *words)
        except LinkLost as refused:  # devices that need no pairing are read all the same; of others it is told
            _log.warning("no device can be paired with: %s", refused)

    async def _let_go(self, path: str) -> None:
        _log.info("radio: %s is still linked to one before us", _address(path))
        try:
            await self._call(_SERVICE, path, _DEVICE, "Disconnect")
        except LinkLost as refused:  # it may have gone by itself; else it is not heard, and that is told
            _log.warning("radio: %s is not let go: %s", _address(path), refused)

    async def _call(
        self, service: str, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> list[Any]:
        message = Message(
            destination=service, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        try:
            async with asyncio.timeout(_ANSWER_S):
                reply = await self._bus.call(message)
        except (DBusError, OSError, EOFError, TimeoutError) as error:
            raise LinkLost(LinkReason.RADIO_LOST, f"{member}: {str(error) or type(error).__name__}") from error
        if reply.message_type is MessageType.ERROR:
            raise LinkLost(LinkReason.RADIO_LOST, _refusal(member, reply))
        return reply.body

    def _on_message(self, message: Message) -> Message | bool | None:
        if message.message_type is MessageType.METHOD_CALL and message.path == _AGENT_PATH:
            return self._answer(message) if message.interface == _AGENT else None
        if message.message_type is MessageType.SIGNAL:
            happened = self._happened(message)
            if happened is not None:
                self._lose(happened)
        return None

    def _lose(self, what_happened: str) -> None:
        if not self.lost.done():
            self.lost.set_result(what_happened)

    def _answer(self, question: Message) -> Message:
        """To pair without anything to compare with a device that is configured; nothing else."""
        if question.member in {"Release", "Cancel"}:
            return Message.new_method_return(question)
        address = _address(str(question.body[0])) if question.body else ""
        if question.member == "RequestAuthorization" and address in self._addresses:
            return Message.new_method_return(question)
        _log.warning("radio: %s of %s was refused", question.member, address)
        return Message.new_error(question, "org.bluez.Error.Rejected", "not a device of this gateway")

    def _happened(self, signal: Message) -> str | None:
        """What of this means that the radio is gone."""
        match signal.interface, signal.member, signal.body:
            case "org.freedesktop.DBus", "NameOwnerChanged", [name, _, ""] if name == _SERVICE:
                return "the Bluetooth service ended"
            case _, "InterfacesRemoved", [path, interfaces] if _ADAPTER in interfaces and self._is_ours(path):
                return "the Bluetooth adapter is gone"
            case _, "PropertiesChanged", [interface, changed, _] if interface == _ADAPTER:
                powered = changed.get("Powered")
                if powered is not None and not powered.value and self._is_ours(signal.path or ""):
                    return "the Bluetooth adapter was switched off"
        return None

    def _is_ours(self, path: str) -> bool:
        return self._adapter is None or path == f"/org/bluez/{self._adapter}"


@asynccontextmanager
async def _bus() -> AsyncIterator[MessageBus]:
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        async with asyncio.timeout(_ANSWER_S):
            await bus.connect()
    except FileNotFoundError as error:
        raise LinkLost(LinkReason.RADIO_LOST, _NO_SERVICE) from error
    except (DBusError, OSError, EOFError, TimeoutError) as error:
        raise LinkLost(LinkReason.RADIO_LOST, f"D-Bus: {str(error) or type(error).__name__}") from error
    try:
        yield bus
    finally:
        bus.disconnect()


def _held(objects: Mapping[str, Mapping[str, Mapping[str, Variant]]], addresses: Collection[str]) -> list[str]:
    """Paths of these devices that are linked."""
    return [
        path
        for path, interfaces in objects.items()
        if _address(path) in addresses and _DEVICE in interfaces and interfaces[_DEVICE]["Connected"].value
    ]


def _address(path: str) -> str:
    """Of the device `/org/bluez/hci0/dev_F0_0D_00_00_00_05`."""
    return path.rpartition("/dev_")[2].replace("_", ":")


def _refusal(member: str, reply: Message) -> str:
    if reply.error_name == "org.freedesktop.DBus.Error.ServiceUnknown":
        return _NO_SERVICE
    return f"{member}: {reply.error_name} {' '.join(map(str, reply.body))}".rstrip()
