"""The schema: migrations build what the code sees, and a file that cannot keep the promises is refused."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from kanhu.cloud.errors import LedgerUnusable
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.schema import metadata
from kanhu.cloud.ledger.writer import Writer
from kanhu.contract import FakeClock


def test_migrations_build_exactly_the_tables_that_the_code_sees(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.migrate()
    with ledger.connect_writer() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    ledger.migrate()
    ledger.check()
    ledger.close()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.migrate()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o077 == 0
    ledger.close()


def test_a_file_without_the_newest_schema_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(LedgerUnusable, match="migrate"):
        ledger.check()
    ledger.close()


def test_a_file_that_cannot_do_wal_is_refused() -> None:
    memory = Ledger(Path(":memory:"))
    with pytest.raises(LedgerUnusable, match="journal memory"):
        memory.check()
    memory.close()


def test_a_failing_job_takes_back_only_its_own_writes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.migrate()
    revisions: list[int] = []
    writer = Writer(ledger, FakeClock(), announce=revisions.append)
    insert = "INSERT INTO counter VALUES (?, 1)"
    good = writer.submit(lambda tx: tx.connection.exec_driver_sql(insert, ("good",)).rowcount)
    bad = writer.submit(lambda tx: [tx.connection.exec_driver_sql(insert, ("bad",)), 1 // 0])
    also = writer.submit(lambda tx: setattr(tx, "revision", 7))
    writer.start()
    assert good.result() == 1
    with pytest.raises(ZeroDivisionError):
        bad.result()
    also.result()
    writer.stop()
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM counter").scalars().all() == ["good"]
    assert revisions == [7]
    with pytest.raises(LedgerUnusable):
        writer.submit(lambda _: None)
    ledger.close()
