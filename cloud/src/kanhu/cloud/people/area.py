"""Areas: a member of staff sees the own place and everything below it; applied in the query, never after it."""

from sqlalchemy import Column, ColumnElement, Connection, and_, select
from sqlalchemy.sql.expression import ColumnClause

from kanhu.cloud.ledger import schema

NOWHERE = "//"
"""A path that no place has."""


def area_of(connection: Connection, place: str) -> str:
    """Path of a place by its id; of a place nobody knows, a path that holds nothing."""
    found = connection.execute(select(schema.place.c.path).where(schema.place.c.id == place)).scalar()
    return NOWHERE if found is None else str(found)


def inside(column: "Column[str] | ColumnClause[str]", area: str) -> ColumnElement[bool]:
    """Whether a column of paths lies in an area; a range, so that an index serves it."""
    return and_(column >= area, column < area[:-1] + chr(ord("/") + 1))
