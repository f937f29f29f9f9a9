"""The schema: migrations build what the code sees, and a file that cannot keep the promises is refused."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kanhu.cloud.authority.late import questions
from kanhu.cloud.errors import LedgerUnusable
from kanhu.cloud.ledger import migrations
from kanhu.cloud.ledger.database import REVISIONS, Ledger
from kanhu.cloud.ledger.schema import metadata
from kanhu.cloud.ledger.writer import Writer
from kanhu.contract import FakeClock


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


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
    with ledger.connect_writer() as connection:
        connection.exec_driver_sql("INSERT INTO counter VALUES ('name', 1)")
        connection.commit()
        files = sorted(tmp_path.glob("ledger.db*"))
        assert [file.name for file in files] == ["ledger.db", "ledger.db-shm", "ledger.db-wal"]
        assert {file.stat().st_mode & 0o077 for file in files} == {0}
    ledger.close()


def test_a_file_without_the_newest_schema_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(LedgerUnusable, match="migrate"):
        ledger.check()
    ledger.close()


def test_files_of_changes_are_named_after_their_revisions() -> None:
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    assert [script.revision for script in scripts][::-1] == list(REVISIONS)


def test_every_older_schema_is_brought_up_with_what_is_in_it(tmp_path: Path) -> None:
    newest = _config()
    revisions = [script.revision for script in ScriptDirectory.from_config(newest).walk_revisions()][:0:-1]
    assert revisions, "there is an older schema"
    for revision in revisions:
        ledger = Ledger(tmp_path / revision / "ledger.db")
        with ledger.connect_writer() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.exec_driver_sql("INSERT INTO counter VALUES ('kept', 7)")
            if revision >= "0004":
                connection.exec_driver_sql(
                    "INSERT INTO certificate (serial, gateway, issued_ms, until_ms, sha256, key_sha256, pem) "
                    "VALUES ('7', 'home-01', 1, 2, x'', x'', x'')"
                )
            connection.commit()
        with pytest.raises(LedgerUnusable, match="run kanhu-cloud migrate"):
            ledger.check()
        ledger.migrate()
        ledger.check()
        with ledger.read() as connection:
            assert connection.exec_driver_sql("SELECT value FROM counter WHERE name = 'kept'").scalar() == 7
            given = connection.exec_driver_sql("SELECT until_ms, ran_out_ms, confirmed_ms FROM certificate").all()
            assert given == ([(2, None, None)] if revision >= "0004" else [])
            assert questions(connection, "/", now_ms=3) == {}, "nobody is asked about what an older version gave"
        ledger.close()


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.migrate()
    with ledger.connect_writer() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for look in (ledger.migrate, ledger.check):
        with pytest.raises(LedgerUnusable, match="newer kanhu"):
            look()
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
