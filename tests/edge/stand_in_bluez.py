"""A private D-Bus with a name org.bluez on it that does as it is told: what BlueZ says to a gateway, and hears from it.

The real BlueZ is in `./run prove bluez`; here are the moments that it does not come into at will.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

_SETTINGS = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"


@asynccontextmanager
async def private_bus(program: Path, folder: Path) -> AsyncIterator[str]:
    """Address of a bus that ends with the context."""
    socket, settings = folder / "bus", folder / "bus.conf"
    settings.write_text(_SETTINGS.format(socket=socket), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        str(program), f"--config-file={settings}", "--nofork", "--print-address", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


class StandInBluez:
    """Owns the name, and keeps what it is asked."""

    def __init__(self, address: str) -> None:
        self._bus = MessageBus(bus_address=address)
        self.asked: list[tuple[str, str]] = []
        """Path and member."""
        self.refuses: set[str] = set()
        """Members that it answers with an error."""
        self.objects: dict[str, dict[str, dict[str, Variant]]] = {
            "/org/bluez/hci0": {ADAPTER: {"Powered": Variant("b", True)}}
        }
        self._agent = ("", "")

    def holds(self, address: str, *, linked: bool) -> str:
        """Know a device; returns its path."""
        path = f"/org/bluez/hci0/dev_{address.replace(':', '_')}"
        self.objects[path] = {DEVICE: {"Address": Variant("s", address), "Connected": Variant("b", linked)}}
        return path

    async def begin(self) -> None:
        await self._bus.connect()
        self._bus.add_message_handler(self._on_message)
        await self._bus.request_name("org.bluez")

    def end(self) -> None:
        self._bus.disconnect()

    def removes(self, path: str, interface: str) -> None:
        """Tell that an object is gone."""
        self._signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", path, [interface])

    def changes(self, path: str, interface: str, changed: Mapping[str, Variant]) -> None:
        """Tell that properties changed."""
        properties = "org.freedesktop.DBus.Properties"
        self._signal(path, properties, "PropertiesChanged", "sa{sv}as", interface, dict(changed), [])

    async def asks(self, member: str, signature: str, *body: object) -> str:
        """Ask the agent that registered; its answer is empty, or the name of an error."""
        sender, path = self._agent
        reply = await self._bus.call(
            Message(
                destination=sender, path=path, interface="org.bluez.Agent1", member=member, signature=signature,
                body=list(body),
            )
        )  # fmt: skip  # one call
        assert reply is not None
        return reply.error_name or ""

    def _signal(self, path: str, interface: str, member: str, signature: str, *body: object) -> None:
        self._bus.send(Message.new_signal(path, interface, member, signature, list(body)))

    def _on_message(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.destination != "org.bluez":
            return None
        member = message.member or ""
        self.asked.append((message.path or "", member))
        if member in self.refuses:
            return Message.new_error(message, "org.bluez.Error.Failed", "told to")
        if member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        if member == "RegisterAgent":
            self._agent = (message.sender or "", str(message.body[0]))
        return Message.new_method_return(message)
