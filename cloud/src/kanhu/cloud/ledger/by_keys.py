"""Rows of many keys by one statement, which costs more than many small rows.

The keys are one parameter, a JSON array: SQLite takes 32,766 parameters at most, and looks a pair of columns up in a
list of VALUES by reading the whole table, where it uses the index for those that a query gives.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, literal_column, select, tuple_

__all__ = ["among", "by_keys"]


def among(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether these columns of text are one of the keys that `by_keys` is given."""
    each = func.json_each(bindparam("keys")).table_valued("value", name="each")
    if len(columns) == 1:
        return columns[0].in_(select(each.c.value))
    parts = (each.c.value.op("->>")(literal_column(str(at))) for at in range(len(columns)))
    return tuple_(*columns).in_(select(*parts))


def by_keys(connection: Connection, statement: Select[Any], keys: Collection[Any]) -> list[Row[Any]]:
    """All rows of a statement with `among`, by texts or by tuples of texts."""
    return list(connection.execute(statement, {"keys": json.dumps([*keys])})) if keys else []
