"""The account of a demo is the external ledger's."""

from kanhu.harness.ledger import Account, balance, count_emitted, emissions, has_started

__all__ = ["Account", "balance", "count_emitted", "emissions", "has_started"]
