"""What the screens show of readings of nobody known, and what staff can do with them. Times are aware UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kanhu.cloud.desk.model import Both, Person, Viewer
from kanhu.cloud.ledger.nameless import SessionKey
from kanhu.contract import QualityLevel

__all__ = [
    "Candidate",
    "Decision",
    "NamelessBoard",
    "NamelessDesk",
    "NamelessPage",
    "NamelessRow",
    "NamelessValue",
    "Said",
]


class Said(StrEnum):
    """What became of an act on a session."""

    DONE = "done"
    NOT_FOUND = "not_found"
    """No such session or no such person in the area of who acts."""
    NOT_OPEN = "not_open"
    """Somebody answered before; or, to take back, nobody did."""
    TOO_MANY = "too_many"
    """It is longer than one visit of one person can be."""


@dataclass(frozen=True, slots=True)
class NamelessValue:
    """The newest value of one kind in a session."""

    metric: str
    text: str
    """With its unit."""
    quality: QualityLevel


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody said of a session."""

    by: str
    """Name of the member of staff."""
    at: datetime
    person: Person | None
    """None: of none of ours, or elsewhere."""
    elsewhere: bool = False
    """It is a person's of another place than the viewer's, whose name is not shown."""


@dataclass(frozen=True, slots=True)
class NamelessRow:
    """One session at a shared device of which nobody knew whose arm it was."""

    key: SessionKey
    village: Both
    """Where the gateway stands."""
    device: str
    at: datetime
    """Of its newest reading."""
    readings: int
    values: tuple[NamelessValue, ...]
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class NamelessBoard:
    """Sessions of a viewer's area."""

    rows: tuple[NamelessRow, ...]
    """Not decided, newest first."""
    waiting: int
    """How many there are in all."""
    decided: tuple[NamelessRow, ...]
    """The last that were, the latest first."""
    page: int = 0
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose session it may be."""

    person: Person
    address: str


@dataclass(frozen=True, slots=True)
class NamelessPage:
    """One session, and who may be chosen."""

    row: NamelessRow
    candidates: tuple[Candidate, ...]
    """Found by the words asked for; without words, those who are registered at this gateway."""
    more: bool
    """There are others, which better words would find."""


class NamelessDesk(Protocol):
    """Every call is bounded by the viewer's place, and each act is in the audit."""

    def board(self, viewer: Viewer, *, page: int = 0) -> NamelessBoard:
        """Sessions that wait, one page of them, and what was decided last."""

    def session(self, viewer: Viewer, key: SessionKey, *, words: str) -> NamelessPage | None:
        """One session; None where it does not exist or lies outside the area. Writes an audit row."""

    def of_resident(self, viewer: Viewer, resident: str) -> tuple[NamelessRow, ...]:
        """The newest sessions that were given to this person; none where they are outside the area."""

    def assign(self, viewer: Viewer, key: SessionKey, *, resident: str) -> Said:
        """Say whose it is; the first answer stands."""

    def set_aside(self, viewer: Viewer, key: SessionKey) -> Said:
        """Say that it is of none of ours."""

    def take_back(self, viewer: Viewer, key: SessionKey) -> Said:
        """Say that the answer was a mistake."""
