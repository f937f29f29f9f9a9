"""The receipts that the county sends when it begins to listen: what was published before has reached nobody.

A gateway sees by it which of its records are lost. Only the epoch last heard of is answered: an older card is gone.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.coverage import read_coverage, receipt
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import MessageRefused, Receipt, decode_status

GATEWAYS_A_BATCH = 100
"""So many are read in one job of the writer and sent in one go; alerts of others come between."""

_NEXT = (
    select(schema.gateway.c.id, schema.gateway.c.status)
    .where(schema.gateway.c.id > bindparam("after"))
    .order_by(schema.gateway.c.id)
    .limit(GATEWAYS_A_BATCH)
)
_EPOCHS = select(schema.coverage.c.epoch).where(schema.coverage.c.gateway == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Greetings:
    """Receipts of some gateways, and after which gateway to go on; None at the end."""

    receipts: tuple[Receipt, ...]
    after: str | None


def greetings(transaction: Transaction, *, after: str) -> Greetings:
    """The next gateways of the register past `after`, by name."""
    connection = transaction.connection
    rows = connection.execute(_NEXT, {"after": after}).all()
    receipts: list[Receipt] = []
    for row in rows:
        for epoch in _epochs(connection, row.id, row.status):
            coverage = read_coverage(connection, gateway=row.id, epoch=epoch)
            receipts.append(receipt(coverage, gateway=row.id, epoch=epoch, now_ms=transaction.now_ms))
    return Greetings(tuple(receipts), rows[-1].id if len(rows) == GATEWAYS_A_BATCH else None)


def _epochs(connection: Connection, gateway: str, status: bytes | None) -> list[str]:
    if status is not None:
        try:
            return [decode_status(status).epoch]
        except MessageRefused:  # kept by another version of this program
            pass
    return list(connection.scalars(_EPOCHS, {"of": gateway}))  # no heartbeat ever: any may be the one in use
