"""Whom a gateway may write to when it is cut off: telephone numbers, in a file of their own and nowhere else.

Names and numbers belong to the county. A gateway that shall send messages alone needs some numbers all the same; so
they are kept apart: a file that only its owner may read, outside the folder of the outbox, with a role instead of a
name. Nothing of it goes into a log, an error, the outbox, a report or the doctor's answer.
"""

import re
import stat
import tomllib
from enum import StrEnum
from pathlib import Path

import msgspec

from kanhu.gateway.errors import ConfigRefused

_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_PIN = re.compile(r"[0-9]{4,8}")
_MOST_CONTACTS = 64
_MOST_BYTES = 65_536
_HOME_CHARACTERS = 20  # a message with it still fits into one part


class Role(StrEnum):
    """Who somebody is to the resident."""

    VILLAGE_DOCTOR = "village_doctor"
    FAMILY = "family"


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One telephone."""

    role: Role
    number: str
    resident: str | None = None
    """Pseudonym of whom it concerns; None: everybody at this gateway."""
    home: str | None = None
    """What this reader calls the home; None: the gateway's id."""

    def __repr__(self) -> str:
        """Show the role alone."""
        return f"Contact({self.role.value})"


class Contacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    contact: tuple[Contact, ...] = ()
    pin: str | None = None
    """Of the SIM card."""

    def __repr__(self) -> str:
        """Show the count alone."""
        return f"Contacts({len(self.contact)})"


def load_contacts(file: Path) -> Contacts:
    """Read and check the file.

    Raises:
        ConfigRefused: names file, key, problem and remedy, and never what stands in the file.
    """
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        remedy = "Make it readable for the user that runs the gateway, and for nobody else"
        raise ConfigRefused(file, key="file", problem=error.strerror or "not readable", remedy=remedy) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = f"Run: chmod 0600 {file}"
        raise ConfigRefused(file, key="file", problem=f"others may use it (mode {mode:04o})", remedy=remedy)
    try:
        contacts = msgspec.convert(tomllib.loads(data[:_MOST_BYTES].decode()), Contacts)
    except msgspec.ValidationError as error:
        remedy = "See docs/devices/modem-sms.md"
        raise ConfigRefused(file, key="contact", problem=str(error), remedy=remedy) from None
    except (ValueError, RecursionError):  # its text would quote the line
        raise ConfigRefused(file, key="file", problem="not TOML", remedy="See docs/devices/modem-sms.md") from None
    _check(contacts, file)
    return contacts


def _check(contacts: Contacts, file: Path) -> None:
    if not 0 < len(contacts.contact) <= _MOST_CONTACTS:
        remedy = f"Give 1 to {_MOST_CONTACTS} [[contact]] tables"
        raise ConfigRefused(file, key="contact", problem=f"{len(contacts.contact)} contacts", remedy=remedy)
    if contacts.pin is not None and not _PIN.fullmatch(contacts.pin):
        raise ConfigRefused(file, key="pin", problem="not 4 to 8 digits", remedy="Correct it, or take it off the card")
    seen: set[tuple[Role, str | None]] = set()
    for place, contact in enumerate(contacts.contact):
        key = f"contact[{place}]"
        if not _NUMBER.fullmatch(contact.number):
            remedy = "Give 3 to 15 digits, with + and the country's code, without spaces"
            raise ConfigRefused(file, key=f"{key}.number", problem="not a telephone number", remedy=remedy)
        if contact.home is not None and not (0 < len(contact.home) <= _HOME_CHARACTERS and contact.home.isprintable()):
            remedy = f"Give 1 to {_HOME_CHARACTERS} characters"
            raise ConfigRefused(file, key=f"{key}.home", problem="too long, empty or not printable", remedy=remedy)
        if (contact.role, contact.resident) in seen:
            remedy = "One village doctor and one family contact for each resident"
            raise ConfigRefused(file, key=key, problem=f"twice: {contact.role.value}", remedy=remedy)
        seen.add((contact.role, contact.resident))
