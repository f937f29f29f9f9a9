"""Stores what arrived: each (gateway, epoch, seq) once, other bytes under the same key beside it, nothing lost.

An envelope that is new as a whole is kept as it came. Of one that overlaps, only what is new is kept, encoded again;
what is there already is compared by digest: equal counts as a redelivery, different is a conflict, kept as well.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.coverage import Coverage, read_coverage, write_coverage
from kanhu.contract import Envelope, Gap, MessageTooLarge, Record, decode_envelope, encode_envelope, encode_record

_KEEP = insert(schema.segment)
_ADD_STORED = (
    update(schema.gateway)
    .where(schema.gateway.c.id == bindparam("of"))
    .values(stored=schema.gateway.c.stored + bindparam("more"))
)

Keyed = tuple[int, Record]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one envelope."""

    fresh: tuple[Keyed, ...]
    redelivered: int
    conflicts: tuple[Keyed, ...]
    """What came under a known key with bytes not seen before."""
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One stored record, as the ledger's dump states it."""

    gateway: str
    epoch: str
    seq: int
    sha256: str
    kind: str
    received_ms: int


def store(connection: Connection, envelope: Envelope, *, wire: bytes, lane: str, now_ms: int) -> Stored:
    """Keep an envelope, idempotently."""
    key = {"gateway": envelope.gateway, "epoch": envelope.epoch}
    coverage = read_coverage(connection, **key)
    fresh = tuple(entry for entry in envelope.records if entry[0] not in coverage.stored)
    known = [entry for entry in envelope.records if entry[0] in coverage.stored]
    redelivered, conflicts = _compare(connection, known, wire=wire, now_ms=now_ms, **key)
    for part, part_wire in _parts(envelope, fresh, wire):
        connection.execute(
            _KEEP,
            {
                **key,
                "first": part[0][0],
                "last": part[-1][0],
                "records": len(part),
                "lane": lane,
                "received_ms": now_ms,
                "sha256": hashlib.sha256(part_wire).digest(),
                "wire": part_wire,
            },
        )
    if fresh:
        for seq, record in fresh:
            coverage.stored.add(seq, seq)
            for first, last in record.ranges if isinstance(record, Gap) else ():
                coverage.gaps.add(first, last)
        write_coverage(connection, coverage=coverage, **key)
        connection.execute(_ADD_STORED, {"of": envelope.gateway, "more": len(fresh)})
    return Stored(fresh, redelivered, conflicts, coverage)


def records_between(
    connection: Connection, *, gateway: str, epoch: str, first: int, last: int
) -> Iterator[tuple[int, Record]]:
    """Stored records of an outbox in a span of sequence numbers; conflicting versions are not among them."""
    span = received_between(connection, gateway=gateway, epoch=epoch, first=first, last=last)
    return ((seq, record) for seq, record, _ in span)


def received_between(
    connection: Connection, *, gateway: str, epoch: str, first: int, last: int
) -> Iterator[tuple[int, Record, int]]:
    """The same, with when each was received, Unix milliseconds."""
    table = schema.segment
    rows = connection.execute(
        select(table.c.wire, table.c.received_ms)
        .where(table.c.gateway == gateway, table.c.epoch == epoch, table.c.last >= first, table.c.first <= last)
        .order_by(table.c.first)
    )
    for row in rows:
        for seq, record in decode_envelope(row.wire).records:
            if first <= seq <= last:
                yield seq, record, row.received_ms


def ledger_lines(connection: Connection) -> Iterator[LedgerLine]:
    """Every stored record, conflicting versions included, segment by segment."""
    table = schema.segment
    for row in connection.execute(select(table.c.wire, table.c.received_ms).order_by(table.c.id)):
        envelope = decode_envelope(row.wire)
        for seq, record in envelope.records:
            digest, kind = _digest(record).hex(), record_kind(record)
            yield LedgerLine(envelope.gateway, envelope.epoch, seq, digest, kind, row.received_ms)
    for row in connection.execute(select(schema.conflict)):
        yield LedgerLine(row.gateway, row.epoch, row.seq, row.sha256.hex(), "conflict", row.received_ms)


def record_kind(record: Record) -> str:
    """`reading` for an observation, else the record's own name."""
    name = type(record).__name__.lower()
    return "reading" if name == "observation" else name


def _compare(
    connection: Connection, known: Sequence[Keyed], *, gateway: str, epoch: str, wire: bytes, now_ms: int
) -> tuple[int, tuple[Keyed, ...]]:
    if not known:
        return 0, ()
    table = schema.segment
    same = connection.execute(
        select(table.c.id).where(
            table.c.gateway == gateway,
            table.c.epoch == epoch,
            table.c.last == known[-1][0],
            table.c.sha256 == hashlib.sha256(wire).digest(),
        )
    ).first()
    if same is not None:
        return len(known), ()
    held = {
        seq: _digest(record)
        for seq, record in records_between(
            connection, gateway=gateway, epoch=epoch, first=known[0][0], last=known[-1][0]
        )
    }
    different = [(seq, record) for seq, record in known if _digest(record) != held.get(seq)]
    new = [entry for entry in different if _keep_other(connection, gateway, epoch, *entry, now_ms)]
    return len(known) - len(new), tuple(new)


def _keep_other(connection: Connection, gateway: str, epoch: str, seq: int, record: Record, now_ms: int) -> bool:
    kept = connection.execute(
        insert_or(schema.conflict)
        .values(
            gateway=gateway,
            epoch=epoch,
            seq=seq,
            sha256=_digest(record),
            received_ms=now_ms,
            record=encode_record(record),
        )
        .on_conflict_do_nothing()  # the digest is part of the key: what is there is equal
    )
    return kept.rowcount == 1


def _parts(envelope: Envelope, fresh: tuple[Keyed, ...], wire: bytes) -> Iterator[tuple[tuple[Keyed, ...], bytes]]:
    if not fresh:
        return
    if len(fresh) == len(envelope.records):
        yield fresh, wire
        return
    try:
        yield fresh, encode_envelope(Envelope(envelope.gateway, envelope.epoch, fresh))
    except MessageTooLarge:  # a part of an envelope can, rarely, compress worse than the whole
        half = len(fresh) // 2
        yield from _parts(envelope, fresh[:half], wire)
        yield from _parts(envelope, fresh[half:], wire)


def _digest(record: Record) -> bytes:
    return hashlib.sha256(encode_record(record)).digest()
