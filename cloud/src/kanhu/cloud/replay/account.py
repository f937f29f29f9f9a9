"""The account of one village: what its gateways had, what the ledger holds of it, what the county would not take."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import counters
from kanhu.cloud.ledger.coverage import read_coverage
from kanhu.cloud.replay.outcome import Counts
from kanhu.cloud.replay.virtual_gateway import Parcel, VirtualGateway
from kanhu.contract import Receipt, SeqRanges

__all__ = ["Account"]


class Account:
    """Compares what was sent with what was answered, as the gateways see it."""

    def __init__(self) -> None:
        """Nothing was sent."""
        self._refused: dict[tuple[str, str, int], Parcel] = {}

    def answered(self, parcels: Sequence[Parcel], receipts: Sequence[Receipt]) -> None:
        """Note parcels that no receipt names, once however often they came; a parcel is taken or refused whole."""
        accounted = {receipt.epoch: _accounted(receipt) for receipt in receipts}
        for parcel in parcels:
            stored = accounted.get(parcel.epoch)
            if stored is None or parcel.seqs[0] not in stored:
                self._refused[parcel.gateway, parcel.epoch, parcel.seqs[0]] = parcel

    def counts(self, connection: Connection, village: str, gateways: Iterable[VirtualGateway]) -> Counts:
        """The account at the end; what is stored is read from the ledger itself."""
        everyone = sorted(gateways, key=lambda gateway: gateway.id)
        decisions: Counter[str] = Counter()
        for gateway in everyone:
            decisions.update(gateway.decisions)
        findings = sum(gateway.findings for gateway in everyone)
        owed = sum(gateway.owed_readings() for gateway in everyone)
        waiting = sum(len(gateway.urgent) + len(gateway.routine) for gateway in everyone) - owed
        refused = sum(parcel.readings for parcel in self._refused.values())
        not_taken = sum(len(parcel.seqs) for parcel in self._refused.values()) - refused
        rows = connection.execute(select(func.coalesce(func.sum(schema.segment.c.records), 0))).scalar_one()
        numbers = _numbers(connection)
        stages = counters(connection, prefix="")
        return Counts(
            village=village,
            readings=sum(gateway.readings for gateway in everyone),
            stored=numbers - (findings - waiting - not_taken),
            duplicated=rows - numbers,
            refused=refused,
            owed=owed,
            redelivered=stages.get("ingest.redelivered", 0),
            findings=findings,
            decisions=dict(sorted(decisions.items())),
            stages=stages,
        )


def _accounted(receipt: Receipt) -> SeqRanges:
    ranges = SeqRanges(receipt.ranges)
    if receipt.contiguous:
        ranges.add(1, receipt.contiguous)
    return ranges


def _numbers(connection: Connection) -> int:
    """How many numbers of outboxes the ledger holds."""
    outboxes = connection.execute(select(schema.coverage.c.gateway, schema.coverage.c.epoch)).all()
    return sum(
        last - first + 1
        for gateway, epoch in outboxes
        for first, last in read_coverage(connection, gateway=gateway, epoch=epoch).stored
    )
