"""Everybody's days in the ledger, and the score each day would have had under the rule of trends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from kanhu.cloud.alerting.log import decode_state
from kanhu.cloud.desk.model import Outcome
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.values import median, read_histogram
from kanhu.contract import metric
from kanhu.vitals import Rule
from kanhu.vitals.baselines import AgreedScore, TrendDetector, TrendScore
from kanhu.vitals.rules.records import TrendTrigger

__all__ = ["Person", "Scores", "Summaries", "count_people", "lived", "real_days", "scores_of"]

Summaries = Mapping[date, Mapping[str, Decimal]]
"""One person's days: of each vital the middle value, in the unit of its metric."""

_REAL = frozenset({Outcome.TRUE_ACTION, Outcome.TRUE_NO_ACTION, Outcome.TRUE_REFERRAL})


@dataclass(frozen=True, slots=True)
class Person:
    """One resident."""

    subject: str
    summaries: Summaries


@dataclass(frozen=True, slots=True)
class Scores:
    """One person's days in order, without holes."""

    first: date
    values: NDArray[np.float64]
    """NaN where a day has no score: nothing was measured, or the baseline was still learned."""


def count_people(connection: Connection, trigger: TrendTrigger) -> int:
    """How many people have days that the rule looks at."""
    people = select(func.count(schema.daily.c.subject.distinct())).where(_looked_at(trigger))
    return int(connection.execute(people).scalar_one())


def lived(connection: Connection, trigger: TrendTrigger) -> Iterator[Person]:
    """Everybody's days, one person after another."""
    table = schema.daily
    rows = connection.execute(
        select(table.c.subject, table.c.metric, table.c.day, table.c.histogram)
        .where(_looked_at(trigger))
        .order_by(table.c.subject, table.c.day)
    )
    for subject, days in groupby(rows, key=lambda row: str(row.subject)):
        summaries: dict[date, dict[str, Decimal]] = {}
        for row in days:
            value = metric(row.metric).value(median(read_histogram(row.histogram)))
            summaries.setdefault(date.fromisoformat(row.day), {})[row.metric] = value
        yield Person(subject, summaries)


def scores_of(summaries: Summaries, rule: Rule) -> Scores | None:
    """From the first day that has a score to the last; None where no day has one."""
    detectors: dict[str, TrendDetector] = {}
    agreed, scores = AgreedScore(rule), dict[date, float]()
    for day, vitals in sorted(summaries.items()):
        told: dict[str, TrendScore] = {}
        for code, value in vitals.items():
            detector = detectors.setdefault(code, TrendDetector(rule, code))
            detector.update(day, value)
            if detector.score is not None:
                told[code] = detector.score
        score = agreed.update(day, told)
        if told:
            scores[day] = score
    if not scores:
        return None
    first = min(scores)
    whole = np.full((max(scores) - first).days + 1, np.nan)
    for day, score in scores.items():
        whole[(day - first).days] = score
    return Scores(first, whole)


def real_days(connection: Connection, rule: Rule, timezone: tzinfo) -> dict[str, list[date]]:
    """By resident the days of which this rule told in the night after, in an alert that a person closed as real."""
    table = schema.alert
    rows = connection.execute(
        select(table.c.subject, table.c.opened_ms, table.c.state).where(table.c.rule == rule.id).order_by(table.c.id)
    )
    days: dict[str, list[date]] = {}
    for row in rows:
        if decode_state(row.state).outcome in _REAL:
            told = datetime.fromtimestamp(row.opened_ms / 1000, timezone).date()
            days.setdefault(row.subject, []).append(told - timedelta(days=1))
    return days


def _looked_at(trigger: TrendTrigger) -> ColumnElement[bool]:
    return schema.daily.c.metric.in_([vital.metric for vital in trigger.vitals])
