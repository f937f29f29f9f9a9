"""Keeps the newest detector states of each gateway's people, and finds those that another card has left.

Bytes under a pseudonym: what is in a state the county does not read.
"""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from kanhu.cloud.ledger import schema
from kanhu.contract import Checkpoint, StateRefusal
from kanhu.contract.states import is_returnable

KEPT_OF_A_PERSON = 3
"""Of one person and gateway: the newest, and what to look at where it turns out to be wrong."""
MOST_PEOPLE = 500
"""Of one gateway; a home for the elderly has fewer. A gateway that lies fills no disk."""

_TABLE = schema.checkpoint
_OF_PERSON = (_TABLE.c.gateway == bindparam("of")) & (_TABLE.c.subject == bindparam("who"))
_NEWEST_OF_EPOCH = (
    select(_TABLE.c.seq, _TABLE.c.checkpoint)
    .where(_OF_PERSON, _TABLE.c.epoch == bindparam("in_epoch"))
    .order_by(_TABLE.c.seq.desc())
    .limit(1)
)
_IDS = select(_TABLE.c.id).where(_OF_PERSON).order_by(_TABLE.c.id.desc())
_PEOPLE = select(func.count(_TABLE.c.subject.distinct())).where(_TABLE.c.gateway == bindparam("of"))
_KEEP = insert(_TABLE)
_FORGET = delete(_TABLE).where(_TABLE.c.id == bindparam("old"))
_LEFT = (
    select(func.max(_TABLE.c.id))
    .where(
        _TABLE.c.gateway == bindparam("of"),
        _TABLE.c.epoch != bindparam("not_epoch"),
        _TABLE.c.subject > bindparam("after"),
    )
    .group_by(_TABLE.c.subject)
    .order_by(_TABLE.c.subject)
    .limit(bindparam("most"))
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Checkpoint)


@dataclass(frozen=True, slots=True)
class KeptStates:
    """What the county has of one gateway."""

    gateway: str
    people: int
    received_ms: int
    """The newest of them."""


def keep(connection: Connection, checkpoint: Checkpoint, *, gateway: str, now_ms: int) -> StateRefusal | None:
    """Keep a state that is newer than what is known of its outbox, or say why not; the same again is kept already."""
    if not checkpoint.is_of(gateway):
        return StateRefusal.CORRUPT
    if not is_returnable(gateway, checkpoint):
        return StateRefusal.TOO_LARGE
    person = {"of": gateway, "who": checkpoint.subject}
    newest = connection.execute(_NEWEST_OF_EPOCH, {**person, "in_epoch": checkpoint.epoch}).first()
    if newest is not None and checkpoint.seq <= newest.seq:
        if checkpoint.seq < newest.seq:
            return StateRefusal.OLDER
        # Taken twice with nothing between them, only the moment differs.
        same = _decoder.decode(newest.checkpoint).state == checkpoint.state
        return None if same else StateRefusal.CONFLICT
    known = list(connection.scalars(_IDS, person))
    if not known and connection.execute(_PEOPLE, {"of": gateway}).scalar_one() >= MOST_PEOPLE:
        return StateRefusal.TOO_MANY
    connection.execute(
        _KEEP,
        {
            "gateway": gateway,
            "subject": checkpoint.subject,
            "epoch": checkpoint.epoch,
            "seq": checkpoint.seq,
            "received_ms": now_ms,
            "checkpoint": _encoder.encode(checkpoint),
        },
    )
    for old in known[KEPT_OF_A_PERSON - 1 :]:
        connection.execute(_FORGET, {"old": old})
    return None


def left_behind(connection: Connection, *, gateway: str, epoch: str, after: str, most: int) -> tuple[Checkpoint, ...]:
    """The newest state of each person that an outbox of another epoch has left, by subject, behind `after`."""
    wanted = {"of": gateway, "not_epoch": epoch, "after": after, "most": most}
    ids = list(connection.scalars(_LEFT, wanted))
    rows = connection.execute(select(_TABLE.c.checkpoint).where(_TABLE.c.id.in_(ids)).order_by(_TABLE.c.subject))
    return tuple(_decoder.decode(row.checkpoint) for row in rows)


def kept_states(connection: Connection) -> list[KeptStates]:
    """What is kept, by gateway."""
    rows = connection.execute(
        select(
            _TABLE.c.gateway,
            func.count(_TABLE.c.subject.distinct()).label("people"),
            func.max(_TABLE.c.received_ms).label("received_ms"),
        )
        .group_by(_TABLE.c.gateway)
        .order_by(_TABLE.c.gateway)
    )
    return [KeptStates(row.gateway, row.people, row.received_ms) for row in rows]
