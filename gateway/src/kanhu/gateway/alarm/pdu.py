"""Protocol units of short messages, as modems take and give them in PDU mode: pure, bytes in, records out.

Layout by 3GPP TS 23.040 (SMS-SUBMIT 9.2.2.2, SMS-DELIVER 9.2.2.1, SMS-STATUS-REPORT 9.2.2.3, concatenation 9.2.3.24.1),
alphabet and packing by 3GPP TS 23.038 (6.1.2.1, 6.2.1). In front of a unit a modem puts the address of the service
centre, whose octets do not count in the length it wants to be told (3GPP TS 27.005, 3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kanhu.gateway.alarm.errors import PduRefused

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_CODES = {letter: (code,) for code, letter in enumerate(_BASIC) if code != _ESCAPE} | {
    letter: (_ESCAPE, code) for code, letter in _EXTENSION.items()
}

_SUBMIT = 0x01
_RELATIVE_VALIDITY = 0x10
_STATUS_REPORT = 0x20
_HAS_HEADER = 0x40
_KIND = 0x03
_UCS2 = 0x08
_INTERNATIONAL = 0x91
_UNKNOWN_TYPE = 0x81
_CONCATENATED = bytes((0x05, 0x00, 0x03))  # length of the header, element 0, its length
_SINGLE_SEPTETS, _PART_SEPTETS = 160, 153
_SINGLE_UNITS, _PART_UNITS = 70, 67
_NUMBERED_UNITS = 62  # leaves room for "12/34 "
_MOST_PARTS = 99
_MOST_BYTES = 255

A_DAY = 0xA7
"""TP-VP: (0xA7 - 143) * 30 min + 12 h = 24 h. A call for help of the day before helps nobody."""


class Delivery(StrEnum):
    """What a status report says (TS 23.040, 9.2.3.15)."""

    DELIVERED = "delivered"
    STILL_TRYING = "still_trying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SubmitUnit:
    """One part of a message, ready for a modem."""

    unit: bytes
    """With the empty service centre address in front: the modem uses that of the card."""

    @property
    def length(self) -> int:
        """What is told to the modem: octets without the service centre address."""
        return len(self.unit) - 1 - self.unit[0]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What became of a part that was sent."""

    reference: int
    status: int

    @property
    def delivery(self) -> Delivery:
        """In three words."""
        if self.status < 0x20:
            return Delivery.DELIVERED
        return Delivery.STILL_TRYING if self.status < 0x40 else Delivery.FAILED


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message that came in."""

    sender: str
    text: str


def parts_of(text: str) -> list[str]:
    """The text cut where a concatenated message has to be cut; one where it fits into one.

    Raises:
        PduRefused: longer than a message can be.
    """
    if _is_basic(text):
        return _cut(text, single=_SINGLE_SEPTETS, part=_PART_SEPTETS, size=lambda letter: len(_CODES[letter]))
    return _cut(text, single=_SINGLE_UNITS, part=_PART_UNITS, size=lambda letter: len(_utf16(letter)) // 2)


def numbered_parts(text: str) -> list[str]:
    """The text as messages that stand alone, each UCS-2 and saying which it is: for modems that take only text.

    Raises:
        PduRefused: longer than a message can be.
    """
    parts = _cut(text, single=_SINGLE_UNITS, part=_NUMBERED_UNITS, size=lambda letter: len(_utf16(letter)) // 2)
    if len(parts) == 1:
        return parts
    return [f"{place}/{len(parts)} {part}" for place, part in enumerate(parts, start=1)]


def encode_submit(
    number: str, text: str, *, reference: int = 0, report: bool = True, validity: int = A_DAY
) -> list[SubmitUnit]:
    """A message as units, 7-bit where every letter is in the basic alphabet, else UCS-2.

    `reference` (0 to 255) tells parts of one message from those of another; `report` asks for a status report.

    Raises:
        PduRefused: not a telephone number, or a text that is too long.
    """
    parts = parts_of(text)
    basic = _is_basic(text)
    first = _SUBMIT | _RELATIVE_VALIDITY | (_STATUS_REPORT if report else 0) | (_HAS_HEADER if len(parts) > 1 else 0)
    scheme = 0 if basic else _UCS2

    def unit(part: str, place: int) -> SubmitUnit:
        header = b"" if len(parts) == 1 else _CONCATENATED + bytes((reference & 0xFF, len(parts), place))
        length, data = _user_data(part, header, basic=basic)
        return SubmitUnit(bytes((0, first, 0)) + _address(number) + bytes((0, scheme, validity, length)) + data)

    return [unit(part, place) for place, part in enumerate(parts, start=1)]


def decode_incoming(unit: bytes) -> StatusReport | Deliver:
    """A unit as a modem gives it, service centre address first.

    Raises:
        PduRefused: the bytes are none of the two, or end too early.
    """
    if len(unit) > _MOST_BYTES:
        raise PduRefused(f"{len(unit)} octets")
    rest = _Octets(unit)
    rest.take(rest.one("service centre length"), "service centre")
    first = rest.one("first octet")
    if first & _KIND == 0x02:
        reference = rest.one("reference")
        _read_address(rest)
        rest.take(14, "times")
        return StatusReport(reference, rest.one("status"))
    if first & _KIND == 0x00:
        return _read_deliver(rest, has_header=bool(first & _HAS_HEADER))
    raise PduRefused(f"message type {first & _KIND}")


def pack_septets(septets: bytes, *, fill: int = 0) -> bytes:
    """Seven-bit codes packed into octets, lowest bits first, after `fill` empty bits."""
    number = 0
    for place, septet in enumerate(septets):
        number |= (septet & 0x7F) << (fill + 7 * place)
    return number.to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack_septets(octets: bytes, count: int, *, fill: int = 0) -> bytes:
    """So many seven-bit codes out of octets."""
    number = int.from_bytes(octets, "little") >> fill
    return bytes(number >> (7 * place) & 0x7F for place in range(count))


def septets_of(text: str) -> bytes:
    """Codes of the basic alphabet, with escapes.

    Raises:
        PduRefused: a letter that the alphabet does not have.
    """
    try:
        return bytes(code for letter in text for code in _CODES[letter])
    except KeyError as error:
        raise PduRefused(f"not in the basic alphabet: {error}") from error


def text_of(septets: bytes) -> str:
    """Letters of these codes; an escape nobody knows is a space, as the specification says."""
    codes = iter(septets)
    return "".join(_EXTENSION.get(next(codes, 0), " ") if code == _ESCAPE else _BASIC[code] for code in codes)


# --------------------------------------------------------------------------------------------- pieces


class _Octets:
    """Octets that are read from the front; every read checks that they are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def one(self, what: str) -> int:
        return self.take(1, what)[0]

    def take(self, count: int, what: str) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise PduRefused(f"ends within {what}")
        taken, self._at = self._data[self._at : end], end
        return taken


def _read_deliver(rest: _Octets, *, has_header: bool) -> Deliver:
    sender = _read_address(rest)
    rest.one("protocol")
    scheme = rest.one("coding")
    rest.take(7, "time")
    length = rest.one("length")
    ucs2 = scheme & 0x0C == _UCS2
    data = rest.take(length if ucs2 else (length * 7 + 7) // 8, "text")
    header = 1 + data[0] if has_header and data else 0
    if header > len(data):
        raise PduRefused("header is longer than the text")
    if ucs2:
        return Deliver(sender, data[header:].decode("utf-16-be", errors="replace"))
    if scheme & 0x0C:
        raise PduRefused(f"coding {scheme:#04x}")
    skipped = (header * 8 + 6) // 7
    septets = unpack_septets(data, length)[skipped:]
    return Deliver(sender, text_of(septets))


def _read_address(rest: _Octets) -> str:
    digits = rest.one("address length")
    kind = rest.one("address type")
    octets = rest.take((digits + 1) // 2, "address")
    if kind & 0x70 == 0x50:  # letters, as of a service
        return text_of(unpack_septets(octets, digits * 4 // 7))
    shown = "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in octets)[:digits]
    return ("+" if kind & 0x70 == 0x10 else "") + shown


def _address(number: str) -> bytes:
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise PduRefused("not a telephone number")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN_TYPE
    padded = digits + "F" * (len(digits) % 2)
    pairs = bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))
    return bytes((len(digits), kind)) + pairs


def _user_data(part: str, header: bytes, *, basic: bool) -> tuple[int, bytes]:
    if not basic:
        data = header + _utf16(part)
        return len(data), data
    septets = septets_of(part)
    header_septets = (len(header) * 8 + 6) // 7
    fill = header_septets * 7 - len(header) * 8
    return header_septets + len(septets), header + pack_septets(septets, fill=fill)


def _is_basic(text: str) -> bool:
    return all(letter in _CODES for letter in text)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", errors="replace")


def _cut(text: str, *, single: int, part: int, size: Callable[[str], int]) -> list[str]:
    """Never within a letter: an escape or a surrogate pair belongs together."""
    if sum(map(size, text)) <= single:
        return [text]
    parts: list[str] = []
    room = 0
    for letter in text:
        needed = size(letter)
        if needed > room:
            parts.append("")
            room = part
        parts[-1] += letter
        room -= needed
    if len(parts) > _MOST_PARTS:
        raise PduRefused(f"{len(parts)} parts")
    return parts
