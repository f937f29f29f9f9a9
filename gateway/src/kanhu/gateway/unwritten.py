"""Alerts that the card did not take: kept in memory under an epoch of their own, and sent from there.

    not written ──▶ waiting ──handed to a broker──▶ sent ──receipt──▶ settled
                       └── the card takes writes again ──▶ written to the outbox

Each is in one place at a time, so that the county counts it once: what no broker has had goes to the card as soon as
that takes it, what a broker has had stays here until the county answers for it. One record an envelope, so that the
county can refuse it alone. A loss of power loses what is here; nobody was promised anything, and the record says by
its action `memory_only` that it came without a card.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from kanhu.contract import Envelope, Finding, Receipt, Record, SeqRanges, encode_envelope, new_epoch
from kanhu.contract.records import MAX_ACTIONS
from kanhu.gateway.parcels import SealedParcel

MEMORY_ONLY = "memory_only"
"""Among a finding's actions: it was sent from memory, because the card took no writes."""

_MOST = 200
"""Records kept, about 100 KiB; who calls for help again and again is known by the first of them."""


class Unwritten:
    """Of one process; outlives the outbox that failed."""

    def __init__(self, gateway: str) -> None:
        """Empty, under a new epoch."""
        self.epoch = new_epoch()
        self.wake = asyncio.Event()
        """Set when there is something to send."""
        self._gateway = gateway
        self._last = 0
        self._waiting: dict[int, Record] = {}
        self._sent: dict[int, Record] = {}
        self._settled: list[tuple[int, Record]] = []
        self._confirmed: set[str] = set()

    def __len__(self) -> int:
        """How many the county has not answered for."""
        return len(self._waiting) + len(self._sent)

    def keep(self, records: Sequence[Record]) -> bool:
        """Take these in; False, and none of them, where there is no room."""
        if len(self) + len(records) > _MOST:
            return False
        for record in records:
            self._last += 1
            self._waiting[self._last] = record
        self.wake.set()
        return True

    def parcels(self) -> list[SealedParcel]:
        """Everything unanswered, oldest first; from now on a broker may have had it."""
        self._sent |= {seq: _marked(record) for seq, record in self._waiting.items()}
        self._waiting.clear()
        return [
            SealedParcel((seq,), encode_envelope(Envelope(self._gateway, self.epoch, ((seq, record),))))
            for seq, record in self._sent.items()
        ]

    def settle(self, receipt: Receipt) -> int:
        """Let go of what the county has stored, or refuses; returns how many were refused."""
        stored = SeqRanges(receipt.ranges)
        if receipt.contiguous:
            stored.add(1, receipt.contiguous)
        refused = SeqRanges((refusal.first, refusal.last) for refusal in receipt.refused)
        self._settled += [(seq, record) for seq, record in self._sent.items() if seq in stored]
        self._confirmed |= {record.alert_id for _, record in self._settled if isinstance(record, Finding)}
        left = {seq: record for seq, record in self._sent.items() if seq not in stored}
        self._sent = {seq: record for seq, record in left.items() if seq not in refused}
        return len(left) - len(self._sent)

    def is_confirmed(self, alert: str) -> bool:
        """Whether the county has stored a finding of this alert that came from here."""
        return alert in self._confirmed

    def take_waiting(self) -> list[Record]:
        """What no broker has had; who takes it writes it, or keeps it here again."""
        taken = list(self._waiting.values())
        self._waiting.clear()
        return taken

    def take_settled(self) -> list[tuple[int, Record]]:
        """What the county has stored since this was last asked."""
        taken, self._settled = self._settled, []
        return taken


def _marked(record: Record) -> Record:
    if isinstance(record, Finding) and len(record.actions) < MAX_ACTIONS:
        return msgspec.structs.replace(record, actions=(*record.actions, MEMORY_ONLY))
    return record
