"""Looks into the register that alerting and ingest need."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.by_keys import among, by_keys
from kanhu.contract import Subject, SubjectKind

_ENROLLED = select(schema.gateway.c.id, schema.gateway.c.kind, schema.gateway.c.place).where(
    schema.gateway.c.id == bindparam("gateway")
)
_AMONG = select(schema.gateway.c.id).where(among(schema.gateway.c.id))
_WHOSE = select(schema.resident.c.id, schema.resident.c.gateway).where(among(schema.resident.c.id))
_TAGS_AT = select(schema.resident.c.tags).where(schema.resident.c.gateway == bindparam("at"))

LIVES_ALONE = "lives_alone"
HIGH_RISK = frozenset({LIVES_ALONE, "high_risk"})


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a subject is, as far as an alert needs to know."""

    place: str
    """Path of the place; decides who sees the alert."""
    tags: frozenset[str]
    registered: str | None = None
    """The gateway of an enrolled resident; None for everybody and everything else."""


@dataclass(frozen=True, slots=True)
class EnrolledGateway:
    """One row of the register of gateways."""

    id: str
    kind: str
    place: str


def split_tags(text: str) -> tuple[str, ...]:
    """Tags as the register keeps them: separated by blanks."""
    return tuple(text.split())


def enrolled_gateway(connection: Connection, gateway: str) -> EnrolledGateway | None:
    """The gateway, where the county knows it."""
    row = connection.execute(_ENROLLED, {"gateway": gateway}).first()
    return None if row is None else EnrolledGateway(row.id, row.kind, row.place)


def enrolled_among(connection: Connection, gateways: Collection[str]) -> frozenset[str]:
    """Those of these that the county knows."""
    return frozenset(row.id for row in by_keys(connection, _AMONG, gateways))


def whereabouts(connection: Connection, subject: Subject, *, gateway: str) -> Whereabouts:
    """A resident's own; else the gateway's place, for a dwelling with the tags of all who live there."""
    if subject.kind is SubjectKind.RESIDENT:
        table = schema.resident
        row = connection.execute(
            select(table.c.place, table.c.tags, table.c.gateway).where(table.c.id == subject.id)
        ).first()
        if row is not None:
            return Whereabouts(row.place, frozenset(split_tags(row.tags)), row.gateway)
    place = connection.execute(select(schema.gateway.c.place).where(schema.gateway.c.id == gateway)).scalar()
    everyone = tags_of_people_at(connection, gateway) if subject.kind is SubjectKind.DWELLING else []
    return Whereabouts(place or "/", frozenset().union(*everyone))


def gateways_of(connection: Connection, residents: Collection[str]) -> dict[str, str]:
    """At which gateway each of these residents is enrolled; those whom the county knows."""
    return {row.id: row.gateway for row in by_keys(connection, _WHOSE, residents)}


def tags_of_people_at(connection: Connection, gateway: str) -> list[frozenset[str]]:
    """Tags of everyone whom this gateway watches."""
    rows = connection.execute(_TAGS_AT, {"at": gateway}).scalars()
    return [frozenset(split_tags(tags)) for tags in rows]
