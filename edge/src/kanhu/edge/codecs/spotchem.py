"""Decode the print text of the Arkray Spotchem EL SE-1520, an analyser of electrolytes; it speaks no ASTM.

STX, date and time, `ID#` and the sample, `[kind of sample]`, then name, value and unit of each electrolyte, ETX
(senaite/senaite.astm@b701c18). There is no checksum.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kanhu.edge.errors import DecodeError, DecodeReason

_MAX_BYTES = 1024
_STX, _ETX = b"\x02", b"\x03"
_HEADER = re.compile(
    r"\s*(?P<date>\d{2}/\d{2}/\d{2})\s+(?P<time>\d{2}:\d{2})\s+ID#\s*(?P<sample>[^\s\[]*)\s*\[(?P<kind>[^\[\]]*)\]"
)
_NAME = re.compile(r"[A-Z][A-Za-z]{0,7}")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_UNITS = frozenset({"mmol/L", "mEq/L"})
_CONTROL = re.compile(r"(?:QC|CTRL|CONTROL)(?![A-Z])", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Electrolyte:
    """One line of the print."""

    name: str
    value: Decimal | None  # in `unit`; None where the analyser printed no number, or a mark in its place
    unit: str
    marks: tuple[str, ...] = ()  # whatever else was printed between the name and the unit


@dataclass(frozen=True, slots=True)
class Spotchem:
    """One print."""

    printed_ms: int | None  # the analyser's own clock as if it were UTC, whole minutes; None for no moment
    sample_id: str | None
    sample_kind: str | None
    results: tuple[Electrolyte, ...]

    @property
    def is_control(self) -> bool:
        """A test of the analyser by its own name of the sample, nobody's blood."""
        return any(_CONTROL.match(text) is not None for text in (self.sample_id or "", self.sample_kind or ""))


def decode_spotchem(frame: bytes) -> Spotchem:
    """Decode one print.

    Raises:
        DecodeError: it is not framed, does not begin as a print does, has an unknown unit, or no electrolyte.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame.startswith(_STX):
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no STX")
    end = frame.find(_ETX)
    if end < 0:
        raise DecodeError(DecodeReason.SHORT, "no ETX")
    body = frame[1:end]
    if not body.isascii():
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "a byte that is no letter of a print")
    text = body.decode("ascii")
    header = _HEADER.match(text)
    if header is None:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no date, ID# and kind of sample")
    return Spotchem(
        printed_ms=_local_ms(f"{header['date']} {header['time']}"),
        sample_id=header["sample"] or None,
        sample_kind=header["kind"].strip() or None,
        results=_electrolytes(text[header.end() :].split()),
    )


def _electrolytes(words: list[str]) -> tuple[Electrolyte, ...]:
    found: list[Electrolyte] = []
    start = 0
    for at, word in enumerate(words):
        if "/" not in word:
            continue
        if word not in _UNITS:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"unit {word!r}")
        found.append(_electrolyte(words[start:at], word))
        start = at + 1
    if not found:
        raise DecodeError(DecodeReason.NO_VALUE, "no electrolyte")
    return tuple(found)


def _electrolyte(words: list[str], unit: str) -> Electrolyte:
    if not words or _NAME.fullmatch(words[0]) is None:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "a unit without the name of an electrolyte")
    numbers = [word for word in words[1:] if _NUMBER.fullmatch(word)]
    if len(numbers) > 1:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{len(numbers)} numbers for one electrolyte")
    marks = tuple(word for word in words[1:] if word not in numbers)
    return Electrolyte(words[0], Decimal(numbers[0]) if numbers else None, unit, marks)


def _local_ms(text: str) -> int | None:
    try:
        return (datetime.strptime(f"20{text}", "%Y/%m/%d %H:%M").replace(tzinfo=UTC) - _EPOCH) // timedelta(
            milliseconds=1
        )
    except ValueError:
        return None
