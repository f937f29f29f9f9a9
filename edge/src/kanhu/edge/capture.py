"""What devices sent, as it came, written to a file line by line, and read from there again as if it came now.

A field report becomes a test by copying its file: bytes and times go in at the place where transports hand them over,
and what is made of them is made anew. The file holds measurements of people; it holds no key, and no names but
those that somebody typed in at an analyser.
"""

from collections.abc import Iterable
from typing import BinaryIO, Protocol

import msgspec

from kanhu.contract import Clock, ClockState
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Inbox
from kanhu.edge.peers import HeardPeer
from kanhu.edge.ways import Asking, GattTarget, Heard, OwnClock, SerialReceiver, Write

__all__ = ["CaptureHead", "CaptureLine", "CaptureWriter", "CapturedDevice", "Tap"]

VERSION = 1


class CapturedDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device of which something was captured."""

    id: str
    kind: str
    port: str | None = None
    address: str | None = None


class CaptureHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    capture: int
    """Version of this format."""
    began_ms: int
    """Wall clock, Unix milliseconds."""
    clock: ClockState
    devices: tuple[CapturedDevice, ...]


class CaptureLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that a transport handed over."""

    at_ns: int
    """Since the beginning."""
    device: str
    what: str
    """Of a port `opened`, `received`, `paused`, `wrote`, `lost`; of a radio `heard`, `value`, `told`, `ask`, `wrote`,
    `battery`, `linked`, `unlinked`."""
    data: str = ""
    """Bytes in hexadecimal digits, a percentage, or the named reason of a link."""
    of: str = ""
    """Characteristic of `told` and `wrote`; detail of a reason."""
    service_data: dict[str, str] = {}
    manufacturer_data: dict[str, str] = {}
    name: str | None = None


class Tap(Protocol):
    """Stands between transports and devices."""

    def port(self, device: DeviceConfig, receiver: SerialReceiver) -> SerialReceiver:
        """What the port is to be handed to in its place."""

    def radio(self, device: DeviceConfig, peer: HeardPeer) -> HeardPeer:
        """The same of the radio."""


class CaptureWriter:
    """Writes each thing down, then hands it on."""

    def __init__(self, file: BinaryIO, devices: Iterable[DeviceConfig], *, clock: Clock) -> None:
        """Begin the file; each line is flushed, so that a capture that is cut off is whole up to there."""
        self._file = file
        self._clock = clock
        self._began_ns = clock.mono_ns()
        told = tuple(CapturedDevice(one.id, one.kind, one.port, one.address) for one in devices)
        self._put(CaptureHead(VERSION, clock.wall_ms(), clock.state(), told))

    def port(self, device: DeviceConfig, receiver: SerialReceiver) -> SerialReceiver:
        """Of a serial port."""
        return _TappedReceiver(self, device.id, receiver)

    def radio(self, device: DeviceConfig, peer: HeardPeer) -> HeardPeer:
        """Of a device of the radio."""
        return _TappedPeer(self, device.id, peer)

    def line(self, device: str, what: str, data: str = "", of: str = "") -> None:
        """Write one thing down."""
        self._put(CaptureLine(self._clock.mono_ns() - self._began_ns, device, what, data, of))

    def heard(self, device: str, heard: Heard) -> None:
        """Write an advertisement down."""
        self._put(
            CaptureLine(
                self._clock.mono_ns() - self._began_ns,
                device,
                "heard",
                service_data={uuid: data.hex() for uuid, data in heard.service_data.items()},
                manufacturer_data={str(company): data.hex() for company, data in heard.manufacturer_data.items()},
                name=heard.name,
            )
        )

    def _put(self, line: CaptureHead | CaptureLine) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()


class _TappedReceiver:
    def __init__(self, writer: CaptureWriter, device: str, receiver: SerialReceiver) -> None:
        self._writer = writer
        self._device = device
        self._receiver = receiver

    def opened(self) -> None:
        self._writer.line(self._device, "opened")
        self._receiver.opened()

    async def received(self, data: bytes) -> bytes:
        if data:
            self._writer.line(self._device, "received", data.hex())
        return self._answer(await self._receiver.received(data))

    async def paused(self) -> bytes:
        self._writer.line(self._device, "paused")
        return self._answer(await self._receiver.paused())

    async def lost(self, reason: LinkReason, detail: str) -> None:
        self._writer.line(self._device, "lost", reason.value, detail)
        await self._receiver.lost(reason, detail)

    def _answer(self, words: bytes) -> bytes:
        if words:
            self._writer.line(self._device, "wrote", words.hex())
        return words


class _TappedPeer:
    def __init__(self, writer: CaptureWriter, device: str, peer: HeardPeer) -> None:
        self._writer = writer
        self._device = device
        self._peer = peer
        self.inbox: Inbox = peer.inbox
        self.address: str = peer.address
        self.target: GattTarget | None = peer.target
        self.own_clock: OwnClock | None = peer.own_clock
        self.asking: Asking | None = None if peer.asking is None else _TappedAsking(writer, device, peer.asking)

    def advertised(self, heard: Heard) -> None:
        self._writer.heard(self._device, heard)
        self._peer.advertised(heard)

    def minutes_passed(self) -> None:
        self._peer.minutes_passed()

    def notified(self, value: bytes) -> None:
        self._writer.line(self._device, "value", value.hex())
        self._peer.notified(value)

    def battery(self, percent: int) -> None:
        self._writer.line(self._device, "battery", str(percent))
        self._peer.battery(percent)

    def linked(self, reason: LinkReason) -> None:
        self._writer.line(self._device, "linked", reason.value)
        self._peer.linked(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        self._writer.line(self._device, "unlinked", reason.value, detail)
        self._peer.unlinked(reason, detail)


class _TappedAsking:
    def __init__(self, writer: CaptureWriter, device: str, asking: Asking) -> None:
        self._writer = writer
        self._device = device
        self._asking = asking
        self.also: tuple[str, ...] = asking.also

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        self._writer.line(self._device, "told", value.hex(), characteristic_uuid)
        self._asking.told(characteristic_uuid, value)

    async def ask(self, write: Write) -> float:
        async def written(characteristic_uuid: str, value: bytes) -> None:
            self._writer.line(self._device, "wrote", value.hex(), characteristic_uuid)
            await write(characteristic_uuid, value)

        self._writer.line(self._device, "ask")
        return await self._asking.ask(written)
