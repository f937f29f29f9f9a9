"""What one gateway owes the county: records in memory under (epoch, seq), gone on a receipt and on nothing else.

The digest of every record ever accepted stays, in 32 bytes: the account is settled with it at the end.
"""

from kanhu.contract import Observation, Receipt, record_digest

__all__ = ["DIGEST_BYTES", "Outbox"]

DIGEST_BYTES = 32

Keyed = tuple[int, Observation]


class Outbox:
    """Records of one epoch, numbered from 1."""

    __slots__ = ("_oldest", "_records", "_sent_ns", "_sent_upto", "digests", "epoch", "sent")

    def __init__(self, epoch: str) -> None:
        """Empty."""
        self.epoch = epoch
        self.digests = bytearray()
        self.sent = 0
        """The highest number that was ever handed to a broker."""
        self._records: dict[int, Observation] = {}
        self._sent_ns: dict[int, int] = {}
        self._sent_upto = 0  # on this connection
        self._oldest = 1

    @property
    def accepted(self) -> int:
        """How many records were accepted; the last one's number."""
        return len(self.digests) // DIGEST_BYTES

    @property
    def owed(self) -> int:
        """How many wait for a receipt."""
        return len(self._records)

    @property
    def waiting(self) -> int:
        """How many have not been sent on this connection."""
        return self.accepted - max(self._sent_upto, self._oldest - 1)

    @property
    def in_flight(self) -> bool:
        """Whether something was sent on this connection and has no receipt."""
        return bool(self._records) and next(iter(self._records)) <= self._sent_upto

    def owes(self, seq: int) -> bool:
        """Whether this record waits for a receipt."""
        return seq in self._records

    def oldest(self) -> Observation | None:
        """The oldest record owed."""
        return next(iter(self._records.values()), None)

    def accept(self, record: Observation) -> None:
        """Promise a record."""
        self.digests += record_digest(record)
        self._records[self.accepted] = record

    def reconnect(self) -> None:
        """A new connection: everything owed flies again."""
        self._sent_upto = 0

    def take(self, limit: int, *, upto: int, now_ns: int) -> tuple[Keyed, ...]:
        """Return the next records to send, at most `limit` and none beyond `upto`, and count them as sent."""
        taken: list[Keyed] = []
        seq = max(self._sent_upto, self._oldest - 1)
        while seq < min(upto, self.accepted) and len(taken) < limit:
            seq += 1
            record = self._records.get(seq)
            if record is not None:
                taken.append((seq, record))
                self._sent_ns.setdefault(seq, now_ns)
        self._sent_upto = seq
        self.sent = max(self.sent, seq)
        return tuple(taken)

    def settle(self, receipt: Receipt) -> set[int]:
        """Delete what a receipt names; returns when each parcel among it was first sent, in nanoseconds."""
        first_sent: set[int] = set()
        for first, last in ((self._oldest, receipt.contiguous), *receipt.ranges):
            for seq in range(max(first, self._oldest), min(last, self.accepted) + 1):
                if self._records.pop(seq, None) is not None:
                    first_sent.add(self._sent_ns.pop(seq, 0))
        self._oldest = next(iter(self._records), self.accepted + 1)
        return first_sent - {0}
