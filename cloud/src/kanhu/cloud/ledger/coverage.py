"""Which sequence numbers are stored for good, and which a gateway has named as lost; what receipts are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.upsert import upsert
from kanhu.contract import Receipt, Refusal, SeqRanges
from kanhu.contract.receipt import MAX_RANGES, RECEIPT_VERSION

_READ = select(schema.coverage.c.stored, schema.coverage.c.gaps).where(
    schema.coverage.c.gateway == bindparam("of"), schema.coverage.c.epoch == bindparam("in_epoch")
)
_WRITE = upsert(schema.coverage)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[int, int]])


@dataclass(slots=True)
class Coverage:
    """Of one gateway and epoch."""

    stored: SeqRanges
    gaps: SeqRanges

    def accounted(self) -> SeqRanges:
        """What the gateway need not send: stored, or named as lost by a stored gap record."""
        return SeqRanges((*self.stored, *self.gaps))


def read_coverage(connection: Connection, *, gateway: str, epoch: str) -> Coverage:
    """Coverage so far; empty for a pair never seen."""
    row = connection.execute(_READ, {"of": gateway, "in_epoch": epoch}).first()
    if row is None:
        return Coverage(SeqRanges(), SeqRanges())
    return Coverage(SeqRanges(_decoder.decode(row.stored)), SeqRanges(_decoder.decode(row.gaps)))


def write_coverage(connection: Connection, *, gateway: str, epoch: str, coverage: Coverage) -> None:
    """Keep coverage in the transaction that stores what it speaks of."""
    values = {"stored": _encoder.encode(list(coverage.stored)), "gaps": _encoder.encode(list(coverage.gaps))}
    connection.execute(_WRITE, {"gateway": gateway, "epoch": epoch, **values})


def receipt(
    coverage: Coverage,
    *,
    gateway: str,
    epoch: str,
    now_ms: int,
    fresh: Iterable[int] = (),
    refused: tuple[Refusal, ...] = (),
    heard_ns: int = 0,
) -> Receipt:
    """The receipt of this coverage; where ranges are too many, those holding `fresh` numbers go first."""
    accounted = coverage.accounted()
    contiguous = accounted.contiguous()
    ranges = [span for span in accounted if span[1] > contiguous]
    if len(ranges) > MAX_RANGES:
        wanted = SeqRanges((seq, seq) for seq in fresh)
        touched = [span for span in ranges if any(first <= span[1] and last >= span[0] for first, last in wanted)]
        ranges = sorted({*touched[:MAX_RANGES], *ranges[: MAX_RANGES - min(len(touched), MAX_RANGES)]})
    return Receipt(
        version=RECEIPT_VERSION,
        gateway=gateway,
        epoch=epoch,
        contiguous=contiguous,
        ranges=tuple(ranges),
        refused=refused,
        county_ms=now_ms,
        heard_ns=heard_ns,
    )
