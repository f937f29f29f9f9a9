"""Sessions of nobody known: one row each, with the newest reading of each kind, for staff to say whose they are.

Follows from the segments, and is the same in whatever order they came. Readings that belong to a session which somebody
assigned already follow that word. Rooms and batteries are nobody's arm, and have no row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.by_keys import among, by_keys
from kanhu.cloud.ledger.upsert import upsert
from kanhu.cloud.ledger.values import Reading
from kanhu.contract import (
    MetricKind,
    Observation,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
    decode_record,
    encode_record,
    metric,
)

__all__ = [
    "MOST_RECORDS",
    "SessionKey",
    "decode_newest",
    "is_of_an_arm",
    "is_one_visit",
    "keep_assigned",
    "keep_sessions",
    "of_resident",
    "of_session",
]

MOST_RECORDS = 10_000
"""Of an outbox, from the first reading of a session that is a person's to its last: nearly an hour at three records a
second. What is longer is no visit of one person, and judging it would keep everybody else waiting."""

_OF_NO_ARM = frozenset({"room_temperature", "room_humidity", "battery"})
_TABLE = schema.nameless
_READ = select(_TABLE).where(among(_TABLE.c.gateway, _TABLE.c.epoch, _TABLE.c.subject))
_KEEP = upsert(_TABLE)
_ASSIGN = upsert(schema.assigned)
"""Again where the time of a reading became known after it was assigned."""


class SessionKey(NamedTuple):
    """Names one session of nobody known."""

    gateway: str
    epoch: str
    subject: str


class _Newest(msgspec.Struct, frozen=True, array_like=True):
    """The newest reading of one metric, and where it stands among the others."""

    at_ms: int
    seq: int
    metric: str
    record: bytes


_newest = msgspec.msgpack.Decoder(list[_Newest])
_encode = msgspec.msgpack.Encoder().encode


def keep_sessions(connection: Connection, readings: Iterable[Reading]) -> list[SessionKey]:
    """Note newly stored readings of nobody; answers with the sessions that grew after somebody was named for them."""
    by_key: defaultdict[SessionKey, list[Reading]] = defaultdict(list)
    for reading in readings:
        if is_of_an_arm(reading.observation):
            by_key[SessionKey(reading.gateway, reading.epoch, reading.observation.subject.id)].append(reading)
    if not by_key:
        return []
    held = {SessionKey(row.gateway, row.epoch, row.subject): row for row in by_keys(connection, _READ, by_key)}
    grown = {key: _grown(key, fresh, held.get(key)) for key, fresh in by_key.items()}
    connection.execute(_KEEP, [*grown.values()])
    named = [
        key for key, row in grown.items() if row["resident"] is not None and is_one_visit(row["first"], row["last"])
    ]
    for key in named:
        keep_assigned(connection, key.subject, grown[key]["resident"], by_key[key])
    return named


def is_one_visit(first: int, last: int) -> bool:
    """Whether a session from this record of its outbox to that one can be a person's."""
    return last - first < MOST_RECORDS


def keep_assigned(connection: Connection, session: str, resident: str, readings: Sequence[Reading]) -> None:
    """Note that these readings of a session are a resident's."""
    rows = [
        {
            "gateway": reading.gateway,
            "epoch": reading.epoch,
            "seq": reading.seq,
            "subject": session,
            "resident": resident,
            "metric": reading.observation.metric,
            "at_ms": reading.at_ms(),
            "record": encode_record(of_resident(reading.observation, resident)),
        }
        for reading in readings
    ]
    if rows:
        connection.execute(_ASSIGN, rows)


def of_session(table: Table, key: SessionKey) -> ColumnElement[bool]:
    """Which rows of a table are of this session."""
    return and_(table.c.gateway == key.gateway, table.c.epoch == key.epoch, table.c.subject == key.subject)


def is_of_an_arm(observation: Observation) -> bool:
    """Whether somebody was measured of whom nobody knows who it was, in a session that a form can name."""
    subject, code = observation.subject, observation.metric
    if subject.kind is not SubjectKind.UNIDENTIFIED or code in _OF_NO_ARM or metric(code).kind is MetricKind.EVENT:
        return False
    return subject.id != "" and subject.id.isprintable()


def of_resident(observation: Observation, resident: str) -> Observation:
    """The reading as this person's: that nobody knew whose it was lowers it no longer, whatever else did still does."""
    reasons = tuple(each for each in observation.quality.reasons if each is not QualityReason.IDENTITY_UNKNOWN)
    quality = Quality(observation.quality.level, reasons) if reasons else Quality(_level_without(observation.quality))
    subject = Subject(SubjectKind.RESIDENT, resident)
    return msgspec.structs.replace(observation, subject=subject, quality=quality)


def decode_newest(data: bytes) -> list[Observation]:
    """What a row holds: the newest reading of each metric, oldest first."""
    records = (decode_record(one.record) for one in _newest.decode(data))
    return [record for record in records if isinstance(record, Observation)]


def _level_without(quality: Quality) -> QualityLevel:
    """Unusable had another cause, even if none is named."""
    return QualityLevel.OK if quality.level is QualityLevel.QUESTIONABLE else quality.level


def _grown(key: SessionKey, fresh: Sequence[Reading], held: Row[Any] | None) -> dict[str, Any]:
    """The row of a session with these readings beside those that it holds."""
    by_metric = {} if held is None else {one.metric: one for one in _newest.decode(held.newest)}
    for reading in fresh:
        code = reading.observation.metric
        one = _Newest(reading.at_ms(), reading.seq, code, encode_record(reading.observation))
        if code not in by_metric or _order(one) > _order(by_metric[code]):
            by_metric[code] = one
    seqs = [reading.seq for reading in fresh]
    newest = sorted(by_metric.values(), key=_order)
    return {
        **key._asdict(),
        "device": fresh[0].observation.device if held is None else held.device,
        "first": min(seqs if held is None else [*seqs, held.first]),
        "last": max(seqs if held is None else [*seqs, held.last]),
        "readings": len(seqs) + (0 if held is None else held.readings),
        "at_ms": max(one.at_ms for one in newest),
        "newest": _encode(newest),
        "resident": None if held is None else held.resident,
        "decided_ms": None if held is None else held.decided_ms,
        "decided_by": "" if held is None else held.decided_by,
    }


def _order(one: _Newest) -> tuple[int, int]:
    return one.at_ms, one.seq
