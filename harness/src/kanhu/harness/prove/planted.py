"""Searches every byte of a folder for planted texts, in each form in which a program may write them down."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Find", "forms_of", "search"]

_PDU_DIGITS = 8
"""Of a telephone number in a message unit the digits stand in swapped pairs; so many of its end are looked for."""


@dataclass(frozen=True, slots=True)
class Find:
    """One planted text in one file."""

    file: str
    text: str
    form: str
    offset: int


def forms_of(text: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each form."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        raw = text.encode(encoding)
        yield encoding, raw
        yield f"{encoding} in hex", raw.hex().encode("ascii")
        yield f"{encoding} in hex", raw.hex().upper().encode("ascii")
        for shift in range(3):  # base64 of a longer text, wherever in it this stands
            coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
            yield f"{encoding} in base64", coded[-(-shift * 8 // 6) : -1]
    yield "escaped in JSON", json.dumps(text)[1:-1].encode("ascii")
    digits = text.removeprefix("+")
    if digits.isdigit():
        end = digits[-_PDU_DIGITS:]
        yield "digits", end.encode("ascii")
        for even in (end, digits[-_PDU_DIGITS - 1 : -1]):
            swapped = "".join(b + a for a, b in zip(even[::2], even[1::2], strict=True))
            yield "digits in swapped pairs", bytes.fromhex(swapped)
            yield "digits in swapped pairs, hex", swapped.encode("ascii")


def search(folder: Path, texts: Iterable[str]) -> list[Find]:
    """The first place of each text and form in each file; in the names of files and folders too."""
    forms = {raw: (text, form) for text in texts for form, raw in forms_of(text)}
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        content = name.encode("utf-8", "surrogateescape") + b"\0" + (path.read_bytes() if path.is_file() else b"")
        for raw, (text, form) in forms.items():
            if (offset := content.find(raw)) >= 0:
                found.append(Find(name, text, form, max(0, offset - len(name.encode()) - 1)))
    return found
