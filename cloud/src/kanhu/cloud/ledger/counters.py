"""Counts that survive restarts: what arrived, what was refused and why."""

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from kanhu.cloud.ledger import schema

_ADD = insert(schema.counter)
_COUNT = _ADD.on_conflict_do_update(
    index_elements=["name"], set_={"value": schema.counter.c.value + _ADD.excluded.value}
)


def count(connection: Connection, amounts: Mapping[str, int]) -> None:
    """Add to named counters."""
    rows = [{"name": name, "value": amount} for name, amount in amounts.items() if amount]
    if rows:
        connection.execute(_COUNT, rows)


def counters(connection: Connection, *, prefix: str) -> dict[str, int]:
    """Counters whose name begins so, without the prefix, by name."""
    rows = connection.execute(
        select(schema.counter.c.name, schema.counter.c.value)
        .where(schema.counter.c.name.startswith(prefix, autoescape=True))
        .order_by(schema.counter.c.name)
    )
    return {row.name.removeprefix(prefix): row.value for row in rows}
