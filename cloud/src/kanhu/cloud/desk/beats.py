"""A person's beat-to-beat intervals, from the strap readings as they were stored: the minutes before the newest one."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from kanhu.cloud.desk.model import Both, Trend, TrendKind
from kanhu.cloud.desk.words import unit_of
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.segments import records_between
from kanhu.contract import Observation, QualityLevel, decode_record, metric

__all__ = ["beats_of"]

_PANEL, _CODE = "heart_rhythm", "rr_interval"
_SHOWN_MS = 5 * 60_000
_LONGEST_PAUSE_MS = 5_000  # longer than any interval the metric allows: between these beats nobody listened
_MOST_RECORDS = 600
"""Looked through at most: five minutes of a strap that tells once a second are 300; the rest is for other devices."""


def beats_of(connection: Connection, subject: str) -> Trend | None:
    """The intervals of up to five minutes before the newest strap reading; None where no beat is stored."""
    table = schema.last_record
    newest = connection.execute(select(table).where(table.c.subject == subject, table.c.metric == _PANEL)).first()
    record = None if newest is None else decode_record(newest.record)
    if newest is None or not isinstance(record, Observation):
        return None
    # Where the gateway's clock is not believed, the ledger dates the reading by its receipt; its boot moves with it.
    shift_ms = newest.at_ms - record.times.shown_ms()
    found = records_between(
        connection,
        gateway=newest.gateway,
        epoch=newest.epoch,
        first=max(0, newest.seq - _MOST_RECORDS + 1),
        last=newest.seq,
    )
    beats: list[tuple[int, float, QualityLevel]] = []
    for _, each in found:
        if isinstance(each, Observation) and each.metric == _PANEL and each.subject == record.subject:
            at_ms = each.times.shown_ms() + shift_ms
            if each.times.boot == record.times.boot and newest.at_ms - _SHOWN_MS <= at_ms <= newest.at_ms:
                beats += _beats(each, at_ms)
    return None if not beats else _trend(sorted(beats, key=lambda beat: beat[0]))


def _beats(reading: Observation, at_ms: int) -> list[tuple[int, float, QualityLevel]]:
    """The last interval ended with the reading, each one before it where the next began."""
    row = metric(_CODE)
    beats = []
    for steps in reversed(reading.series(_CODE)):
        interval_ms = row.value(steps)
        if row.low is not None and row.high is not None and row.low <= interval_ms <= row.high:
            beats.append((at_ms, round(float(interval_ms), 1), reading.quality.level))
        at_ms -= round(interval_ms)
    return beats


def _trend(beats: list[tuple[int, float, QualityLevel]]) -> Trend:
    points: list[tuple[datetime, float | None, QualityLevel]] = []
    before_ms = beats[0][0]
    for at_ms, interval_ms, level in beats:
        if at_ms - before_ms > _LONGEST_PAUSE_MS:
            points.append((_moment((before_ms + at_ms) // 2), None, QualityLevel.UNUSABLE))
        points.append((_moment(at_ms), interval_ms, level))
        before_ms = at_ms
    row = metric(_CODE)
    return Trend(_CODE, Both(row.zh, row.en), unit_of(_CODE), tuple(points), None, None, TrendKind.DOTS)


def _moment(at_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
