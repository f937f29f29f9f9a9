"""Readings by resident: accepted, confirmed by the county, lost; what is left is owed, always and exactly.

Each row of the outbox says whose reading it is, so what leaves is counted for whom it was accepted, also where its
bytes can no longer be read. Kept among the counters, whose page every commit writes anyway. Readings of nobody known,
of places, and of residents beyond the bound are counted together under an empty name.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kanhu.contract import Observation, Record, SubjectKind

MOST_RESIDENTS = 200
"""Counted each by themselves; a home for the elderly has fewer."""
MARK = "\x1f"
"""Before a resident's name where a counter has its device's: no device is named so."""

TALLY_SINCE = "tally_since"
"""Note: records up to this number came before residents were counted; absent where all were."""

_TAKEN, _CONFIRMED, _LOST = "taken", "confirmed", "lost"

Whose = str | None
"""A resident, empty for all others; None for what is no reading."""


@dataclass(frozen=True, slots=True)
class ReadingTally:
    """Of one resident, since the outbox was made."""

    accepted: int = 0
    confirmed: int = 0
    lost: int = 0

    @property
    def owed(self) -> int:
        """What the outbox still holds."""
        return self.accepted - self.confirmed - self.lost


class Tally:
    """Of one open file: whose a record is, and what becomes of counters."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Read who is counted."""
        self._named = set(read_tallies(database)) - {""}

    def whose(self, record: Record) -> Whose:
        """Under which name a record is counted."""
        if not isinstance(record, Observation):
            return None
        if record.subject.kind is not SubjectKind.RESIDENT:
            return ""
        name = record.subject.id
        return name if name in self._named or len(self._named) < MOST_RESIDENTS else ""

    def committed(self, names: Iterable[Whose]) -> None:
        """These are counted by themselves from now on, as far as there is room."""
        for name in names:
            if name and len(self._named) < MOST_RESIDENTS:
                self._named.add(name)

    @staticmethod
    def accepted(names: Iterable[Whose]) -> Counter[tuple[str, str]]:
        """Counters of records that came."""
        return _counted(Counter(names), _TAKEN)

    @staticmethod
    def confirmed(gone: Mapping[Whose, int]) -> Counter[tuple[str, str]]:
        """Counters of records that the county has."""
        return _counted(gone, _CONFIRMED)

    @staticmethod
    def owed_again(back: Mapping[Whose, int]) -> Counter[tuple[str, str]]:
        """What to add to the counters for records that the county had and has no more; each is below zero."""
        return _counted({whose: -count for whose, count in back.items()}, _CONFIRMED)

    @staticmethod
    def lost(gone: Mapping[Whose, int]) -> Counter[tuple[str, str]]:
        """Counters of records that a gap names."""
        return _counted(gone, _LOST)


def read_tallies(database: sqlite3.Connection) -> dict[str, ReadingTally]:
    """By resident."""
    found: dict[str, dict[str, int]] = {}
    statement = "SELECT device, name, count FROM counter WHERE device >= ? AND device < ?"
    for device, name, count in database.execute(statement, (MARK, chr(ord(MARK) + 1))):
        found.setdefault(device.removeprefix(MARK), {})[name] = count
    return {
        resident: ReadingTally(counts.get(_TAKEN, 0), counts.get(_CONFIRMED, 0), counts.get(_LOST, 0))
        for resident, counts in sorted(found.items())
    }


def _counted(amounts: Mapping[Whose, int], what: str) -> Counter[tuple[str, str]]:
    return Counter({(f"{MARK}{whose}", what): count for whose, count in amounts.items() if whose is not None})
