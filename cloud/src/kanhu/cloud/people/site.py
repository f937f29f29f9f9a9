"""Loads a site file: places, gateways, residents and contacts, in TOML; loading it again updates what changed.

Nothing is deleted by loading: a person who is missing from a file is not thereby forgotten.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from kanhu.cloud.errors import SiteRefused
from kanhu.cloud.ledger import schema
from kanhu.contract import InvalidTopic, check_gateway_id
from kanhu.vitals import unknown_tag

_PLACE_ID = re.compile(r"[a-z0-9-]{1,32}")
_RESIDENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # stands in addresses of pages

_Word = Annotated[str, msgspec.Meta(max_length=64)]
_Line = Annotated[str, msgspec.Meta(max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=2000)]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of the file: nothing unknown in it."""


class Place(_Row, frozen=True):
    """A county, township or village."""

    id: str
    kind: _Word
    zh: _Line
    en: _Line
    parent: str = ""


class Gateway(_Row, frozen=True):
    """A gateway in a home or a clinic."""

    id: str
    kind: _Word
    place: str


class Resident(_Row, frozen=True):
    """A person; `id` is the pseudonym that gateways use."""

    id: str
    gateway: str
    place: str
    name: _Line
    name_en: _Line = ""
    sex: _Word = ""
    birth_year: Annotated[int, msgspec.Meta(ge=1850, le=2200)] | None = None
    address: _Line = ""
    tags: tuple[str, ...] = ()
    note: _Text = ""


class Contact(_Row, frozen=True):
    """Whom to call for a resident, in order."""

    resident: str
    order: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    name: _Line
    phone: _Word
    relation_zh: _Line = ""
    relation_en: _Line = ""


class Site(_Row, frozen=True):
    """The whole file."""

    place: tuple[Place, ...] = ()
    gateway: tuple[Gateway, ...] = ()
    resident: tuple[Resident, ...] = ()
    contact: tuple[Contact, ...] = ()


def read_site(path: Path) -> Site:
    """Read a site file.

    Raises:
        SiteRefused: not readable, not TOML, unknown fields, or rows that point nowhere.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Site)
    except OSError as error:
        raise SiteRefused(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, no such fields, numbers or brackets without end
        raise SiteRefused(f"{path}: {error}") from error


def load_site(connection: Connection, site: Site) -> None:
    """Put a site into the register.

    Raises:
        SiteRefused: a row points to a place, gateway or resident that neither the file nor the register has.
    """
    paths = _place_paths(connection, site)
    for place in site.place:
        _put(connection, "place", {"id": place.id, "kind": place.kind, "zh": place.zh, "en": place.en,
                                   "path": paths[place.id]})  # fmt: skip  # one row
    gateways = {*connection.execute(select(schema.gateway.c.id)).scalars()}
    for gateway in site.gateway:
        _put(connection, "gateway", {"id": _gateway_id(gateway.id), "kind": gateway.kind,
                                     "place": _path(paths, gateway.place, f"gateway {gateway.id}")})  # fmt: skip
        gateways.add(gateway.id)
    for resident in site.resident:
        if not _RESIDENT_ID.fullmatch(resident.id):
            raise SiteRefused(f"resident id {resident.id[:64]!r} is not 1 to 64 of letters, digits, '.', '_' and '-'")
        if resident.gateway not in gateways:
            raise SiteRefused(f"resident {resident.id}: no gateway {resident.gateway!r}")
        problem = unknown_tag(resident.tags)
        if problem is not None:
            raise SiteRefused(f"resident {resident.id}: {problem}")
        row = msgspec.structs.asdict(resident)
        place_path = _path(paths, resident.place, f"resident {resident.id}")
        _put(connection, "resident", {**row, "tags": " ".join(resident.tags), "place": place_path})
    residents = {*connection.execute(select(schema.resident.c.id)).scalars()}
    for contact in site.contact:
        if contact.resident not in residents:
            raise SiteRefused(f"contact {contact.name}: no resident {contact.resident!r}")
        _put(connection, "contact", msgspec.structs.asdict(contact))


def _place_paths(connection: Connection, site: Site) -> dict[str, str]:
    mentioned = {place.id for place in site.place}  # their old paths count no longer, or a place could lie in itself
    known = connection.execute(select(schema.place.c.id, schema.place.c.path))
    paths = {row.id: row.path for row in known if row.id not in mentioned}
    waiting = list(site.place)
    while waiting:
        ready = [place for place in waiting if not place.parent or place.parent in paths]
        if not ready:
            raise SiteRefused(f"place {waiting[0].id}: no parent {waiting[0].parent!r}, or a circle of parents")
        for place in ready:
            if not _PLACE_ID.fullmatch(place.id):
                raise SiteRefused(f"place id {place.id!r} is not 1 to 32 of a-z, 0-9 and '-'")
            paths[place.id] = f"{paths[place.parent] if place.parent else '/'}{place.id}/"
        waiting = [place for place in waiting if place.id not in paths]
    return paths


def _path(paths: dict[str, str], place: str, who: str) -> str:
    if place not in paths:
        raise SiteRefused(f"{who}: no place {place!r}")
    return paths[place]


def _gateway_id(gateway: str) -> str:
    try:
        return check_gateway_id(gateway)
    except InvalidTopic as error:
        raise SiteRefused(str(error)) from error


def _put(connection: Connection, table_name: str, row: dict[str, object]) -> None:
    table = schema.metadata.tables[table_name]
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    connection.execute(insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=changed))
