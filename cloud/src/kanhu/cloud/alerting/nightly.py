"""Once a night: yesterday's daily values against each person's own baseline (TREND), and old minutes thrown away."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, bindparam, delete, select

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.pipeline import Judge
from kanhu.cloud.alerting.policy import DAY_MS, MINUTE_MS
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.upsert import upsert
from kanhu.cloud.ledger.values import median, read_histogram
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import Clock, Evidence, Subject, SubjectKind, Times, metric
from kanhu.vitals import Rule, StateRefused
from kanhu.vitals.baselines.trend import TrendAgreement, TrendDetector, TrendSignal
from kanhu.vitals.rules.records import TrendTrigger

_HOUR = time(2)
"""Local time; gateways that were offline for an evening have usually caught up by then."""
_KEEP_MINUTES_MS = 35 * DAY_MS
_KEEP_ACTS_MS = 30 * DAY_MS
_AGREEMENT = "agreement"
_KEY = "night"
_PEOPLE_A_TICK = 50
_ROLLED_UP = "daily"

_READ_STATE = select(schema.trend.c.state).where(
    schema.trend.c.subject == bindparam("of"), schema.trend.c.metric == bindparam("code")
)
_KEEP_STATE = upsert(schema.trend)


class Nightly:
    """The night's work of one county."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        """Find the trend rule of the pack; without one, nights only clean up."""
        self._intake = intake
        self._clock = clock
        self._rule = next((each for each in intake.pack.rules if isinstance(each.trigger, TrendTrigger)), None)

    def tick(self, transaction: Transaction) -> None:
        """Go on with the night's work when its stored deadline has come; a county that was down catches up one night.

        A tick judges a bounded number of people, so that readings and claims never wait for a whole county.
        """
        connection = transaction.connection
        if log.due_timers(connection, TimerKind.NIGHTLY, now_ms=transaction.now_ms):
            if self.judge_some(transaction):
                return
            _clean(transaction)
        elif _has_timer(connection):
            return
        log.set_timer(connection, TimerKind.NIGHTLY, _KEY, due_ms=self.next_ms(transaction.now_ms))

    def judge_some(self, transaction: Transaction) -> int:
        """Judge the day that ended at midnight for people not yet judged; answers for how many."""
        if self._rule is None or not isinstance(self._rule.trigger, TrendTrigger):
            return 0
        yesterday = self._intake.policy.local(transaction.now_ms).date() - timedelta(days=1)
        codes = [vital.metric for vital in self._rule.trigger.vitals]
        people = _summaries(transaction.connection, yesterday, codes)
        for subject, summaries in people.items():
            self._judge(transaction, self._rule, subject, yesterday, summaries)
        return len(people)

    def next_ms(self, now_ms: int) -> int:
        """When the next night's work is due."""
        local = self._intake.policy.local(now_ms)
        day = local.date() + timedelta(days=1 if local.time() >= _HOUR else 0)
        return int(datetime.combine(day, _HOUR, self._intake.policy.timezone).astimezone(UTC).timestamp() * 1000)

    def _judge(self, transaction: Transaction, rule: Rule, subject: str, day: date, summaries: dict[str, int]) -> None:
        connection = transaction.connection
        signals: list[TrendSignal] = []
        for code, steps in summaries.items():
            detector = _detector(rule, code, _state(connection, subject, code))
            decision = detector.update(day, metric(code).value(steps))
            count(connection, {f"trend.{decision.reason.value}": 1})
            _keep(connection, subject, code, day, detector.state())
            if detector.direction is not None:
                signals.append(TrendSignal(code, detector.direction, self._evidence(subject, code, day, steps)))
        person = Subject(SubjectKind.RESIDENT, subject)
        agreement = _agreement(rule, person, _state(connection, subject, _AGREEMENT))
        now = Times(transaction.now_ms, self._clock.mono_ns(), self._clock.boot, self._clock.state())
        decision = agreement.update(day, signals, now)
        count(connection, {f"trend.{decision.reason.value}": 1})
        _keep(connection, subject, _AGREEMENT, day, agreement.state())
        if decision.finding is not None:
            gateway = connection.execute(
                select(schema.resident.c.gateway).where(schema.resident.c.id == subject)
            ).scalar()
            self._intake.take(
                transaction, decision.finding, gateway=gateway or "", at_ms=transaction.now_ms, judge=Judge.COUNTY
            )

    def _evidence(self, subject: str, code: str, day: date, steps: int) -> Evidence:
        noon_ms = int(datetime.combine(day, time(12), self._intake.policy.timezone).timestamp() * 1000)
        return Evidence(code, steps, _ROLLED_UP, subject, noon_ms, noon_ms)


def _detector(rule: Rule, code: str, state: bytes) -> TrendDetector:
    try:
        return TrendDetector(rule, code, state)
    except StateRefused:  # of an older version: a baseline is learned again rather than guessed
        return TrendDetector(rule, code)


def _agreement(rule: Rule, person: Subject, state: bytes) -> TrendAgreement:
    try:
        return TrendAgreement(rule, person, state)
    except StateRefused:
        return TrendAgreement(rule, person)


def _summaries(connection: Connection, day: date, codes: list[str]) -> dict[str, dict[str, int]]:
    """Middle value of each vital on a day, in steps, of some people who have values and are not yet judged."""
    table, trend = schema.daily, schema.trend
    of_the_day = (table.c.day == day.isoformat()) & table.c.metric.in_(codes)
    judged = select(trend.c.subject).where(trend.c.metric == _AGREEMENT, trend.c.day >= day.isoformat())
    some = (
        select(table.c.subject).where(of_the_day, table.c.subject.not_in(judged)).distinct().limit(_PEOPLE_A_TICK)
    ).subquery()
    rows = connection.execute(
        select(table.c.subject, table.c.metric, table.c.histogram)
        .join(some, some.c.subject == table.c.subject)
        .where(of_the_day)
        .order_by(table.c.subject, table.c.metric)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.subject, {})[row.metric] = median(read_histogram(row.histogram))
    return found


def _state(connection: Connection, subject: str, code: str) -> bytes:
    return connection.execute(_READ_STATE, {"of": subject, "code": code}).scalar() or b""


def _keep(connection: Connection, subject: str, code: str, day: date, state: bytes) -> None:
    connection.execute(_KEEP_STATE, {"subject": subject, "metric": code, "day": day.isoformat(), "state": state})


def _has_timer(connection: Connection) -> bool:
    table = schema.timer
    return connection.execute(select(table.c.key).where(table.c.kind == TimerKind.NIGHTLY.value)).first() is not None


def _clean(transaction: Transaction) -> None:
    minute, act = schema.minute, schema.act
    oldest_minute = (transaction.now_ms - _KEEP_MINUTES_MS) // MINUTE_MS
    transaction.connection.execute(delete(minute).where(minute.c.minute < oldest_minute))
    transaction.connection.execute(delete(act).where(act.c.at_ms < transaction.now_ms - _KEEP_ACTS_MS))
