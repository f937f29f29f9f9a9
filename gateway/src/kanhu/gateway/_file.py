"""The outbox file, opened: transactions, counters, notes and the other small tables; what is owed is not here.

The class knows no threads: one thread at a time uses it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol, Self

from kanhu.contract import Clock, Times
from kanhu.gateway._lock import hold
from kanhu.gateway._schema import PAGE_BYTES, check_pragmas, connect, look_at, named_error
from kanhu.gateway._tally import MARK, ReadingTally, read_tallies
from kanhu.gateway.errors import OutboxError, OutboxFailed

_MIN_PAGES = 64


class _Connect(Protocol):
    def __call__(self, file: Path, *, max_pages: int) -> sqlite3.Connection:
        """Open a file."""


class OutboxFile:
    """One open outbox file."""

    def __init__(self, database: sqlite3.Connection, *, file: Path, lock: IO[str] | IO[bytes], clock: Clock) -> None:
        """Use `open`."""
        self._database = database
        self._file = file
        self._lock = lock
        self._clock = clock
        self.epoch: str = database.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]

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
        except BaseException:
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
        except BaseException:
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
        except BaseException as error:
            if database is not None:
                database.close()
            if isinstance(error, sqlite3.Error):
                raise named_error(error, file) from error
            raise

    def close(self) -> None:
        """Write the log back and let others open the file."""
        self._database.close()
        self._lock.close()

    def states(self) -> dict[str, bytes]:
        """Detector states, by subject, as committed with the last reading of each."""
        return dict(self._database.execute("SELECT subject, value FROM state").fetchall())

    def counters(self) -> dict[tuple[str, str], int]:
        """Counters since the file was made, by device (empty for the gateway) and name."""
        found = self._database.execute("SELECT device, name, count FROM counter")
        return {(device, name): count for device, name, count in found if not device.startswith(MARK)}

    def tallies(self) -> dict[str, ReadingTally]:
        """Readings since the file was made, by resident; under an empty name those of all others."""
        return read_tallies(self._database)

    def notes(self) -> dict[str, int]:
        """Small facts that outlive the process, for the doctor."""
        return dict(self._database.execute("SELECT name, value FROM note").fetchall())

    def remember(self, notes: Mapping[str, int]) -> None:
        """Write small facts down."""
        with self.transaction():
            self._database.executemany(
                "INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", list(notes.items())
            )

    def text(self, name: str) -> str | None:
        """A text that was kept with the outbox."""
        found = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def keep_text(self, name: str, text: str) -> None:
        """Keep a text with the outbox, instead of the one of that name."""
        with self.transaction():
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

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all of it at the end, or nothing.

        Raises:
            OutboxError: nothing of it was stored.
        """
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

    def count(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Add to counters, inside a transaction."""
        self._database.executemany(
            "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(device, name, count) for (device, name), count in counts.items()],
        )

    def mono_ns(self) -> int:
        """Nanoseconds since boot: good also where nobody knows what day it is."""
        return self._clock.mono_ns()

    def now(self) -> Times:
        """The moment, as a record carries it."""
        return Times(self._clock.wall_ms(), self._clock.mono_ns(), self._clock.boot, self._clock.state())
