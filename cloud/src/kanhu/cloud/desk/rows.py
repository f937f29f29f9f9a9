"""Rows of the board and the page of one alert, from the alert's state, the register and recent values."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from kanhu.cloud.alerting.log import decode_state, read_events
from kanhu.cloud.alerting.state import RANK, Acted, AlertState, Condition, Handling, Ownership
from kanhu.cloud.desk.alone import alone_now
from kanhu.cloud.desk.model import AlertEvent, AlertPage, AlertRow, Both, Claim, Contact, Outcome, Person
from kanhu.cloud.desk.values import usual_range
from kanhu.cloud.desk.words import acted_briefly, acted_text, event_kind, event_text, instant, unit_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.assigned import recent_points
from kanhu.cloud.people.register import split_tags
from kanhu.contract import METRICS, MetricKind, QualityLevel, metric

_SPARK_POINTS = 12
_QUALITY = {QualityLevel.OK: 0, QualityLevel.QUESTIONABLE: 1, QualityLevel.UNUSABLE: 2}


def order_on_board(row: AlertRow, now: datetime) -> tuple[int, bool, float]:
    """Priority, unclaimed first, share of the time used."""
    allowed_s = max((row.due_at - row.opened_at).total_seconds(), 1.0)
    return RANK[row.priority], row.claim is not None, -(now - row.opened_at).total_seconds() / allowed_s


def alert_rows(connection: Connection, alerts: Iterable[tuple[str, int, bytes]], *, year: int) -> list[AlertRow]:
    """Rows of these alerts: id, revision and state as the ledger keeps them."""
    states = [(alert, revision, decode_state(state)) for alert, revision, state in alerts]
    people = read_people(connection, {state.subject for _, _, state in states}, year=year)
    unseen = _people_behind(connection, {state.subject for _, _, state in states if state.subject not in people})
    return [
        _row(connection, alert, revision, state, people.get(state.subject), unseen.get(state.subject, 0))
        for alert, revision, state in states
    ]


def alert_page(connection: Connection, row: AlertRow, state: AlertState) -> AlertPage:
    """Everything about one alert."""
    return AlertPage(
        row=row,
        sentence=Both(state.texts.text_zh, state.texts.text_en),
        rule_version=state.rule_version,
        limit_source=state.texts.source,
        quality=_quality(connection, state),
        evidence=tuple(
            (instant(item.arrival_ms), item.metric, shown_value(item.metric, item.steps)) for item in state.evidence
        ),
        events=alert_events(connection, row.id),
        contacts=read_contacts(connection, state.subject),
        alone=alone_now(connection, row.id, state) if state.is_open() else None,
    )


def alert_events(connection: Connection, alert: str) -> tuple[AlertEvent, ...]:
    """History of one alert, oldest first."""
    told: set[str] = set()
    events = []
    for at_ms, actor, event in read_events(connection, alert):
        text = event_text(event)
        if isinstance(event, Acted):  # each report names all that was done so far; the history tells it once
            fresh = tuple(action for action in event.actions if action not in told)
            told.update(fresh)
            text = acted_text(fresh) if fresh else text
        events.append(AlertEvent(instant(at_ms), event_kind(event), actor, text))
    return tuple(events)


def read_people(connection: Connection, ids: set[str], *, year: int) -> dict[str, Person]:
    """Residents by id."""
    table, place = schema.resident, schema.place
    rows = connection.execute(
        select(table, place.c.zh, place.c.en).join(place, place.c.path == table.c.place).where(table.c.id.in_(ids))
    )
    return {
        row.id: Person(
            id=row.id,
            name=row.name,
            sex=row.sex,
            age=None if row.birth_year is None else year - row.birth_year,
            village=Both(row.zh, row.en),
            tags=split_tags(row.tags),
            name_en=row.name_en,
        )
        for row in rows
    }


def read_contacts(connection: Connection, resident: str) -> tuple[Contact, ...]:
    """Whom to call, in order."""
    table = schema.contact
    rows = connection.execute(select(table).where(table.c.resident == resident).order_by(table.c.order))
    return tuple(Contact(row.name, Both(row.relation_zh, row.relation_en), row.phone) for row in rows)


def shown_claim(claim: Ownership | None) -> Claim | None:
    """A claim as screens show it."""
    if claim is None:
        return None
    return Claim(claim.user, claim.name, instant(claim.at_ms), instant(claim.recheck_ms))


def shown_value(code: str, steps: int) -> str:
    """A value with its unit; an event has none."""
    row = METRICS.get(code)
    if row is None or row.kind is MetricKind.EVENT:
        return ""
    return f"{row.value(steps).normalize():f} {unit_of(code)}".rstrip()


def _row(
    connection: Connection, alert: str, revision: int, state: AlertState, person: Person | None, behind: int
) -> AlertRow:
    spark, band = _spark(connection, state)
    return AlertRow(
        id=alert,
        revision=revision,
        priority=state.priority,
        rule=state.rule,
        subject=state.subject,
        person=person,
        title=Both(state.texts.title_zh, state.texts.title_en),
        detail=Both(state.texts.text_zh, state.texts.text_en),
        opened_at=instant(state.opened_ms),
        due_at=instant(state.due_ms),
        condition=state.condition.value,
        handling=state.handling.value,
        late=state.late,
        count=state.count,
        claim=shown_claim(state.claim) if state.handling is not Handling.NEW else None,
        outcome=None if state.outcome is None else Outcome(state.outcome),
        held_until=None if state.held_until_ms is None else instant(state.held_until_ms),
        spark=spark,
        spark_band=band,
        unseen_people=behind if state.condition is Condition.PRESENT else 0,
        metric=_deciding(state),
        acted=acted_briefly(state.actions),
    )


def _deciding(state: AlertState) -> str:
    return state.evidence[-1].metric if state.evidence else ""


def _spark(connection: Connection, state: AlertState) -> tuple[tuple[float | None, ...], tuple[float, float] | None]:
    code = _deciding(state)
    row = METRICS.get(code)
    if row is None or row.kind is not MetricKind.SCALAR:
        return (), None
    points = recent_points(connection, state.subject, code)[-_SPARK_POINTS:]
    good = tuple(float(row.value(point.steps)) if point.level is QualityLevel.OK else None for point in points)
    return good, usual_range(connection, state.subject, code)


def _quality(connection: Connection, state: AlertState) -> QualityLevel:
    decided = {(item.metric, item.arrival_ms) for item in state.evidence}
    levels = [
        point.level
        for code in {item.metric for item in state.evidence if item.metric in METRICS}
        for point in recent_points(connection, state.subject, metric(code).code)
        if (code, point.at_ms) in decided
    ]
    return max(levels, key=lambda level: _QUALITY[level], default=QualityLevel.OK)


def _people_behind(connection: Connection, gateways: set[str]) -> dict[str, int]:
    table = schema.resident
    rows = connection.execute(
        select(table.c.gateway, func.count().label("people"))
        .where(table.c.gateway.in_(gateways))
        .group_by(table.c.gateway)
    )
    return {row.gateway: row.people for row in rows}
