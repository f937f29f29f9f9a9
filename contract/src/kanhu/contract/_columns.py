"""Records to columns and back; exact both ways.

Limits stand in the types, so that hostile bytes are refused while they are read, before they cost memory.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, TypeVar

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import InvalidRecord
from kanhu.contract.records import Context, Finding, Gap, Observation, Part, Quality, Record, Subject, Times, Waveform

_Value = TypeVar("_Value")
_EPOCH = re.compile(r"[0-9a-f]{32}")
_EPOCH_BYTES = 16
_SEQ_LIMIT = 2**63 - 1
_MAX_PARTS = 16  # of one observation; no panel of the metric table has as many

MAX_RECORDS = 4096
"""Records in one envelope."""

_AT_MOST_ALL = msgspec.Meta(max_length=MAX_RECORDS)


class Origin(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What neighbouring observations share; travels once."""

    metric: str
    parts: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=_MAX_PARTS)]
    subject: Subject
    device: str
    boot: str
    clock: ClockState
    quality: Quality
    context: Context


class Columns(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The body of an envelope."""

    gateway: str
    epoch: bytes
    seqs: Annotated[list[int], _AT_MOST_ALL]
    """First sequence number, then differences."""
    origins: Annotated[list[Origin], _AT_MOST_ALL]
    origin: Annotated[list[Annotated[int, msgspec.Meta(ge=-1)]], _AT_MOST_ALL]
    """For each observation its row in `origins`; -1 for a record that travels whole."""
    whole: Annotated[list[Waveform | Finding | Gap], _AT_MOST_ALL]
    arrival_ms: Annotated[list[int], _AT_MOST_ALL]
    mono_ns: Annotated[list[int], _AT_MOST_ALL]
    device_ms: Annotated[list[int | None], _AT_MOST_ALL]
    earliest_ms: Annotated[list[int | None], _AT_MOST_ALL]
    latest_ms: Annotated[list[int | None], _AT_MOST_ALL]
    lengths: list[int]
    """How many steps each part has, only where that is not 1: (index of part, length), one pair after the other."""
    steps: list[int]


def pack_columns(gateway: str, epoch: str, records: Sequence[tuple[int, Record]]) -> Columns:
    """Columns of these records.

    Raises:
        InvalidRecord: no records, sequence numbers that do not rise, or an epoch that is not one.
    """
    if not _EPOCH.fullmatch(epoch):
        raise InvalidRecord(f"epoch {epoch!r} is not 32 hex digits")
    seqs = [seq for seq, _ in records]
    if not seqs or seqs[0] < 1 or seqs[-1] > _SEQ_LIMIT or any(after <= before for before, after in pairwise(seqs)):
        raise InvalidRecord("sequence numbers must rise, from 1 or more")
    observations = [record for _, record in records if isinstance(record, Observation)]
    rows: dict[Origin, int] = {}
    origin = [
        rows.setdefault(_origin(record), len(rows)) if isinstance(record, Observation) else -1 for _, record in records
    ]
    lengths, steps = _pack_steps(observations)
    return Columns(
        gateway=gateway,
        epoch=bytes.fromhex(epoch),
        seqs=_differences(seqs),
        origins=list(rows),
        origin=origin,
        whole=[record for _, record in records if not isinstance(record, Observation)],
        arrival_ms=_differences(record.times.arrival_ms for record in observations),
        mono_ns=_differences(record.times.mono_ns for record in observations),
        device_ms=_sparse_differences(record.times.device_ms for record in observations),
        earliest_ms=_sparse_differences(record.times.earliest_ms for record in observations),
        latest_ms=_sparse_differences(record.times.latest_ms for record in observations),
        lengths=lengths,
        steps=steps,
    )


def unpack_columns(columns: Columns) -> tuple[tuple[int, Record], ...]:
    """Records of these columns.

    Raises:
        InvalidRecord, UnknownMetric, IndexError, ValueError: the columns contradict each other.
    """
    if len(columns.epoch) != _EPOCH_BYTES:
        raise InvalidRecord("an epoch has 16 bytes")
    seqs = list(accumulate(columns.seqs))
    if seqs[0] < 1 or any(difference < 1 for difference in columns.seqs[1:]) or seqs[-1] > _SEQ_LIMIT:
        raise InvalidRecord("sequence numbers must rise, from 1 or more")
    if len(columns.origin) != len(seqs):
        raise InvalidRecord("columns differ in length")
    observations = iter(_unpack_observations(columns, [row for row in columns.origin if row >= 0]))
    whole = iter(columns.whole)
    records: list[Record] = [next(observations) if row >= 0 else _next(whole) for row in columns.origin]
    if next(whole, None) is not None:
        raise InvalidRecord("more whole records than places")
    return tuple(zip(seqs, records, strict=True))


def _origin(record: Observation) -> Origin:
    return Origin(
        metric=record.metric,
        parts=tuple(part.metric for part in record.parts),
        subject=record.subject,
        device=record.device,
        boot=record.times.boot,
        clock=record.times.clock,
        quality=record.quality,
        context=record.context,
    )


def _unpack_observations(columns: Columns, rows: list[int]) -> list[Observation]:
    arrivals = list(accumulate(columns.arrival_ms))
    monos = list(accumulate(columns.mono_ns))
    devices = _undo_sparse(columns.device_ms)
    earliests = _undo_sparse(columns.earliest_ms)
    latests = _undo_sparse(columns.latest_ms)
    origins = [columns.origins[row] for row in rows]
    parts = _unpack_steps(columns, origins)
    return [
        Observation(
            metric=origin.metric,
            parts=own_parts,
            subject=origin.subject,
            device=origin.device,
            times=Times(arrival, mono, origin.boot, origin.clock, device, earliest, latest),
            quality=origin.quality,
            context=origin.context,
        )
        for origin, own_parts, arrival, mono, device, earliest, latest in zip(
            origins, parts, arrivals, monos, devices, earliests, latests, strict=True
        )
    ]


def _pack_steps(observations: Sequence[Observation]) -> tuple[list[int], list[int]]:
    """Flat steps, each as the difference to the last one of the same device and part."""
    lengths: list[int] = []
    steps: list[int] = []
    last: dict[tuple[str, str], int] = {}
    index = 0
    for observation in observations:
        for part in observation.parts:
            if len(part.steps) != 1:
                lengths += (index, len(part.steps))
            index += 1
            before = last.get((observation.device, part.metric), 0)
            for step in part.steps:
                steps.append(step - before)
                before = step
            last[observation.device, part.metric] = before
    return lengths, steps


def _unpack_steps(columns: Columns, origins: Sequence[Origin]) -> list[tuple[Part, ...]]:
    lengths = dict(zip(columns.lengths[::2], columns.lengths[1::2], strict=True))
    if 2 * len(lengths) != len(columns.lengths):
        raise InvalidRecord("a part has two lengths")
    last: dict[tuple[str, str], int] = {}
    unpacked: list[tuple[Part, ...]] = []
    index = at = 0
    for origin in origins:
        parts: list[Part] = []
        for code in origin.parts:
            length = lengths.pop(index, 1)
            index += 1
            differences = columns.steps[at : at + length]
            if length < 1 or len(differences) != length:
                raise InvalidRecord("steps run out")
            at += length
            before = last.get((origin.device, code), 0)
            values = tuple(accumulate(differences, initial=before))[1:]
            last[origin.device, code] = values[-1]
            parts.append(Part(code, values))
        unpacked.append(tuple(parts))
    if at != len(columns.steps) or lengths:
        raise InvalidRecord("more steps than parts")
    return unpacked


def _differences(values: Iterable[int]) -> list[int]:
    before = 0
    differences = []
    for value in values:
        differences.append(value - before)
        before = value
    return differences


def _sparse_differences(values: Iterable[int | None]) -> list[int | None]:
    before = 0
    differences: list[int | None] = []
    for value in values:
        if value is None:
            differences.append(None)
        else:
            differences.append(value - before)
            before = value
    return differences


def _undo_sparse(differences: Iterable[int | None]) -> list[int | None]:
    before = 0
    values: list[int | None] = []
    for difference in differences:
        if difference is None:
            values.append(None)
        else:
            before += difference
            values.append(before)
    return values


def _next(whole: Iterator[_Value]) -> _Value:
    record = next(whole, None)
    if record is None:
        raise InvalidRecord("fewer whole records than places")
    return record
