"""Many rows are found by one statement, through the index, whatever their keys are called and however many they are."""

import json

from sqlalchemy import insert, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.by_keys import among, by_keys
from tests.cloud.town import Town

_PAIRS = select(schema.recent).where(among(schema.recent.c.subject, schema.recent.c.metric))
_PEOPLE = select(schema.resident.c.id).where(among(schema.resident.c.id))


def test_exactly_the_rows_of_these_keys_are_found(town: Town) -> None:
    kept = [("张 1", "spo2"), ("张 1", 'a"b'), ("2", "spo2"), ("2", "hr")]
    rows = [{"subject": one, "metric": code, "points": b""} for one, code in kept]
    town.county.writer.run(lambda transaction: transaction.connection.execute(insert(schema.recent), rows))
    with town.county.ledger.read() as connection:
        wanted = [("张 1", 'a"b'), ("2", "spo2"), ("2", 'a"b'), ("nobody", "hr")]
        assert {(row.subject, row.metric) for row in by_keys(connection, _PAIRS, wanted)} == {*kept} & {*wanted}
        assert by_keys(connection, _PAIRS, []) == []
        many = [f"nobody-{number}" for number in range(100_000)]  # more than SQL takes parameters
        assert [row.id for row in by_keys(connection, _PEOPLE, [*many, "r-0002"])] == ["r-0002"]


def test_no_table_is_read_as_a_whole(town: Town) -> None:
    keys = json.dumps([["r-0001", "spo2"], ["r-0002", "hr"]])
    with town.county.ledger.read() as connection:
        for statement in (_PAIRS, _PEOPLE):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.compile(connection)}", (keys,))
            (of_table,) = (row.detail for row in plan if "recent" in row.detail or "resident" in row.detail)
            assert of_table.startswith("SEARCH"), of_table
