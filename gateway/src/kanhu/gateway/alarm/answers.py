"""What a modem says, line by line: pure. Commands and answers by 3GPP TS 27.007 and TS 27.005."""

import re
from dataclasses import dataclass

PROMPT = ">"
"""Stands for the prompt behind which the modem waits for the text of a message."""

_MOST_LINE_BYTES = 2048  # a unit of 176 octets is 352 digits; what is longer is noise
_ERROR = re.compile(r"\+(?P<kind>CM[ES]) ERROR: *(?P<code>.{1,64})")
_CMT = re.compile(r'\+CMT: *"([^"]{1,200})"')
_HEX = re.compile(r"[0-9A-Fa-f]+")
_UNASKED = ("+CMTI:", "+CMT:", "+CBM:", "+CUSD:", "RING", "NO CARRIER", "^", "*", "+CLIP:", "+QIND:", "+CTZV:")
_REGISTERED = {1: True, 5: True}  # at home, roaming


@dataclass(frozen=True, slots=True)
class Final:
    """The end of an answer."""

    ok: bool
    kind: str = ""
    """`cms` or `cme`, where the modem says more than ERROR."""
    code: int | None = None

    def named(self) -> str:
        """As a named detail."""
        return self.kind if self.code is None else f"{self.kind}_{self.code}"


class Lines:
    """Cuts what comes into lines; keeps no more than one line that has not ended."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Whole lines without their ends, empty ones left out, and the prompt as a line of its own."""
        *whole, rest = (self._rest + data).replace(b"\r", b"\n").replace(b"\0", b"").split(b"\n")
        if rest.strip() == b">":
            whole.append(b">")
            rest = b""
        self._rest = rest[-_MOST_LINE_BYTES:]
        lines = (line[:_MOST_LINE_BYTES].decode("ascii", errors="replace").strip() for line in whole)
        return [line for line in lines if line]


def final_of(line: str) -> Final | None:
    """The end of an answer, or None where it goes on."""
    if line == "OK":
        return Final(ok=True)
    if line == "ERROR":
        return Final(ok=False, kind="error")
    found = _ERROR.fullmatch(line)
    if found is None:
        return None
    code = found["code"].strip()
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 6 else None
    return Final(ok=False, kind=found["kind"].lower(), code=number)


def is_unasked(line: str) -> bool:
    """Whether a modem says this without having been asked, and nobody here needs it."""
    return line.startswith(_UNASKED)


def registration(lines: list[str]) -> int | None:
    """The state in an answer to +CREG?: 0 not, 1 at home, 2 searching, 3 denied, 4 unknown, 5 roaming."""
    for line in lines:
        fields = _fields(line, "+CREG:")
        if fields is not None and len(fields) >= 2 and _is_small(fields[1]):
            return int(fields[1])
    return None


def is_registered(state: int | None) -> bool:
    """Whether messages can leave."""
    return state is not None and _REGISTERED.get(state, False)


def after_prefix(lines: list[str], prefix: str) -> str | None:
    """What follows the prefix in the first line that has it."""
    return next((line[len(prefix) :].strip() for line in lines if line.startswith(prefix)), None)


def reference_of(lines: list[str]) -> int | None:
    """The reference that the network gave to a message."""
    said = after_prefix(lines, "+CMGS:")
    digits = "" if said is None else said.split(",")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) < 256 else None


def stored_report(line: str) -> tuple[str, int] | None:
    """Memory and place of a delivery report that waits on the card."""
    fields = _fields(line, "+CDSI:")
    if fields is None or len(fields) != 2 or not re.fullmatch(r'"[A-Z]{2}"', fields[0]) or not _is_small(fields[1]):
        return None
    return fields[0].strip('"'), int(fields[1])


def text_report(line: str) -> tuple[int, int] | None:
    """Reference and status of a delivery report in text mode: `+CDS: <fo>,<mr>,,,"<time>","<time>",<st>`."""
    said = line.removeprefix("+CDS:").removeprefix("+CMGR:").strip()
    numbers = re.sub(r'"[^"]{0,40}"', '""', said).split(",")
    if len(numbers) < 5 or not _is_small(numbers[-1]):
        return None
    reference = next((field.strip() for field in numbers[1:3] if _is_small(field.strip())), None)
    return None if reference is None else (int(reference) & 0xFF, int(numbers[-1]) & 0xFF)


def text_sender(line: str) -> str | None:
    """Who wrote, of the first line of a message in text mode: `+CMT: "<number>",...`, the number as hex or as it is."""
    found = _CMT.match(line)
    if found is None:
        return None
    number = from_ucs2(found[1])
    return number if number.removeprefix("+").isdigit() else found[1]


def from_ucs2(said: str) -> str:
    """A text that the modem gave as UCS-2 in hex, as it was told to; as it is where it is no such thing."""
    if len(said) % 4 or not said or not _HEX.fullmatch(said):
        return said
    return bytes.fromhex(said).decode("utf-16-be", errors="replace")


def may_be_text(line: str) -> bool:
    """Whether this line can be the text of a message, and not what the modem says for itself about an empty one."""
    return final_of(line) is None and not line.startswith(("+C", "^")) and line != PROMPT


def _fields(line: str, prefix: str) -> list[str] | None:
    if not line.startswith(prefix):
        return None
    return [field.strip() for field in line[len(prefix) :].split(",")]


def _is_small(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
