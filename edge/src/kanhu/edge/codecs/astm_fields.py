r"""The fields of an ASTM E1394 (CLSI LIS2-A2) record: delimiters, escapes, numbers and times.

Each message names its own delimiters in its header; the usual ones are `|`, `\`, `^` and `&`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from kanhu.edge.errors import DecodeError, DecodeReason

_FIELD_AT, _OTHERS = 1, 3
_NUMBER = re.compile(r"\s*(<=|>=|<|>)?\s*([+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15}))\s*", re.ASCII)
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?", re.ASCII)
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}){1,64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Number(NamedTuple):
    """A measured value, with the comparison that stands before it where it is a bound."""

    comparison: str | None  # "<", "<=", ">" or ">="
    value: Decimal


@dataclass(frozen=True, slots=True)
class Delimiters:
    """As the header names them."""

    field: str
    repeat: str
    component: str
    escape: str

    def fields(self, record: str) -> tuple[str, ...]:
        """A record's fields as sent; the first is its letter."""
        return tuple(record.split(self.field))

    def repeats(self, field: str) -> tuple[str, ...]:
        """What a field repeats, as sent; none in an empty one."""
        return tuple(field.split(self.repeat)) if field else ()

    def components(self, field: str) -> tuple[str, ...]:
        """A field's components, with escapes resolved."""
        return tuple(self.plain(one) for one in field.split(self.component))

    def plain(self, text: str) -> str:
        """The text with its escapes resolved; highlighting and escapes of the maker are left out."""
        if self.escape not in text:
            return text
        pieces = text.split(self.escape)
        found = [pieces[0]]
        at = 1
        while at < len(pieces):
            if at + 1 == len(pieces):  # one alone begins nothing
                found.append(self.escape + pieces[at])
                break
            found.append(self._meaning(pieces[at]) + pieces[at + 1])
            at += 2
        return "".join(found)

    def _meaning(self, code: str) -> str:
        known = {"F": self.field, "R": self.repeat, "S": self.component, "E": self.escape}
        if code in known:
            return known[code]
        if code[:1] == "X" and _HEXADECIMAL.fullmatch(code, 1):
            return bytes.fromhex(code[1:]).decode("latin-1")
        return "" if code in {"H", "N"} or code[:1] == "Z" else self.escape + code + self.escape


def decode_delimiters(header: str) -> Delimiters:
    """The field's delimiter stands behind the H, the other three up to the next one of the field.

    Raises:
        DecodeError: one is missing, or they cannot be told apart.
    """
    field = header[_FIELD_AT : _FIELD_AT + 1]
    if not field:
        raise DecodeError(DecodeReason.SHORT, "a header without delimiters")
    others = header[_FIELD_AT + 1 :].split(field, 1)[0][:_OTHERS]
    found = field + others
    if len(others) < _OTHERS:
        raise DecodeError(DecodeReason.SHORT, "a header without its four delimiters")
    if len(set(found)) <= _OTHERS or any(one.isalnum() or one.isspace() for one in found):
        raise DecodeError(DecodeReason.RESERVED_VALUE, "delimiters that cannot be told apart")
    return Delimiters(*found)


def number_in(text: str) -> Number | None:
    """The number that a text is; None for words, dashes and titres. A decimal comma is never guessed."""
    found = _NUMBER.fullmatch(text)
    return None if found is None else Number(found[1], Decimal(found[2]))


def local_ms(text: str | None) -> int | None:
    """A device's local time as if it were UTC, of YYYYMMDD with or without HHMM and SS; None where it is no moment."""
    found = _TIME.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(one or 0) for one in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def is_day_alone(text: str) -> bool:
    """Whether a local time is YYYYMMDD, without hours and minutes."""
    return len(text.strip()) == len("YYYYMMDD")
