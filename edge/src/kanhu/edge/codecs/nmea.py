"""Decode NMEA 0183 sentences, as position receivers write them: `$`, talker, type, fields, `*` and a checksum.

Positions are of WGS 84; maps sold in China use another datum (GCJ-02), by which a point moves by hundreds of metres.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from kanhu.edge.errors import DecodeError, DecodeReason

_MOST_BYTES = 512  # the standard says 82; receivers write more
_HEADS = (0x24, 0x21)  # $ and !
_TALKER_CHARACTERS = 2
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})", re.ASCII)
_FRACTION = re.compile(r"(\.\d{0,9})?", re.ASCII)
_NINETEEN_HUNDRED_FROM = 80
"""Two digits of a year from here on are of the last century; the system is of 1980."""
_LONGEST_DEGREES = 180


@dataclass(frozen=True, slots=True)
class NmeaSentence:
    """One sentence with its fields as sent."""

    talker: str  # GP, GN, BD, GB and others
    type: str  # three letters
    fields: tuple[str, ...]
    checked: bool  # False: it came without a checksum, and nothing of it is a position

    def number(self, place: int) -> Decimal | None:
        """A field as a number, None where it is empty, missing or none."""
        text = self._text(place)
        return Decimal(text) if _NUMBER.fullmatch(text) else None

    def degrees(self, place: int) -> Decimal | None:
        """Degrees and minutes with the half of the world behind them, as degrees; south and west are negative."""
        value, half = self.number(place), self._text(place + 1)
        if value is None or value < 0 or half not in {"N", "S", "E", "W"}:
            return None
        whole = int(value / 100)
        found = whole + (value - whole * 100) / 60
        if found > (_LONGEST_DEGREES if half in "EW" else _LONGEST_DEGREES / 2):
            return None
        return -found if half in "SW" else found

    def time(self, place: int) -> time | None:
        """`hhmmss` with a fraction, of UTC."""
        text = self._text(place)
        if not text[:6].isdecimal() or len(text) < 6 or not _FRACTION.fullmatch(text[6:]):
            return None
        micros = int(text[7:13].ljust(6, "0"))
        try:
            return time(int(text[:2]), int(text[2:4]), int(text[4:6]), micros, tzinfo=UTC)
        except ValueError:
            return None

    def date(self, place: int) -> date | None:
        """`ddmmyy`."""
        text = self._text(place)
        if len(text) != 6 or not text.isdecimal():
            return None
        year = int(text[4:]) + (1900 if int(text[4:]) >= _NINETEEN_HUNDRED_FROM else 2000)
        try:
            return date(year, int(text[2:4]), int(text[:2]))
        except ValueError:
            return None

    def _text(self, place: int) -> str:
        return self.fields[place] if place < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class NmeaPosition:
    """Where a receiver says that it is."""

    latitude: Decimal
    longitude: Decimal
    at: datetime | None  # only RMC tells the day


def decode_nmea(frame: bytes) -> NmeaSentence:
    """Decode one sentence, with or without its `$` and line end.

    Raises:
        DecodeError: it is no text, has no type, or its checksum is wrong.
    """
    if len(frame) > _MOST_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    line = frame.strip(b"\r\n")
    body = line[1:] if line[:1] and line[0] in _HEADS else line
    body, star, sent = body.partition(b"*")
    if star:
        _check(body, sent)
    try:
        head, *fields = body.decode("ascii").split(",")
    except UnicodeDecodeError:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "bytes that are no text") from None
    if not head[:_TALKER_CHARACTERS].isalnum() or len(head) <= _TALKER_CHARACTERS or not head.isalnum():
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no type of sentence")
    return NmeaSentence(head[:_TALKER_CHARACTERS], head[_TALKER_CHARACTERS:], tuple(fields), checked=bool(star))


def position_of(sentence: NmeaSentence) -> NmeaPosition | None:
    """The position, where the sentence has one, its checksum held, and the receiver stands by it."""
    if not sentence.checked or not is_valid(sentence):
        return None
    places = {"GGA": 1, "GLL": 0, "RMC": 2}
    if sentence.type not in places:
        return None
    at = places[sentence.type]
    latitude, longitude = sentence.degrees(at), sentence.degrees(at + 2)
    if latitude is None or longitude is None:
        return None
    day, clock = (sentence.date(8), sentence.time(0)) if sentence.type == "RMC" else (None, None)
    return NmeaPosition(latitude, longitude, None if day is None or clock is None else datetime.combine(day, clock))


def is_valid(sentence: NmeaSentence) -> bool | None:
    """Whether the receiver stands by it; None where such a sentence says nothing of that."""
    match sentence.type:
        case "RMC":
            return sentence.fields[1:2] == ("A",)
        case "GLL":
            return sentence.fields[5:6] == ("A",)
        case "GGA":
            return (sentence.number(5) or 0) > 0
        case "GSA":
            return sentence.number(1) in {Decimal(2), Decimal(3)}
    return None


def _check(body: bytes, sent: bytes) -> None:
    found = 0
    for byte in body:
        found ^= byte
    try:
        told = int(sent[:2], 16)
    except ValueError:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no checksum behind *") from None
    if told != found:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"0x{told:02X}, computed 0x{found:02X}")
