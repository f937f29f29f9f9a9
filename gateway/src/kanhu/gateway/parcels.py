"""From owed records to the bytes of one envelope, and what to do with a record that makes none."""

from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.contract import (
    ContractError,
    Envelope,
    Lane,
    MessageTooLarge,
    Record,
    decode_envelope,
    encode_envelope,
)
from kanhu.gateway.outbox import Outbox

_NOT_ENCODABLE = "not_encodable"
_TOO_LARGE = "too_large"
_SPARE_PERCENT = 90  # fewer records compress less well: a tenth to spare, or it would take many tries


@dataclass(frozen=True, slots=True)
class SealedParcel:
    """One envelope with the numbers in it."""

    seqs: tuple[int, ...]
    wire: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken from a queue: how far it was read, and the parcel, if there was anything to send."""

    upto: int
    parcel: SealedParcel | None


def take_next(
    outbox: Outbox,
    lane: Lane,
    *,
    gateway: str,
    most_bytes: int,
    after: int,
    upto: int | None = None,
    without: frozenset[int],
) -> Taken:
    """The oldest records of a queue past `after`, as many as go into so many bytes; at least one."""
    rows = outbox.batch(lane, after=after, upto=upto)
    if not rows:
        return Taken(outbox.last_seq if upto is None else upto, None)
    wanted = [row for row in rows if row[0] not in without]
    if not wanted:
        return Taken(rows[-1][0], None)
    parcel = _seal(outbox, wanted, gateway=gateway, most_bytes=most_bytes)
    if parcel is None:
        return Taken(wanted[0][0], None)
    whole = len(parcel.seqs) == len(wanted)
    return Taken(rows[-1][0] if whole else parcel.seqs[-1], parcel)


def take_these(outbox: Outbox, seqs: Sequence[int], *, gateway: str, most_bytes: int) -> SealedParcel | None:
    """The first of these records that are still owed, as many as go into so many bytes; at least one."""
    rows = outbox.fetch(seqs)
    return _seal(outbox, rows, gateway=gateway, most_bytes=most_bytes) if rows else None


def _seal(outbox: Outbox, rows: list[tuple[int, Record]], *, gateway: str, most_bytes: int) -> SealedParcel | None:
    """Fewer rows where they do not fit; a first row that fits nowhere is set aside and None returned."""
    while True:
        try:
            wire = encode_envelope(Envelope(gateway, outbox.epoch, tuple(rows)))
            if len(wire) > most_bytes and len(rows) > 1:
                fitting = len(rows) * most_bytes * _SPARE_PERCENT // (len(wire) * 100)
                rows = rows[: max(1, min(fitting, len(rows) - 1))]
                continue
            decode_envelope(wire)  # what the county could not read is never sent
        except ContractError as error:
            if len(rows) == 1:
                reason = _TOO_LARGE if isinstance(error, MessageTooLarge) else _NOT_ENCODABLE
                outbox.quarantine([rows[0][0]], reason=reason)
                return None
            rows = rows[: len(rows) // 2]
        else:
            return SealedParcel(tuple(seq for seq, _ in rows), wire)
