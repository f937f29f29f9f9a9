"""Sessions of nobody known as the screens show them, each look one consistent read inside an area."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from kanhu.cloud.desk.model import Both, Person
from kanhu.cloud.desk.rows import read_people
from kanhu.cloud.desk.values import shown_values
from kanhu.cloud.desk.words import instant, unit_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.nameless import SessionKey, decode_newest, of_session
from kanhu.cloud.nameless.model import Candidate, Decision, NamelessBoard, NamelessPage, NamelessRow, NamelessValue
from kanhu.cloud.people.area import inside

__all__ = ["board_of", "given_to", "page_of"]

ROWS_A_PAGE = 50
MOST_CANDIDATES = 50
_TABLE, _GATEWAY, _PLACE, _RESIDENT = schema.nameless, schema.gateway, schema.place, schema.resident
_DECIDED_SHOWN = 20
_GIVEN_SHOWN = 10


def board_of(connection: Connection, area: str, *, page: int, year: int) -> NamelessBoard:
    """What waits, newest first, and what was decided last."""
    waiting = _sessions(area).where(_TABLE.c.decided_ms.is_(None))
    newest_first = waiting.order_by(_TABLE.c.at_ms.desc(), *_TABLE.primary_key)
    shown = connection.execute(newest_first.limit(ROWS_A_PAGE).offset(page * ROWS_A_PAGE)).all()
    decided = connection.execute(
        _sessions(area)
        .where(_TABLE.c.decided_ms.is_not(None))
        .order_by(_TABLE.c.decided_ms.desc())
        .limit(_DECIDED_SHOWN)
    ).all()
    rows = _rows(connection, area, [*shown, *decided], year=year)
    waits = connection.execute(waiting.with_only_columns(func.count())).scalar_one()
    return NamelessBoard(
        rows=rows[: len(shown)],
        waiting=waits,
        decided=rows[len(shown) :],
        page=page,
        pages=-(-waits // ROWS_A_PAGE),
    )


def page_of(connection: Connection, area: str, key: SessionKey, *, words: str, year: int) -> NamelessPage | None:
    """One session with those who may be chosen; None where it is not in this area."""
    found = connection.execute(_sessions(area).where(of_session(_TABLE, key))).all()
    if not found:
        return None
    people = select(_RESIDENT.c.id, _RESIDENT.c.address).where(inside(_RESIDENT.c.place, area))
    if words:
        named = (_RESIDENT.c.name, _RESIDENT.c.name_en, _RESIDENT.c.id)
        people = people.where(or_(*(column.icontains(words, autoescape=True) for column in named)))
    else:
        people = people.where(_RESIDENT.c.gateway == key.gateway)
    chosen = connection.execute(people.order_by(_RESIDENT.c.name, _RESIDENT.c.id).limit(MOST_CANDIDATES + 1)).all()
    persons = read_people(connection, {row.id for row in chosen}, year=year)
    candidates = tuple(Candidate(persons[row.id], row.address) for row in chosen if row.id in persons)
    (row,) = _rows(connection, area, found, year=year)
    return NamelessPage(row, candidates[:MOST_CANDIDATES], more=len(chosen) > MOST_CANDIDATES)


def given_to(connection: Connection, area: str, resident: str, *, year: int) -> tuple[NamelessRow, ...]:
    """The newest sessions that were given to a person of this area."""
    of_area = select(_RESIDENT.c.id).where(_RESIDENT.c.id == resident, inside(_RESIDENT.c.place, area))
    theirs = _all_sessions().where(_TABLE.c.resident.in_(of_area)).order_by(_TABLE.c.at_ms.desc())
    return _rows(connection, area, connection.execute(theirs.limit(_GIVEN_SHOWN)).all(), year=year)


def _sessions(area: str) -> Select[Any]:
    return _all_sessions().where(inside(_GATEWAY.c.place, area))


def _all_sessions() -> Select[Any]:
    return (
        select(_TABLE, _PLACE.c.zh, _PLACE.c.en)
        .join(_GATEWAY, _GATEWAY.c.id == _TABLE.c.gateway)
        .join(_PLACE, _PLACE.c.path == _GATEWAY.c.place)
    )


def _rows(connection: Connection, area: str, found: Sequence[Row[Any]], *, year: int) -> tuple[NamelessRow, ...]:
    people = _people(connection, area, {row.resident for row in found if row.resident is not None}, year=year)
    users = {row.decided_by for row in found if row.decided_by}
    table = schema.staff
    names: dict[str, str] = {
        row.name: row.display
        for row in connection.execute(select(table.c.name, table.c.display).where(table.c.name.in_(users)))
    }
    return tuple(
        NamelessRow(
            key=SessionKey(row.gateway, row.epoch, row.subject),
            village=Both(row.zh, row.en),
            device=row.device,
            at=instant(row.at_ms),
            readings=row.readings,
            values=tuple(_values(row.newest)),
            decision=None
            if row.decided_ms is None
            else Decision(
                names.get(row.decided_by, row.decided_by),
                instant(row.decided_ms),
                people.get(row.resident),
                elsewhere=row.resident is not None and row.resident not in people,
            ),
        )
        for row in found
    )


def _people(connection: Connection, area: str, ids: set[str], *, year: int) -> dict[str, Person]:
    """Those of them who live in this area."""
    here = select(_RESIDENT.c.id).where(_RESIDENT.c.id.in_(ids), inside(_RESIDENT.c.place, area))
    return read_people(connection, set(connection.execute(here).scalars()), year=year)


def _values(newest: bytes) -> list[NamelessValue]:
    """Scalars only: a row has no room for series of beats."""
    return [
        NamelessValue(code, f"{text} {unit_of('systolic' if code == 'bp' else code)}".rstrip(), each.quality.level)
        for each in decode_newest(newest)
        for code, text in shown_values(each)
    ]
