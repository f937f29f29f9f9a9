"""What was measured today, and where each reading is now; kept in a small file so that a restart does not empty it.

The file is a convenience for the screen and no part of any promise: readings themselves are in the outbox.
"""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path

import msgspec

from kanhu.contract import Observation, SeqRanges

MOST_ROWS = 500
"""More than a clinic measures in a day; the oldest go first."""
_SITTING_MS = 120_000  # a finger or a strap that tells on and on is one row; a pause longer than this begins another
_GOES_ON = frozenset({"oximetry", "heart_rhythm"})


class RowState(StrEnum):
    """Where a reading is."""

    WAITING = "waiting"
    """On this box's card; the county has not confirmed it."""
    DELIVERED = "delivered"
    """The county's receipt named it."""
    SET_ASIDE = "set_aside"
    """The county refused it."""
    DROPPED = "dropped"
    """Thinned away because the card was full."""
    NOT_KEPT = "not_kept"
    """The card did not take it."""


class Row(msgspec.Struct):
    """One line of the list."""

    observation: Observation
    seq: int
    epoch: str
    state: RowState


class Whereabouts(msgspec.Struct, frozen=True):
    """What the outbox says of some numbers."""

    owed: frozenset[int]
    set_aside: frozenset[int]


class Day:
    """Rows of one local day, oldest first."""

    def __init__(self, file: Path, *, zone: tzinfo, epoch: str) -> None:
        """Go on from the file, where it can be read."""
        self._file = file
        self._zone = zone
        self._epoch = epoch
        self._rows = _read(file)
        self._from_before = {row.seq for row in self._rows if row.epoch == epoch}
        self._unsaved = False
        for row in self._rows:
            if row.epoch != epoch and row.state is RowState.WAITING:
                row.state = RowState.DROPPED  # the outbox that held it was set aside as damaged

    def add(self, observation: Observation, *, seq: int, state: RowState) -> None:
        """A reading came; one that goes on from the last of the same device and person takes its row."""
        row = Row(observation, seq, self._epoch, state)
        before = next((old for old in reversed(self._rows) if old.observation.device == observation.device), None)
        if before is not None and _goes_on(before, row):
            self._rows.remove(before)
        self._rows = [*self._rows, row][-MOST_ROWS:]
        self._unsaved = True

    def rows(self, now: datetime) -> list[Row]:
        """Today's, newest first; those of other days are forgotten."""
        today = now.astimezone(self._zone).date()
        kept = [row for row in self._rows if self._day(row) == today]
        if len(kept) < len(self._rows):
            self._rows = kept
            self._unsaved = True
        return kept[::-1]

    def undecided(self) -> list[int]:
        """Numbers whose way is not at its end."""
        return [row.seq for row in self._rows if row.state is RowState.WAITING]

    def place(self, found: Whereabouts, *, asked: Sequence[int], named: SeqRanges) -> bool:
        """Learn where the numbers asked for are; `named` are those of receipts. Returns whether a row changed."""
        changed = False
        gone = set(asked) - found.owed
        for row in self._rows:
            if row.state is not RowState.WAITING or row.seq not in gone:
                continue
            row.state = self._end_of(row.seq, found, named)
            changed = self._unsaved = True
        return changed

    def save(self) -> None:
        """Write the file anew where something changed.

        Raises:
            OSError: it cannot be written.
        """
        if not self._unsaved:
            return
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._rows))
        fresh.replace(self._file)
        self._unsaved = False

    def _end_of(self, seq: int, found: Whereabouts, named: SeqRanges) -> RowState:
        if seq in found.set_aside:
            return RowState.SET_ASIDE
        # Of a process before this one no receipts are known: what left its outbox left by receipt, nearly always.
        return RowState.DELIVERED if seq in named or seq in self._from_before else RowState.DROPPED

    def _day(self, row: Row) -> date:
        return datetime.fromtimestamp(row.observation.times.arrival_ms / 1000, tz=self._zone).date()


def _goes_on(before: Row, row: Row) -> bool:
    first, second = before.observation, row.observation
    return (
        second.metric in _GOES_ON
        and (first.metric, first.subject) == (second.metric, second.subject)
        and abs(second.times.arrival_ms - first.times.arrival_ms) <= _SITTING_MS
    )


def _read(file: Path) -> list[Row]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Row])
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):  # absent, or a card that lost some bits
        return []
