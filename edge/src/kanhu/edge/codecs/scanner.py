"""Decode a line of a barcode or identity card reader: a resident identity number of China, or a card's number.

GB 11643-1999: six digits of place, eight of birth, three of order, and a check character. A number is in no text of an
error and in no repr, because both end in logs.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from kanhu.edge.errors import DecodeError, DecodeReason

MOST_CHARACTERS = 64
FEWEST_CHARACTERS = 4
ENDS = b"\r\n\x02\x03"
"""Readers end a line with CR, LF or both; readers of radio cards put it between STX and ETX."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_IDENTITY = re.compile(r"[0-9]{17}[0-9Xx]", re.ASCII)
_CARD = re.compile(r"[!-~]+", re.ASCII)
_FIRST_YEAR = 1900
_LONGEST_LIFE_YEARS = 123  # the oldest person on record died at 122


@dataclass(frozen=True, slots=True)
class ResidentIdentity:
    """A resident identity number whose check character is right and whose birth is a day of the calendar."""

    number: str = field(repr=False)
    born: date = field(repr=False)

    def plausible_on(self, today: date) -> bool:
        """Born by this day, and not longer ago than anybody lived."""
        return self.born <= today and today.year - self.born.year <= _LONGEST_LIFE_YEARS


@dataclass(frozen=True, slots=True)
class ScannedCard:
    """The number of a card or a barcode, of which nothing is known."""

    number: str = field(repr=False)


def decode_scan(line: bytes) -> ResidentIdentity | ScannedCard:
    """Decode one line, with or without its ends.

    Raises:
        DecodeError: it is short or long, has other characters, or looks like an identity number and is none.
    """
    text = line.strip(ENDS).decode("ascii", errors="replace")
    if not FEWEST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
        reason = DecodeReason.SHORT if len(text) < FEWEST_CHARACTERS else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(text)} characters")
    if not _CARD.fullmatch(text):
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "a character that no number has")
    return _identity(text.upper()) if _IDENTITY.fullmatch(text) else ScannedCard(text)


def _identity(number: str) -> ResidentIdentity:
    """Eighteen digits that fail are a misread number, and never another kind of card: that would be another person."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    if _CHECK_CHARACTERS[total % 11] != number[17]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, "an identity number that was misread")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise DecodeError(DecodeReason.RESERVED_VALUE, "an identity number without a day of birth") from None
    if born.year < _FIRST_YEAR or number.startswith("0"):
        raise DecodeError(DecodeReason.RESERVED_VALUE, "an identity number of no place or no living person")
    return ResidentIdentity(number, born)
