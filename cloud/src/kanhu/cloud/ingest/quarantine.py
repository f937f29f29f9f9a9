"""Keeps what was refused, whole but bounded, and counts it by reason for ever."""

import hashlib

from sqlalchemy import delete, insert

from kanhu.cloud.ingest.door import Message, Refused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction

KEPT_MESSAGES = 1000
KEPT_BYTES = 64 * 1024
"""Of one message; an honest one is never larger."""
_TEXT = 300


def quarantine(transaction: Transaction, message: Message, refused: Refused) -> None:
    """Keep one refused message; the oldest beyond KEPT_MESSAGES gives way, the counters stay."""
    made = transaction.connection.execute(
        insert(schema.quarantine).values(
            received_ms=transaction.now_ms,
            topic=message.topic[:_TEXT],
            reason=refused.reason,
            detail=refused.detail[:_TEXT],
            size=len(message.body),
            sha256=hashlib.sha256(message.body).digest(),
            body=message.body[:KEPT_BYTES],
        )
    ).inserted_primary_key
    if made is not None:
        table = schema.quarantine
        transaction.connection.execute(delete(table).where(table.c.id <= made[0] - KEPT_MESSAGES))
    count(transaction.connection, {f"quarantine.{refused.reason}": 1})
