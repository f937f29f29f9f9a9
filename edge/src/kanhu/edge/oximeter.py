"""A Contec CMS50D on a serial port: bytes to packets, packets to windows, windows to readings."""

from kanhu.edge.arrival import arrived
from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.folding import WINDOW_PACKETS, OximeterWindow
from kanhu.edge.framing import Cms50dFraming
from kanhu.edge.intake import Intake
from kanhu.edge.sessions import Sessions


class Oximeter:
    """Receives what the port gave. A session begins with the first packet after a pause and ends with the next."""

    def __init__(self, intake: Intake) -> None:
        """Begin before the first session."""
        self._intake = intake
        self._framing = Cms50dFraming()
        self._window = OximeterWindow()
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._in_session = False

    def opened(self) -> None:
        """The port is open; whether a finger is in is another question."""
        self._intake.linked(LinkReason.OPEN)

    async def received(self, data: bytes) -> None:
        """Fold these bytes; a window that they fill is handed over at once."""
        for packet in self._framing.feed(data):
            if not self._in_session:
                self._in_session = True
                self._sessions.begin()
            self._window.add(decode_cms50d(packet))
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
                self._intake.bad_bytes(self._framing.bad_bytes)
                self._intake.tell()

    async def paused(self) -> None:
        """The device fell silent: the session is over, and a window that was begun is refused."""
        self._framing.end()
        self._in_session = False
        self._intake.bad_bytes(self._framing.bad_bytes)
        packets = self._window.cut()
        if packets:
            await self._intake.refuse(
                DecodeError(DecodeReason.WINDOW_INCOMPLETE, f"{packets} of {WINDOW_PACKETS} packets")
            )
        self._intake.tell()

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone, and with it the session."""
        await self.paused()
        self._intake.unlinked(reason, detail)
