"""What the county has confirmed, kept for a while all the same: a county put back to a backup can ask for it again.

    owed ──receipt──▶ kept here ──▶ dropped once this gateway has run long enough since, or where room is needed

Not owed, so nothing here is named by a gap record when it goes. How long a record is here is counted in time that the
gateway was running, on the monotonic clock, each process going on from the last count on the card. Time without power
does not count and a wall clock is not asked: a wrong clock neither empties this at once nor keeps it for ever.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from kanhu.contract import SeqRanges
from kanhu.contract.ranges import compress
from kanhu.gateway._entries import Entry
from kanhu.gateway._file import OutboxFile
from kanhu.gateway._schema import PAGE_BYTES, columns
from kanhu.gateway._tally import Tally, Whose

_BATCH_ROWS = 500
_COUNT_EVERY_MS = 3_600_000
"""How often old ones are dropped, and the count written while nothing is delivered: each time is a write."""
_SAMPLE = 50
_ROW_BYTES = 40  # of a row beside the record
_RAN = "delivered_ran_ms"
_DROPPED = ("", "delivered_dropped")


class GivenBack(NamedTuple):
    """One step: up to which turn was read, None at the end; what is owed again."""

    turn: int | None
    seqs: tuple[int, ...]
    rows: tuple[Entry, ...] = ()


class Delivered:
    """Of one open file."""

    def __init__(self, database: sqlite3.Connection, *, box: OutboxFile) -> None:
        """Go on counting; a file that is only looked at, or has no page left, may have no such table yet."""
        self._database = database
        self._box = box
        self.is_there = "whose" in columns(database, "delivered")
        """Whether anything can be kept."""
        self._written_ms = max(self._newest_ms(), box.notes().get(_RAN, 0))
        self._began_ms = self._written_ms - box.mono_ns() // 1_000_000

    def take(self, seqs: Sequence[int]) -> None:
        """Copy rows of the outbox, inside the transaction that deletes them there."""
        ran_ms = self._ran_ms()
        for first, last in compress(seqs):
            self._database.execute(
                "INSERT INTO delivered (ran_ms, seq, lane, kind, keep, arrival_ms, record, whose)"
                " SELECT ?, seq, lane, kind, keep, arrival_ms, record, whose FROM outbox WHERE seq BETWEEN ? AND ?",
                (ran_ms, first, last),
            )

    def give_way(self) -> int:
        """Drop the oldest batch before its time; returns how many."""
        if not self.is_there:
            return 0
        with self._box.transaction():
            dropped = self._drop(upto_ms=None)
            self._box.count(Counter({_DROPPED: dropped}))
        return dropped

    def expire(self, *, after_s: float) -> int:
        """Drop what was delivered so much running time ago, once an hour; returns how many.

        Raises:
            OutboxFailed: what was not dropped goes the next time.
        """
        if not self.is_there:
            return 0
        ran_ms, oldest = self._ran_ms(), self._database.execute("SELECT ran_ms FROM delivered LIMIT 1").fetchone()
        if oldest is None:
            return 0
        upto_ms, dropped = ran_ms - round(after_s * 1000), 0
        if oldest[0] <= upto_ms - _COUNT_EVERY_MS:
            while some := self._expired(upto_ms):
                dropped += some
        if ran_ms - max(self._written_ms, self._newest_ms()) >= _COUNT_EVERY_MS:
            self._box.remember({_RAN: ran_ms})
            self._written_ms = ran_ms
        return dropped

    def newest(self) -> int:
        """Turn of what was delivered last; 0 where nothing is kept."""
        if not self.is_there:
            return 0
        return int(self._database.execute("SELECT coalesce(max(turn), 0) FROM delivered").fetchone()[0])

    def give_back(self, ranges: SeqRanges, *, after: int, upto: int) -> "GivenBack":
        """Put what lies in these ranges back into the outbox, inside a transaction; one batch of turns past `after`.

        It is counted as confirmed no more.
        """
        if not self.is_there:
            return GivenBack(None, ())
        read = self._database.execute(
            "SELECT turn, seq FROM delivered WHERE turn > ? AND turn <= ? ORDER BY turn LIMIT ?",
            (after, upto, _BATCH_ROWS),
        ).fetchall()
        found = [(turn, seq) for turn, seq in read if seq in ranges]
        rows: list[Entry] = []
        whose: Counter[Whose] = Counter()
        for turn, _ in found:
            row = self._database.execute("DELETE FROM delivered WHERE turn = ? RETURNING *", (turn,)).fetchone()
            self._database.execute(
                "INSERT INTO outbox (seq, lane, kind, keep, arrival_ms, record, whose) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row[2:],
            )
            rows.append(Entry(*row[3:-1]))
            whose[row[-1]] += 1
        self._box.count(Tally.owed_again(whose))
        return GivenBack(read[-1][0] if read else None, tuple(seq for _, seq in found), tuple(rows))

    def count(self) -> int:
        """How many are kept; reads all of them."""
        if not self.is_there:
            return 0
        return int(self._database.execute("SELECT count(*) FROM delivered").fetchone()[0])

    def pages(self) -> int:
        """What they take of the file, by the length of the newest; asks few of them."""
        if not self.is_there:
            return 0
        first, last = self._database.execute("SELECT min(turn), max(turn) FROM delivered").fetchone()
        if first is None:
            return 0
        newest = "SELECT avg(length(record)) FROM (SELECT record FROM delivered ORDER BY turn DESC LIMIT ?)"
        mean = self._database.execute(newest, (_SAMPLE,)).fetchone()[0] + _ROW_BYTES
        return int((last - first + 1) * mean / PAGE_BYTES)

    def _expired(self, upto_ms: int) -> int:
        with self._box.transaction():
            return self._drop(upto_ms=upto_ms)

    def _drop(self, *, upto_ms: int | None) -> int:
        oldest = self._database.execute(
            "SELECT turn FROM (SELECT turn, ran_ms FROM delivered ORDER BY turn LIMIT ?)"
            " WHERE ? IS NULL OR ran_ms <= ? ORDER BY turn DESC LIMIT 1",
            (_BATCH_ROWS, upto_ms, upto_ms),
        ).fetchone()
        if oldest is None:
            return 0
        return int(self._database.execute("DELETE FROM delivered WHERE turn <= ?", oldest).rowcount)

    def _newest_ms(self) -> int:
        if not self.is_there:
            return 0
        newest = self._database.execute("SELECT ran_ms FROM delivered ORDER BY turn DESC LIMIT 1").fetchone()
        return newest[0] if newest else 0

    def _ran_ms(self) -> int:
        """Milliseconds that this gateway has run, as far as it was counted."""
        return self._began_ms + self._box.mono_ns() // 1_000_000
