"""The rows of an outbox: what is owed, by number, and counted by lane, worth and kind.

Changes of the table are made inside a transaction; `entered` and `left` follow it in memory once that is committed.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import Lane
from kanhu.contract.ranges import compress
from kanhu.gateway._entries import Entry, Keep
from kanhu.gateway._figures import Owed
from kanhu.gateway._tally import Whose
from kanhu.gateway.errors import OutboxFailed

BATCH_ROWS = 500
"""Most rows read, sent or deleted at once: larger deletes were seen to jam a full file."""

_OLDEST_ALERTS = "SELECT seq, record FROM outbox WHERE lane = 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_OLDEST_READINGS = "SELECT seq, record FROM outbox WHERE lane > 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"


@dataclass(slots=True)
class Gone:
    """Rows that were deleted: how many by lane, worth and kind, and by whose they were."""

    rows: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    whose: Counter[Whose] = field(default_factory=Counter)


class Queue:
    """Of one open file."""

    def __init__(self, database: sqlite3.Connection, *, file: Path) -> None:
        """Count what is there."""
        self._database = database
        self._file = file
        found = database.execute("SELECT lane, keep, kind, count(*) FROM outbox GROUP BY lane, keep, kind")
        self._rows: Counter[tuple[int, int, str]] = Counter({tuple(row[:3]): row[3] for row in found})
        given_out = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        self.last_seq: int = given_out[0] if given_out else 0

    def insert(self, row: Entry, *, whose: Whose = None) -> int:
        """Write a row; returns its number."""
        statement = "INSERT INTO outbox (lane, kind, keep, arrival_ms, record, whose) VALUES (?, ?, ?, ?, ?, ?)"
        seq = self._database.execute(statement, (*row, whose)).lastrowid
        if seq is None:
            raise OutboxFailed(f"{self._file}: no number was given out")
        return seq

    def rewrite(self, seq: int, row: Entry) -> None:
        """Put other bytes under a number that nobody was handed."""
        self._database.execute("UPDATE outbox SET record = ? WHERE seq = ?", (row.record, seq))

    def delete(self, seqs: Sequence[int]) -> Gone:
        """Delete rows; returns what they were."""
        gone = Gone()
        for first, last in compress(seqs):
            statement = "DELETE FROM outbox WHERE seq BETWEEN ? AND ? RETURNING lane, keep, kind, whose"
            rows = self._database.execute(statement, (first, last)).fetchall()
            gone.rows.update(row[:3] for row in rows)
            gone.whose.update(row[3] for row in rows)
        return gone

    def entered(self, rows: Iterable[Entry], seqs: Sequence[int]) -> None:
        """These were inserted and committed."""
        for row in rows:
            self._rows[row.lane, row.keep, row.kind] += 1
        if seqs:
            self.last_seq = max(self.last_seq, *seqs)

    def left(self, gone: Gone) -> None:
        """These were deleted and committed."""
        self._rows.subtract(gone.rows)
        for key in [key for key in gone.rows if not self._rows[key]]:
            del self._rows[key]

    def oldest(self, lane: Lane, limit: int, *, after: int, upto: int) -> Iterable[tuple[int, bytes]]:
        """Of the alerts, or of all the rest: number and record, in rising order."""
        statement = _OLDEST_ALERTS if lane is Lane.ALERT else _OLDEST_READINGS
        return self._database.execute(statement, (after, upto, min(limit, BATCH_ROWS)))

    def these(self, seqs: Sequence[int]) -> Iterable[tuple[int, bytes]]:
        """Those of at most one batch that are still here: number and record, in rising order."""
        marks = ",".join("?" * len(seqs))
        statement = f"SELECT seq, record FROM outbox WHERE seq IN ({marks}) ORDER BY seq"  # noqa: S608  # marks only
        return self._database.execute(statement, tuple(seqs))

    def between(self, first: int, last: int) -> Iterable[int]:
        """Numbers that are still here."""
        return (
            row[0] for row in self._database.execute("SELECT seq FROM outbox WHERE seq BETWEEN ? AND ?", (first, last))
        )

    def bytes_of(self, seqs: Sequence[int]) -> int:
        """What these rows take, about."""
        spans = compress(seqs)
        statement = "SELECT sum(length(record) + length(kind)) FROM outbox WHERE seq BETWEEN ? AND ?"
        return sum(self._database.execute(statement, span).fetchone()[0] or 0 for span in spans)

    def owed(self) -> Owed:
        """What the county has not confirmed."""
        oldest = self._database.execute("SELECT arrival_ms FROM outbox ORDER BY seq LIMIT 1").fetchone()
        alerts = sum(count for (lane, _, _), count in self._rows.items() if lane == 0)
        return Owed(alerts, sum(self._rows.values()) - alerts, oldest[0] if oldest else None)

    def oldest_seq(self) -> int:
        """The lowest number owed; where nothing is owed, the next that will be given out at the earliest."""
        oldest = self._database.execute("SELECT min(seq) FROM outbox").fetchone()[0]
        return oldest if oldest is not None else self.last_seq + 1

    def most_frequent(self, keep: Keep) -> tuple[str, int]:
        """The kind with most rows of this worth, and how many; none and 0 where there is no such row."""
        kinds: Counter[str] = Counter()
        for (_, row_keep, kind), count in self._rows.items():
            if row_keep == keep:
                kinds[kind] += count
        return max(kinds.items(), key=lambda item: item[1], default=("", 0))
