"""A finger oximeter on a serial port: bytes to packets, packets to windows, windows to readings."""

from collections.abc import Iterator
from typing import Protocol

from kanhu.edge.arrival import arrived
from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.codecs.contec_v7 import PacketType, decode_v7_live
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.folding import WINDOW_PACKETS, OximeterPacket, OximeterWindow
from kanhu.edge.framing import Cms50dFraming, ContecV7Framing
from kanhu.edge.intake import Intake
from kanhu.edge.sessions import Sessions


class OximeterStream(Protocol):
    """Makes packets of bytes."""

    @property
    def bad_bytes(self) -> int:
        """Bytes so far that belonged to no packet."""

    def feed(self, data: bytes) -> Iterator[OximeterPacket | None]:
        """The packets that these bytes complete; None is one of a device that talks on while no finger is in."""

    def end(self) -> Iterator[OximeterPacket]:
        """The device paused: what that completes."""


class Cms50dStream:
    """Of the older Contec models, which send nothing else."""

    def __init__(self) -> None:
        """Begin between two packets."""
        self._framing = Cms50dFraming()

    @property
    def bad_bytes(self) -> int:
        """As the framing counts."""
        return self._framing.bad_bytes

    def feed(self, data: bytes) -> Iterator[OximeterPacket]:
        """Each packet is one of live data."""
        return map(decode_cms50d, self._framing.feed(data))

    def end(self) -> Iterator[OximeterPacket]:
        """A packet that was begun is none."""
        self._framing.end()
        return iter(())


class ContecV7Stream:
    """Of the newer Contec models; what is no live data, such as an answer to a command, is passed over."""

    def __init__(self) -> None:
        """Begin between two packets."""
        self._framing = ContecV7Framing()
        self._cut = 0

    @property
    def bad_bytes(self) -> int:
        """Also those of packets that were cut."""
        return self._framing.bad_bytes + self._cut

    def feed(self, data: bytes) -> Iterator[OximeterPacket]:
        """Live data among the packets."""
        return self._live(self._framing.feed(data))

    def end(self) -> Iterator[OximeterPacket]:
        """The packet that was begun is whole, if it is one."""
        return self._live(self._framing.end())

    def _live(self, packets: list[bytes]) -> Iterator[OximeterPacket]:
        for packet in packets:
            if packet[0] == PacketType.LIVE:
                try:
                    yield decode_v7_live(packet)
                except DecodeError:  # cut in the middle; the window counts whole packets only
                    self._cut += len(packet)


class Oximeter:
    """Receives what the port gave. A session begins with the first packet of a finger, and ends with the last."""

    def __init__(
        self, intake: Intake, *, stream: OximeterStream | None = None, window_packets: int = WINDOW_PACKETS
    ) -> None:
        """Begin before the first session; without a stream it is one of the older Contec models."""
        self._intake = intake
        self._stream = stream or Cms50dStream()
        self._window_packets = window_packets
        self._window = OximeterWindow(window_packets)
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._in_session = False

    def opened(self) -> None:
        """The port is open; whether a finger is in is another question."""
        self._intake.linked(LinkReason.OPEN)

    async def received(self, data: bytes) -> bytes:
        """Fold these bytes; a window that they fill is handed over at once."""
        packets = 0
        for packet in self._stream.feed(data):
            packets += 1
            if packet is None:
                await self._end_session()
                continue
            if not self._in_session:
                self._in_session = True
                self._sessions.begin()
            self._window.add(packet)
            if self._window.full:
                times = arrived(self._intake.clock)
                subject = self._sessions.measured()
                await self._intake.take(
                    lambda: self._window.fold(
                        subject=subject,  # noqa: B023  # called at once
                        device=self._intake.device.id,
                        times=times,  # noqa: B023  # called at once
                    )
                )
                self._intake.bad_bytes(self._stream.bad_bytes)
                self._intake.tell()
        self._intake.understood(packets, bad_bytes=self._stream.bad_bytes, reason=LinkReason.OPEN)
        return b""

    async def paused(self) -> bytes:
        """The device fell silent: the session is over, and a window that was begun is refused."""
        for packet in self._stream.end():
            self._window.add(packet)
        self._intake.bad_bytes(self._stream.bad_bytes)
        await self._end_session()
        self._intake.tell()
        return b""

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone, and with it the session."""
        await self.paused()
        self._intake.unlinked(reason, detail)

    async def _end_session(self) -> None:
        self._in_session = False
        packets = self._window.cut()
        if packets:
            detail = f"{packets} of {self._window_packets} packets"
            await self._intake.refuse(DecodeError(DecodeReason.WINDOW_INCOMPLETE, detail))
