"""Room in a full outbox: what gives way, in which order, and the gap records that name it.

What the county has confirmed goes first, what was set aside second. Then readings, oldest and most frequent first,
thinned evenly; what is dropped is named by gap records in the same transaction. Alerts and gap records keep a tenth of
the pages to themselves, and never go.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from kanhu.gateway._delivered import Delivered
from kanhu.gateway._entries import Entry, Keep, entry_of_gap
from kanhu.gateway._figures import Space
from kanhu.gateway._file import OutboxFile
from kanhu.gateway._gaps import GrowingGaps
from kanhu.gateway._queue import BATCH_ROWS, Queue
from kanhu.gateway._schema import PAGE_BYTES, named_error, pragma
from kanhu.gateway._tally import Tally
from kanhu.gateway.errors import OutboxError, OutboxFull

_ALERT_RESERVE = 10  # one page in ten, and at least _MIN_RESERVE, is for alerts and gap records only
_MIN_RESERVE = 16
_THIN_KEEPS_ONE_IN = 4  # keeping every second row leaves pages half full, and SQLite frees none of them


class Room:
    """Of one open file."""

    def __init__(
        self, database: sqlite3.Connection, *, file: Path, box: OutboxFile, queue: Queue, delivered: Delivered
    ) -> None:
        """`box` is the same file, for its transactions."""
        self._database = database
        self._file = file
        self._box = box
        self._queue = queue
        self._delivered = delivered
        self._gaps = GrowingGaps()
        self._limit = int(pragma(database, "max_page_count"))

    def space(self) -> Space:
        """How full the file is."""
        used = int(pragma(self._database, "page_count")) - int(pragma(self._database, "freelist_count"))
        return Space(used, self._limit, self._limit - max(_MIN_RESERVE, self._limit // _ALERT_RESERVE))

    def handed_out(self, seqs: Iterable[int]) -> None:
        """These left for the broker: no gap record among them grows any more."""
        self._gaps.close(seqs)

    def make(self, rows: Sequence[Entry], *, beside: int = 0) -> None:
        """Thin until these rows and so many bytes fit; alerts may use every page, readings leave the reserve alone.

        Raises:
            OutboxFull: there is nothing left that may be dropped.
            OutboxFailed: the file could not be written.
        """
        try:
            self._make(rows, beside=beside)
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error

    def _make(self, rows: Sequence[Entry], *, beside: int) -> None:
        space = self.space()
        alerts_only = all(row.lane == 0 for row in rows)
        needed = 2 + 2 * (beside + sum(len(row.record) for row in rows)) // PAGE_BYTES
        limit = space.limit - 4 if alerts_only else space.routine_limit
        if space.used + needed <= limit:
            return
        goal = limit - needed - (0 if alerts_only else space.limit // 20)  # some slack, or every call would thin
        while self.space().used > goal and (self._delivered.give_way() or self._empty_quarantine()):
            pass
        for keep in (Keep.ROUTINE, Keep.FIRST_AFTER_SILENCE):
            while self.space().used > goal:
                if not self._thin(keep):
                    break
        if rows and self.space().used + needed > limit:
            raise OutboxFull(f"{self._file}: {space.limit} pages are in use and nothing may be dropped")

    def is_there_for(self, seqs: Sequence[int]) -> bool:
        """Whether these may stay once they are delivered; older ones make room for them, nothing else does."""
        if not self._delivered.is_there:
            return False
        space = self.space()
        slack = space.limit // 20  # what readings to come need at once is left free
        goal = space.routine_limit - slack - 2 - 2 * self._queue.bytes_of(seqs) // PAGE_BYTES
        while self.space().used > goal:
            if not self._delivered.give_way():
                return False
        return True

    def _empty_quarantine(self) -> int:
        """Let the oldest records that were set aside go: gap records have named them already."""
        statement = "DELETE FROM quarantine WHERE seq IN (SELECT seq FROM quarantine ORDER BY seq LIMIT ?)"
        with self._box.transaction():
            return self._database.execute(statement, (BATCH_ROWS,)).rowcount

    def _thin(self, keep: Keep) -> int:
        """Drop three of four of the oldest rows of the most frequent kind; returns how many."""
        kind, count = self._queue.most_frequent(keep)
        if count < 2:
            return 0
        found = self._database.execute(
            "SELECT seq, arrival_ms FROM outbox WHERE keep = ? AND kind = ? ORDER BY seq LIMIT ?",
            (int(keep), kind, BATCH_ROWS * _THIN_KEEPS_ONE_IN // (_THIN_KEEPS_ONE_IN - 1)),
        ).fetchall()
        dropped = [row for number, row in enumerate(found) if number % _THIN_KEEPS_ONE_IN]
        try:
            self._drop(kind, dropped)
        except OutboxError:
            self._gaps.forget()
            raise
        return len(dropped)

    def _drop(self, kind: str, dropped: list[tuple[int, int]]) -> None:
        times = self._box.now()
        with self._box.transaction():
            gone = self._queue.delete([seq for seq, _ in dropped])
            self._box.count(Counter({("", "dropped"): len(dropped)}) + Tally.lost(gone.whose))
            entered = []
            for gap in self._gaps.place(kind, dropped):
                row = entry_of_gap(gap.record(times))
                if gap.seq is None:
                    gap.seq = self._queue.insert(row)
                    entered.append((row, gap.seq))
                else:
                    self._queue.rewrite(gap.seq, row)
        self._queue.left(gone)
        self._queue.entered([row for row, _ in entered], [seq for _, seq in entered])
