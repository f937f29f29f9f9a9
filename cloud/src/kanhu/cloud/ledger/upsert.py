"""Statements built once: putting SQL together costs more than running it on a small row."""

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import Insert, insert


def upsert(table: Table) -> Insert:
    """Insert a whole row, or replace the one with its primary key; give every column as a parameter."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
