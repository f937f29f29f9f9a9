"""One row for every look at a person and every act: no row, no answer."""

from sqlalchemy import insert

from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Transaction

_NOTE = insert(schema.audit)


def record(transaction: Transaction, viewer: Viewer, *, act: str, about: str, result: str) -> None:
    """Note who did or saw what, in the transaction of the act; ids only, never a name or a vital of a resident."""
    note(transaction, by=viewer.user, act=act, about=about, result=result)


def note(transaction: Transaction, *, by: str, act: str, about: str, result: str) -> None:
    """The same for who is no member of staff: `console:NAME` at the county's machine, `gateway:ID`, `county`."""
    row = {"at_ms": transaction.now_ms, "user": by, "act": act, "object": about, "result": result}
    transaction.connection.execute(_NOTE, row)
