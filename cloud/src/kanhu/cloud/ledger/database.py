"""Opens the ledger: one SQLite file in WAL with synchronous FULL, read back, brought to the newest schema.

Writers commit to the disk before they answer; a file system that cannot do WAL is refused at the door.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, StrEnum
from pathlib import Path
from sqlite3 import Connection as DriverConnection

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from kanhu.cloud.errors import LedgerUnusable

LEDGER_FILE = "ledger.db"
_BUSY_MS = 10_000
_MMAP_BYTES = 256 * 1024 * 1024
_READERS = 16
_OWNER_ONLY = 0o600
_MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(file.name[1:5] for file in (_MIGRATIONS / "versions").glob("v*.py")))
"""Of the schema, oldest first, as the files of its changes are named."""


class Access(StrEnum):
    """What a connection is for."""

    WRITE = "write"
    READ = "read"


class Durability(Enum):
    """What a commit is worth: the journal and how far it goes to the disk, as SQLite numbers it."""

    PROMISED = ("wal", 2)
    SCRATCH = ("memory", 0)
    """For a file that is made, read and thrown away by one process: a replay, where nobody is promised anything."""

    @property
    def journal(self) -> str:
        """`journal_mode`."""
        return self.value[0]

    @property
    def synchronous(self) -> int:
        """`synchronous`: 2 is FULL, 0 is OFF."""
        return self.value[1]


class Ledger:
    """The file, with one engine for the writer thread and one for readers."""

    def __init__(self, path: Path, *, durability: Durability = Durability.PROMISED) -> None:
        """Open an existing or new file; the schema is `migrate`'s work.

        Raises:
            LedgerUnusable: there can be no such folder.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name != ":memory:" and not path.exists():
                path.touch(_OWNER_ONLY)  # SQLite makes the files beside it, with names in them, as open as this one
        except (OSError, ValueError) as error:  # ValueError: no path at all
            raise LedgerUnusable(f"{path.parent}: {error}; change `data` in cloud.toml") from error
        self.path = path
        self._durability = durability
        self._writer = _engine(path, Access.WRITE, durability)
        self._readers = _engine(path, Access.READ, durability)

    def connect_writer(self) -> Connection:
        """The connection of the one writer thread; transactions begin immediate."""
        return self._writer.connect()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look, from any thread; the file is query-only here."""
        with self._readers.connect() as connection, connection.begin():
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest revision.

        Raises:
            LedgerUnusable: the file is no ledger, cannot be written, or is of a newer kanhu.
        """
        with self._named_errors(), self._writer.connect() as connection:
            if self._refuse_newer(connection) != REVISIONS[-1]:
                _upgrade(connection)
        self.path.chmod(_OWNER_ONLY)  # names, addresses and phone numbers are in it

    def check(self) -> None:
        """Refuse a file whose pragmas or schema are not what the promises need.

        Raises:
            LedgerUnusable: with what was found.
        """
        with self._named_errors(), self._writer.connect() as connection:
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
            need = self._durability.value
            if (journal, synchronous) != need:
                found = f"journal {journal}, synchronous {synchronous}"
                raise LedgerUnusable(f"{self.path}: {found}; need {need[0]}, {need[1]}")
            schema = self._refuse_newer(connection)
            if schema != REVISIONS[-1]:
                raise LedgerUnusable(f"{self.path}: schema {schema}, need {REVISIONS[-1]}; run kanhu-cloud migrate")

    def _refuse_newer(self, connection: Connection) -> str | None:
        found: str | None = None
        if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first():
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if found is not None and found not in REVISIONS:
            raise LedgerUnusable(f"{self.path}: schema {found} is of a newer kanhu; install that version again")
        return found

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            remedy = "check its disk and owner, or restore it from a backup"
            raise LedgerUnusable(f"{self.path}: {error.orig}; {remedy}") from error

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()
        self._writer.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # a third of a second of every command, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def _engine(path: Path, access: Access, durability: Durability) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1 if access is Access.WRITE else _READERS,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: DriverConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours, so that savepoints work and a write begins immediate
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA mmap_size={_MMAP_BYTES}")
        if access is Access.WRITE:
            cursor.execute(f"PRAGMA journal_mode={durability.journal}")
            cursor.execute(f"PRAGMA synchronous={durability.synchronous}")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if access is Access.WRITE else "BEGIN")

    return engine
