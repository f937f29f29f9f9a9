"""The outbox: where a reading is accepted, and kept until the county itself says that it is stored.

    accept ──commit──▶ owed ──batch──▶ handed to the broker ──receipt──▶ settled (deleted)
                        │                                      └─refused twice─▶ quarantined + Gap
                        └─ outbox full: thinned by rule ─▶ dropped + Gap

Hard cases: a PUBACK settles nothing; a number is never given out twice; a receipt settles only what this process has
handed out, and nothing that a receipt from beyond our own numbers may speak of, so that a card restored from an old
image cannot lose new readings to receipts for others; on a full file alerts keep a tenth of the pages to themselves,
readings are thinned oldest and most frequent first, and what is dropped is named by Gap records in the same
transaction. Gaps go before readings, because a county that knows the holes can confirm the rest in few ranges. The
class knows no threads: one thread at a time uses it.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol, Self

from kanhu.contract import (
    Clock,
    Finding,
    GapReason,
    Lane,
    MessageRefused,
    Observation,
    Receipt,
    Record,
    SeqRanges,
    Times,
    decode_record,
)
from kanhu.contract.ranges import compress
from kanhu.gateway._entries import Entries, Entry, Keep, entry_of_gap
from kanhu.gateway._figures import Owed, Space
from kanhu.gateway._gaps import GrowingGap, GrowingGaps
from kanhu.gateway._lock import hold
from kanhu.gateway._schema import PAGE_BYTES, check_pragmas, connect, look_at, named_error, pragma
from kanhu.gateway.alarm.book import Alarm, AlarmBook
from kanhu.gateway.errors import OutboxError, OutboxFailed, OutboxFull

BATCH_ROWS = 500
"""Most rows read, sent or deleted at once: larger deletes were seen to jam a full file."""

_ALERT_RESERVE = 10  # one page in ten, and at least _MIN_RESERVE, is for alerts and gap records only
_MIN_RESERVE = 16
_THIN_KEEPS_ONE_IN = 4  # keeping every second row leaves pages half full, and SQLite frees none of them
_MIN_PAGES = 64

_OLDEST_ALERTS = "SELECT seq, record FROM outbox WHERE lane = 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_OLDEST_READINGS = "SELECT seq, record FROM outbox WHERE lane > 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"


class _Connect(Protocol):
    def __call__(self, file: Path, *, max_pages: int) -> sqlite3.Connection:
        """Open a file."""


class Outbox:
    """One open outbox file."""

    def __init__(self, database: sqlite3.Connection, *, file: Path, lock: IO[str] | IO[bytes], clock: Clock) -> None:
        """Use `open`."""
        self._database = database
        self._file = file
        self._lock = lock
        self._clock = clock
        self._gaps = GrowingGaps()
        self._entries = Entries()
        self.epoch: str = database.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
        found = database.execute("SELECT lane, keep, kind, count(*) FROM outbox GROUP BY lane, keep, kind")
        self._rows: Counter[tuple[int, int, str]] = Counter({tuple(row[:3]): row[3] for row in found})
        given_out = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        self.last_seq: int = given_out[0] if given_out else 0
        self._limit = int(pragma(database, "max_page_count"))
        self.alarms = AlarmBook(database)
        self._beyond = 0  # the county knows numbers up to here that were never given out here: those are not ours

    @classmethod
    def open(cls, file: Path, *, clock: Clock, max_bytes: int) -> Self:
        """Open or make the file; the caller closes.

        Raises:
            OutboxBusy: another process has it open.
            OutboxRefused: the pragmas do not hold, or the file is not ours.
            OutboxFailed: it cannot be read.
        """
        lock = hold(file)
        try:
            return cls._opened(connect, file, lock=lock, clock=clock, max_bytes=max_bytes)
        except OutboxError:
            lock.close()
            raise

    @classmethod
    def look(cls, file: Path, *, clock: Clock, max_bytes: int) -> Self:
        """Open the file beside the process that owns it, to read only; the caller closes.

        Raises:
            OutboxRefused, OutboxFailed: as `open`.
        """
        try:
            unlocked = file.open("rb")
        except OSError as error:
            raise OutboxFailed(f"{file}: {error}") from error
        try:
            return cls._opened(look_at, file, lock=unlocked, clock=clock, max_bytes=max_bytes)
        except OutboxError:
            unlocked.close()
            raise

    @classmethod
    def _opened(
        cls, connection: _Connect, file: Path, *, lock: IO[str] | IO[bytes], clock: Clock, max_bytes: int
    ) -> Self:
        database: sqlite3.Connection | None = None
        try:
            database = connection(file, max_pages=max(_MIN_PAGES, max_bytes // PAGE_BYTES))
            return cls(database, file=file, lock=lock, clock=clock)
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            raise named_error(error, file) from error

    def close(self) -> None:
        """Write the log back and let others open the file."""
        self._database.close()
        self._lock.close()

    # ------------------------------------------------------------------------------------------ accept

    def accept(
        self,
        records: Sequence[tuple[Lane, Record]],
        *,
        states: Mapping[str, bytes] | None = None,
        refused: Sequence[tuple[str, str]] = (),
    ) -> list[int]:
        """Commit records, detector states and refused readings, as (device, reason), in one transaction.

        Returns sequence numbers in the order of the records. When this returns they are on the card.

        Raises:
            OutboxFull, OutboxFailed: nothing of this call was stored.
        """
        rows = self._entries.of(records)
        try:
            self._make_room(rows, beside=self.alarms.bytes_for(record for _, record in records))
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error
        with self._transaction():
            seqs = [self._insert(row) for row in rows]
            counts: Counter[tuple[str, str]] = Counter((device, f"refused:{reason}") for device, reason in refused)
            for _, record in records:
                if isinstance(record, Observation):
                    counts[record.device, "accepted"] += 1
                elif isinstance(record, Finding):
                    counts["", "findings"] += 1
            self._count(counts)
            self._database.executemany(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                list((states or {}).items()),
            )
            alarmed = self.alarms.take(seqs, (record for _, record in records))
        if alarmed:
            self.alarms.refresh()
        self._entered(rows, seqs)
        self._entries.heard(records)
        return seqs

    def record_alarms(
        self, alarms: Sequence[Alarm], *, reports: Sequence[Finding] = (), reasons: Sequence[str] = ()
    ) -> None:
        """Commit what was decided and done about alarms, and the findings that tell the county, in one transaction.

        Raises:
            OutboxFull, OutboxFailed: nothing of this call was stored.
        """
        rows = self._entries.of([(Lane.ALERT, report) for report in reports])
        try:
            self._make_room(rows)
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error
        with self._transaction():
            seqs = [self._insert(row) for row in rows]
            self.alarms.write(alarms)
            self._count(Counter(("", f"alarm:{reason}") for reason in reasons))
        self.alarms.refresh()
        self._entered(rows, seqs)

    def _insert(self, row: Entry) -> int:
        statement = "INSERT INTO outbox (lane, kind, keep, arrival_ms, record) VALUES (?, ?, ?, ?, ?)"
        seq = self._database.execute(statement, row).lastrowid
        if seq is None:
            raise OutboxFailed(f"{self._file}: no number was given out")
        return seq

    def _entered(self, rows: Iterable[Entry], seqs: Sequence[int]) -> None:
        for row in rows:
            self._rows[row.lane, row.keep, row.kind] += 1
        if seqs:
            self.last_seq = max(self.last_seq, *seqs)

    # -------------------------------------------------------------------------------------------- send

    def batch(
        self, lane: Lane, limit: int = BATCH_ROWS, *, after: int = 0, upto: int | None = None
    ) -> list[tuple[int, Record]]:
        """Oldest owed records with numbers in (after, upto], in rising order.

        Alerts are one queue and all the rest another: whether a reading leaves as live or as backfill is the uplink's
        choice at that moment.
        """
        last = self.last_seq if upto is None else upto
        statement = _OLDEST_ALERTS if lane is Lane.ALERT else _OLDEST_READINGS
        return self._hand_out(self._database.execute(statement, (after, last, min(limit, BATCH_ROWS))))

    def fetch(self, seqs: Sequence[int]) -> list[tuple[int, Record]]:
        """These records, as far as they are still owed, in rising order; at most one batch."""
        if len(seqs) > BATCH_ROWS:
            raise ValueError(f"{len(seqs)} numbers, at most {BATCH_ROWS}")
        marks = ",".join("?" * len(seqs))
        statement = f"SELECT seq, record FROM outbox WHERE seq IN ({marks}) ORDER BY seq"  # noqa: S608  # marks only
        return self._hand_out(self._database.execute(statement, tuple(seqs)))

    def _hand_out(self, rows: Iterable[tuple[int, bytes]]) -> list[tuple[int, Record]]:
        found: list[tuple[int, Record]] = []
        damaged: list[int] = []
        for seq, record in rows:
            try:
                found.append((seq, decode_record(record)))
            except MessageRefused:  # a bit fell over on the card: one row must not hold up all that follow
                damaged.append(seq)
        if damaged:
            self.quarantine(damaged, reason=GapReason.DAMAGED.value)
        self._gaps.close(seq for seq, _ in found)
        return found

    def settle(self, receipt: Receipt, *, sent: SeqRanges) -> int:
        """Delete what the county has stored, among what this process has sent; returns how many.

        Where the county knows numbers that this outbox has not given out, the file was copied or restored: what it
        stored under such a number is another record, and ours is kept.

        Raises:
            OutboxFailed: what was not deleted stays owed.
        """
        if receipt.epoch != self.epoch:
            return 0
        stored = SeqRanges(receipt.ranges)
        if receipt.contiguous:
            stored.add(1, receipt.contiguous)
        highest = max((last for _, last in stored), default=0)
        if highest > self.last_seq:
            self._beyond = max(self._beyond, highest)
        statement = "SELECT seq FROM outbox WHERE seq BETWEEN ? AND ?"
        try:
            settled = [
                seq
                for first, last in stored
                if last > self._beyond
                for (seq,) in self._database.execute(statement, (max(first, self._beyond + 1), last))
                if seq in sent
            ]
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error
        for at in range(0, len(settled), BATCH_ROWS):
            self._delete_batch(settled[at : at + BATCH_ROWS])
        return len(settled)

    def _delete_batch(self, seqs: Sequence[int]) -> None:
        with self._transaction():
            gone = self._delete(seqs)
            ended = self.alarms.receipted(seqs)
            self._count(Counter(("", f"alarm:{alarm.ended}") for alarm in ended))
        if ended:
            self.alarms.refresh()
        self._left(gone)

    def quarantine(self, seqs: Sequence[int], *, reason: str) -> None:
        """Set records aside that the county will not take, and owe a Gap that names them.

        A refused Gap makes no further Gap: that would never end.
        """
        times = self._now()
        with self._transaction():
            rows = [
                row
                for seq in seqs
                for row in self._database.execute(
                    "SELECT seq, kind, arrival_ms, record FROM outbox WHERE seq = ?", (seq,)
                )
            ]
            gone = self._delete([row[0] for row in rows])
            self._database.executemany(
                "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)",
                [(seq, reason, kind, times.arrival_ms, record) for seq, kind, _, record in rows],
            )
            self._count(Counter({("", "quarantined"): len(rows), ("", f"quarantined:{reason}"): len(rows)}))
            entered = []
            why = GapReason.DAMAGED if reason == GapReason.DAMAGED.value else GapReason.REFUSED_BY_COUNTY
            for kind in sorted({row[1] for row in rows} - {"gap"}):
                gap = GrowingGap(kind, why)
                gap.add((row[0], row[2]) for row in rows if row[1] == kind)
                entered.append(entry_of_gap(gap.record(times)))
            numbers = [self._insert(row) for row in entered]
        self._left(gone)
        self._entered(entered, numbers)

    # ------------------------------------------------------------------------------------------- space

    def space(self) -> Space:
        """How full the file is."""
        used = int(pragma(self._database, "page_count")) - int(pragma(self._database, "freelist_count"))
        return Space(used, self._limit, self._limit - max(_MIN_RESERVE, self._limit // _ALERT_RESERVE))

    def _make_room(self, rows: Sequence[Entry], *, beside: int = 0) -> None:
        """Thin until these rows and so many bytes fit; alerts may use every page, readings leave the reserve alone."""
        space = self.space()
        alerts_only = all(row.lane == 0 for row in rows)
        needed = 2 + 2 * (beside + sum(len(row.record) for row in rows)) // PAGE_BYTES
        limit = space.limit - 4 if alerts_only else space.routine_limit
        if space.used + needed <= limit:
            return
        goal = limit - needed - (0 if alerts_only else space.limit // 20)  # some slack, or every call would thin
        while self.space().used > goal and self._empty_quarantine():
            pass
        for keep in (Keep.ROUTINE, Keep.FIRST_AFTER_SILENCE):
            while self.space().used > goal:
                if not self._thin(keep):
                    break
        if rows and self.space().used + needed > limit:
            raise OutboxFull(f"{self._file}: {space.limit} pages are in use and nothing may be dropped")

    def _empty_quarantine(self) -> int:
        """Let the oldest records that were set aside go: gap records have named them already."""
        statement = "DELETE FROM quarantine WHERE seq IN (SELECT seq FROM quarantine ORDER BY seq LIMIT ?)"
        with self._transaction():
            return self._database.execute(statement, (BATCH_ROWS,)).rowcount

    def _thin(self, keep: Keep) -> int:
        """Drop three of four of the oldest rows of the most frequent kind; returns how many."""
        kinds: Counter[str] = Counter()
        for (_, row_keep, kind), count in self._rows.items():
            if row_keep == keep:
                kinds[kind] += count
        kind, count = max(kinds.items(), key=lambda item: item[1], default=("", 0))
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
        times = self._now()
        with self._transaction():
            gone = self._delete([seq for seq, _ in dropped])
            self._count(Counter({("", "dropped"): len(dropped)}))
            entered = []
            for gap in self._gaps.place(kind, dropped):
                row = entry_of_gap(gap.record(times))
                if gap.seq is None:
                    gap.seq = self._insert(row)
                    entered.append((row, gap.seq))
                else:
                    self._database.execute("UPDATE outbox SET record = ? WHERE seq = ?", (row.record, gap.seq))
        self._left(gone)
        self._entered([row for row, _ in entered], [seq for _, seq in entered])

    # ---------------------------------------------------------------------------------------- account

    def owed(self) -> Owed:
        """What the county has not confirmed."""
        oldest = self._database.execute("SELECT arrival_ms FROM outbox ORDER BY seq LIMIT 1").fetchone()
        alerts = sum(count for (lane, _, _), count in self._rows.items() if lane == 0)
        return Owed(alerts, sum(self._rows.values()) - alerts, oldest[0] if oldest else None)

    def still_here(self, seqs: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
        """Which of at most one batch of numbers are owed, and which were set aside."""
        marks = ",".join("?" * len(seqs))
        owed, aside = (
            frozenset(row[0] for row in self._database.execute(statement, tuple(seqs)))
            for statement in (
                f"SELECT seq FROM outbox WHERE seq IN ({marks})",  # noqa: S608  # marks only
                f"SELECT seq FROM quarantine WHERE seq IN ({marks})",  # noqa: S608  # marks only
            )
        )
        return owed, aside

    def oldest_seq(self) -> int:
        """The lowest number owed; where nothing is owed, the next that will be given out at the earliest."""
        oldest = self._database.execute("SELECT min(seq) FROM outbox").fetchone()[0]
        return oldest if oldest is not None else self.last_seq + 1

    def states(self) -> dict[str, bytes]:
        """Detector states, by subject, as committed with the last reading of each."""
        return dict(self._database.execute("SELECT subject, value FROM state").fetchall())

    def counters(self) -> dict[tuple[str, str], int]:
        """Counters since the file was made, by device (empty for the gateway) and name."""
        return {(device, name): count for device, name, count in self._database.execute("SELECT * FROM counter")}

    def notes(self) -> dict[str, int]:
        """Small facts that outlive the process, for the doctor."""
        return dict(self._database.execute("SELECT name, value FROM note").fetchall())

    def remember(self, notes: Mapping[str, int]) -> None:
        """Write small facts down."""
        with self._transaction():
            self._database.executemany(
                "INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", list(notes.items())
            )

    def text(self, name: str) -> str | None:
        """A text that was kept with the outbox."""
        found = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def keep_text(self, name: str, text: str) -> None:
        """Keep a text with the outbox, instead of the one of that name."""
        with self._transaction():
            self._database.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, text)
            )

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: self._database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in tables}  # noqa: S608  # names from the file's own schema

    def is_whole(self) -> bool:
        """Read every page; takes as long as the card needs for the whole file."""
        try:
            return bool(self._database.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError:
            return False

    def named(self, error: sqlite3.Error) -> OutboxError:
        """What SQLite said of this file, as one of our errors."""
        return named_error(error, self._file)

    def check(self) -> None:
        """Read the pragmas back once more."""
        check_pragmas(self._database, self._file)

    # ---------------------------------------------------------------------------------------- mechanics

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise named_error(error, self._file) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # Some errors have rolled back already; a second try would hide the first error.
        with contextlib.suppress(sqlite3.Error):
            self._database.execute("ROLLBACK")

    def _delete(self, seqs: Sequence[int]) -> Counter[tuple[int, int, str]]:
        gone: Counter[tuple[int, int, str]] = Counter()
        for first, last in compress(seqs):
            statement = "DELETE FROM outbox WHERE seq BETWEEN ? AND ? RETURNING lane, keep, kind"
            gone.update(self._database.execute(statement, (first, last)).fetchall())
        return gone

    def _left(self, gone: Counter[tuple[int, int, str]]) -> None:
        self._rows.subtract(gone)
        for key in [key for key in gone if not self._rows[key]]:
            del self._rows[key]

    def _count(self, counts: Mapping[tuple[str, str], int]) -> None:
        self._database.executemany(
            "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(device, name, count) for (device, name), count in counts.items()],
        )

    def _now(self) -> Times:
        return Times(self._clock.wall_ms(), self._clock.mono_ns(), self._clock.boot, self._clock.state())
