"""The outbox file: its tables, and the settings under which an accepted reading survives a power cut."""

import sqlite3
from pathlib import Path

from kanhu.contract import new_epoch
from kanhu.gateway._tally import TALLY_SINCE
from kanhu.gateway.alarm import book
from kanhu.gateway.errors import OutboxDamaged, OutboxError, OutboxFailed, OutboxFull, OutboxRefused

APPLICATION_ID = 0x6B616E68  # "kanh"; `file` and every later version know the outbox by it
SCHEMA_VERSION = 1
PAGE_BYTES = 4096

LOG_PAGES = 128
"""Of the write-ahead log, when it is written back into the file: 0.5 MiB, and what one transaction adds to it.

SQLite's own 1,000 make it 4 MiB, more than the quarter that stays free of a 12 MiB partition; a log that finds no room
before it is long enough to be written back ends every commit, also those that delete. Costs 5 % more bytes written.
"""

# FULL is the only setting that lost nothing in simulated power cuts; NORMAL lost accepted rows in most of them.
SETTINGS: tuple[tuple[str, str], ...] = (
    ("page_size", str(PAGE_BYTES)),
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),
    ("wal_autocheckpoint", str(LOG_PAGES)),
    ("temp_store", "MEMORY"),
    ("cache_size", "-2000"),
)
"""Each pragma and what it is set to; those the promise rests on are read back."""

_REQUIRED: dict[str, str | int] = {"journal_mode": "wal", "synchronous": 2, "page_size": PAGE_BYTES}

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- AUTOINCREMENT: without it SQLite gives number 1 out again once the table is empty.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    keep INTEGER NOT NULL,
    arrival_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    whose TEXT
);
CREATE INDEX outbox_alert ON outbox (seq) WHERE lane = 0;
CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    kind TEXT NOT NULL,
    moved_ms INTEGER NOT NULL,
    record BLOB NOT NULL
);
CREATE TABLE state (subject TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (device, name)
) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

# In order of delivery, so that the oldest lie together and go by whole pages.
_DELIVERED = """
CREATE TABLE IF NOT EXISTS delivered (
    turn INTEGER PRIMARY KEY,
    ran_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    keep INTEGER NOT NULL,
    arrival_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    whose TEXT
)"""


def connect(file: Path, *, max_pages: int) -> sqlite3.Connection:
    """Open or make an outbox file; every pragma is read back.

    Raises:
        OutboxRefused: another program's file, a newer schema, or a pragma that did not hold.
        sqlite3.Error: the file cannot be read.
    """
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        if _is_empty(database, file):
            _settle(database, max_pages=max_pages)
            _make(database)
        else:
            _check_ours(database, file)
            _settle(database, max_pages=max_pages)
        database.execute(book.TABLE)  # a file of before there were alarms gets it now
        if "whose" not in columns(database, "outbox"):
            _count_from_now(database)  # and one of before residents were counted
        _make_delivered(database)
        check_pragmas(database, file)
    except BaseException:
        database.close()
        raise
    return database


def _count_from_now(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute("ALTER TABLE outbox ADD COLUMN whose TEXT")
        database.execute(
            "INSERT OR REPLACE INTO note SELECT ?, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'",
            (TALLY_SINCE,),
        )
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def look_at(file: Path, *, max_pages: int) -> sqlite3.Connection:
    """Open an outbox file to read only, beside whoever writes it; makes and changes nothing.

    Raises:
        OutboxRefused: another program's file, another schema, or one that is still being made.
        sqlite3.Error: the file cannot be read.
    """
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
    try:
        database.execute("PRAGMA query_only = ON")
        if _is_empty(database, file):
            raise OutboxRefused(f"{file}: empty, it is still being made or its making was cut short")
        _check_ours(database, file)
        database.execute(f"PRAGMA max_page_count = {max_pages}").fetchall()
    except BaseException:
        database.close()
        raise
    return database


def check_pragmas(database: sqlite3.Connection, file: Path) -> None:
    """Read back what the promise rests on.

    Raises:
        OutboxRefused: one of them does not hold.
    """
    for name, wanted in _REQUIRED.items():
        found = pragma(database, name)
        if found != wanted:
            raise OutboxRefused(f"{file}: PRAGMA {name} is {found}, must be {wanted}")


def columns(database: sqlite3.Connection, table: str) -> frozenset[str]:
    """Names of a table's columns; none where there is no such table."""
    return frozenset(row[1] for row in database.execute(f"PRAGMA table_info({table})"))


def pragma(database: sqlite3.Connection, name: str) -> str | int:
    """One pragma's present value."""
    value: str | int = database.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def named_error(error: sqlite3.Error, file: Path) -> OutboxError:
    """What SQLite said, as one of ours."""
    text = f"{file}: {error}"
    code = getattr(error, "sqlite_errorcode", None)  # absent where Python, not SQLite, found the fault
    if code == sqlite3.SQLITE_FULL:
        return OutboxFull(text)
    return OutboxDamaged(text) if code in _DAMAGE else OutboxFailed(text)


def _make_delivered(database: sqlite3.Connection) -> None:
    """A file of before anything was kept gets the table now, and one of before residents were counted its column.

    Without a page left a file gets the table at a later start; one that has no page for the column is emptied of what
    is delivered, which gives way in a full file anyway.
    """
    try:
        database.execute(_DELIVERED)
        if "whose" not in columns(database, "delivered"):
            database.execute("ALTER TABLE delivered ADD COLUMN whose TEXT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        if columns(database, "delivered"):
            database.execute("DROP TABLE delivered")


def _is_empty(database: sqlite3.Connection, file: Path) -> bool:
    """A file whose making was cut short has no table and not yet our mark; it holds nothing and is made again."""
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    marks = (pragma(database, "application_id"), pragma(database, "user_version"))
    if tables == 0 and marks != (0, 0):
        raise OutboxRefused(f"{file}: marked as in use but without tables")
    return bool(tables == 0)


def _check_ours(database: sqlite3.Connection, file: Path) -> None:
    if pragma(database, "application_id") != APPLICATION_ID:
        raise OutboxRefused(f"{file}: belongs to another program")
    version = pragma(database, "user_version")
    if version != SCHEMA_VERSION:
        raise OutboxRefused(f"{file}: schema {version}, this software writes {SCHEMA_VERSION}")
    mode = pragma(database, "journal_mode")
    if mode != "wal":
        raise OutboxRefused(f"{file}: PRAGMA journal_mode is {mode}, must be wal; somebody else has changed this file")


def _settle(database: sqlite3.Connection, *, max_pages: int) -> None:
    for name, setting in SETTINGS:
        database.execute(f"PRAGMA {name} = {setting}").fetchall()
    # Not kept in the file: has to be said on every open, or a full card can never be drained again.
    database.execute(f"PRAGMA max_page_count = {max_pages}").fetchall()


def _make(database: sqlite3.Connection) -> None:
    database.executescript(
        f"""BEGIN IMMEDIATE;
        {_TABLES}
        INSERT INTO meta VALUES ('epoch', '{new_epoch()}');
        PRAGMA application_id = {APPLICATION_ID};
        PRAGMA user_version = {SCHEMA_VERSION};
        COMMIT;"""  # noqa: S608  # constants of this file and our own hex digits
    )
