"""A card or barcode reader on a serial port: bytes to lines, and a whole line chooses the person whose card it is.

    bytes --framing--> line --decode--> number --cards--> the person whom shared devices measure from now on

Only a line that ended chooses anybody: the beginning of one number may be the whole of another. A card that lies on its
reader is read over and over, and is one card.
"""

from kanhu.edge.cards import Scan
from kanhu.edge.codecs.scanner import ResidentIdentity, decode_scan
from kanhu.edge.codecs.scanner_frames import ScannerFraming
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.intake import Intake

__all__ = ["Scanner"]

LIES_THERE_S = 3.0
"""A card read again within so long was not taken away; project choice: readers repeat one or two times a second."""

_NO_END = "a line without its end: set the reader to send CR or LF behind each number"


class Scanner:
    """Receives what the port gave."""

    def __init__(self, intake: Intake) -> None:
        """Begin before the port is open."""
        self._intake = intake
        self._framing = ScannerFraming()
        self._cards = None if intake.people is None else intake.people.cards
        self._last: tuple[str, int] | None = None

    def opened(self) -> None:
        """The port is open; a reader speaks when somebody shows it a card."""
        self._intake.linked(LinkReason.OPEN)

    async def received(self, data: bytes) -> bytes:
        """Take the lines that these bytes complete."""
        lines = self._framing.feed(data)
        for line in lines:
            await self._scan(line)
        self._intake.bad_bytes(self._framing.bad_bytes)
        self._intake.understood(len(lines), bad_bytes=self._framing.bad_bytes, reason=LinkReason.OPEN)
        self._intake.tell()
        return b""

    async def paused(self) -> bytes:
        """A line that was begun will not end any more."""
        if self._framing.end():
            await self._misread(DecodeError(DecodeReason.SHORT, _NO_END))
        return b""

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone, and with it a line that was begun."""
        await self.paused()
        self._last = None
        self._intake.unlinked(reason, detail)

    async def _scan(self, line: bytes) -> None:
        try:
            read = decode_scan(line)
        except DecodeError as error:
            await self._misread(error)
            return
        now_ns = self._intake.clock.mono_ns()
        before, self._last = self._last, (read.number, now_ns)
        if before is not None and before[0] == read.number and now_ns - before[1] < LIES_THERE_S * 1e9:
            self._intake.repeated()
            return
        if self._cards is not None and self._cards.read(read.number) is Scan.CHOSEN:
            return
        what = "an identity card" if isinstance(read, ResidentIdentity) else f"{len(read.number)} characters"
        await self._intake.refuse(DecodeError(DecodeReason.CARD_UNKNOWN, what))

    async def _misread(self, error: DecodeError) -> None:
        if self._cards is not None:
            self._cards.misread()
        await self._intake.refuse(error)
