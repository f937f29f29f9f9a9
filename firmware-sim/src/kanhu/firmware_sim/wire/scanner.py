"""Lines of card and barcode readers: the number and what the reader was set to send behind it.

Identity numbers by GB 11643-1999: eighteen characters, the last of them a check by ISO 7064 MOD 11-2.
"""

from datetime import date
from enum import Enum

__all__ = ["End", "identity_number", "scan_line"]


class End(Enum):
    """How a reader frames a number."""

    CR = (b"", b"\r")
    LF = (b"", b"\n")
    CR_LF = (b"", b"\r\n")
    STX_ETX = (b"\x02", b"\x03")
    NONE = (b"", b"")


def scan_line(number: str, end: End = End.CR_LF) -> bytes:
    """One number as it goes over the line."""
    before, behind = end.value
    return before + number.encode("ascii") + behind


def identity_number(place: str, born: date, order: int) -> str:
    """A number with its check character; `place` has six digits, `order` is 0 to 999."""
    body = f"{place}{born:%Y%m%d}{order:03}"
    remainder = 0
    for digit in body:  # Horner's scheme of the sum over digits times powers of two, modulo 11
        remainder = (remainder + int(digit)) * 2 % 11
    return body + "0123456789X"[(12 - remainder) % 11]
