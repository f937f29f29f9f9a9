"""Reads SMS-SUBMIT units as a network would, and makes SMS-STATUS-REPORT units: 3GPP TS 23.040 and 23.038."""

from dataclasses import dataclass
from datetime import datetime

from kanhu.firmware_sim.errors import UnitRefused

_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}


@dataclass(frozen=True, slots=True)
class Submitted:
    """One part of a message as the network has it."""

    number: str
    text: str
    coding: str
    """`gsm7` or `ucs2`."""
    wants_report: bool
    validity: int | None
    group: int = 0
    part: int = 1
    parts: int = 1


def read_submit(unit: bytes, *, told_length: int) -> Submitted:
    """Read a unit with the service centre address in front.

    Raises:
        UnitRefused: it is not exactly what the specification says, or not as long as was told.
    """
    if not unit or len(unit) - 1 - unit[0] != told_length:
        raise UnitRefused("not as long as was told")
    bits = unit[1 + unit[0] :]
    first = bits[0]
    if first & 0b11 != 0b01:
        raise UnitRefused("not a SUBMIT")
    digits, kind = bits[2], bits[3]
    end = 4 + (digits + 1) // 2
    number = ("+" if kind == 0x91 else "") + _digits(bits[4:end], digits)
    _protocol, scheme = bits[end], bits[end + 1]
    at = end + 2
    validity = None
    if first & 0b11000 == 0b10000:
        validity = bits[at]
        at += 1
    length, data = bits[at], bits[at + 1 :]
    header = data[: 1 + data[0]] if first & 0x40 else b""
    if scheme == 0x08:
        if len(data) != length or length > 140:
            raise UnitRefused("text is not as long as its length says")
        text, coding = data[len(header) :].decode("utf-16-be"), "ucs2"
    elif scheme == 0x00:
        if len(data) != -(-length * 7 // 8) or length > 160:
            raise UnitRefused("text is not as long as its length says")
        text, coding = _letters(data, length, skipped=-(-len(header) * 8 // 7)), "gsm7"
    else:
        raise UnitRefused(f"coding {scheme}")
    group, parts, part = _place(header)
    return Submitted(number, text, coding, bool(first & 0x20), validity, group, part, parts)


def make_status_report(number: str, *, reference: int, status: int, at: datetime) -> bytes:
    """A STATUS-REPORT for a message to `number`, sent and done at `at`, with an empty service centre address."""
    digits = number.removeprefix("+")
    octets = bytearray((0x00, 0x06, reference, len(digits), 0x91 if number.startswith("+") else 0x81))
    octets += _swapped(digits)
    octets += _stamp(at) * 2
    octets.append(status)
    return bytes(octets)


def make_deliver(sender: str, text: str, *, at: datetime) -> bytes:
    """A DELIVER of a short text in UCS-2, with an empty service centre address."""
    digits = sender.removeprefix("+")
    octets = bytearray((0x00, 0x04, len(digits), 0x91 if sender.startswith("+") else 0x81))
    octets += _swapped(digits)
    octets += bytes((0x00, 0x08)) + _stamp(at)
    written = text.encode("utf-16-be")
    return bytes(octets) + bytes((len(written),)) + written


def _digits(octets: bytes, count: int) -> str:
    swapped = "".join(f"{octet:02X}"[::-1] for octet in octets)
    digits, filler = swapped[:count], swapped[count:]
    if not digits.isdigit() or filler not in {"", "F"}:
        raise UnitRefused("not a telephone number")
    return digits


def _swapped(digits: str) -> bytes:
    even = digits if len(digits) % 2 == 0 else f"{digits}F"
    return bytes.fromhex("".join(even[at + 1] + even[at] for at in range(0, len(even), 2)))


def _stamp(at: datetime) -> bytes:
    return _swapped(at.strftime("%y%m%d%H%M%S") + "00")


def _letters(data: bytes, length: int, *, skipped: int) -> str:
    bits = "".join(f"{octet:08b}"[::-1] for octet in data)
    codes = [int(bits[at : at + 7][::-1], 2) for at in range(0, length * 7, 7)][skipped:]
    text, escaped = "", False
    for code in codes:
        if escaped:
            text, escaped = text + _ESCAPED[code], False
        elif code == 0x1B:
            escaped = True
        else:
            text += _ALPHABET[code]
    return text


def _place(header: bytes) -> tuple[int, int, int]:
    """Group, parts and part of a concatenated message; 0, 1, 1 where it is whole."""
    if not header:
        return 0, 1, 1
    if header[:3] != b"\x05\x00\x03" or not 1 <= header[5] <= header[4]:
        raise UnitRefused("header of a kind that nobody sends here")
    return header[3], header[4], header[5]
