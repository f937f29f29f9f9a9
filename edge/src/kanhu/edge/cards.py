"""Cards that choose a person: what was read from one, against the cards that the clinic gave out.

A number is compared and forgotten, and stands in no record, message or log: a scanner reads whatever it is shown.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from kanhu.edge.codecs.scanner import ResidentIdentity, decode_scan
from kanhu.edge.errors import DecodeError
from kanhu.edge.whose import Attendance

__all__ = ["Cards", "Scan"]

_NONE: Mapping[str, str] = {}


class Scan(StrEnum):
    """What a scanned card led to."""

    CHOSEN = "chosen"
    UNKNOWN = "unknown"
    """Nobody here has this card."""
    IDENTITY = "identity"
    """An identity card, by which nobody is chosen: its number is kept nowhere, so there is nothing to compare."""
    MISREAD = "misread"
    """It was not read whole."""


class Cards:
    """Chooses whoever the card belongs to that was read last."""

    def __init__(self, attendance: Attendance, cards: Mapping[str, str] = _NONE) -> None:
        """`cards` names the resident of each number."""
        self._attendance = attendance
        self._cards = cards
        self.on_scan: Callable[[Scan], None] | None = None
        """Told of each card."""

    def read(self, number: str) -> Scan:
        """A card was read, by a reader on a port or by one that types."""
        resident = self._cards.get(number)
        if resident is None:
            return self._told(Scan.IDENTITY if _is_identity(number) else Scan.UNKNOWN)
        self._attendance.choose(resident)
        return self._told(Scan.CHOSEN)

    def misread(self) -> Scan:
        """Something was read, and not whole: nobody is chosen by a part of a number."""
        return self._told(Scan.MISREAD)

    def _told(self, scan: Scan) -> Scan:
        if self.on_scan is not None:
            self.on_scan(scan)
        return scan


def _is_identity(number: str) -> bool:
    try:
        return isinstance(decode_scan(number.encode()), ResidentIdentity)
    except DecodeError:
        return False
