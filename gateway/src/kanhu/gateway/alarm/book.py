"""The alarms in the outbox file: armed with a high finding, ended by its receipt, each in the outbox's transaction.

The outbox calls this inside its own transactions and in its own thread; nobody else writes here.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from kanhu.contract import Finding, Phase, Priority, Record
from kanhu.contract.actions import ACTED_LOCALLY
from kanhu.vitals import DecisionReason

_KEPT_ENDED = 16  # for the doctor; what the county knows is in the ledger
_MOST_RUNNING = 64
"""At one time: a house in which so many are being told needs no further alarm, and the card needs its pages."""
_MOST_EVIDENCE = 8  # of the first finding, for who sees a report before it
_ROW_BYTES = 1024  # a row as it is armed; it grows with what is done, a little at a time

TABLE = """CREATE TABLE IF NOT EXISTS alarm (
    alert TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    ended TEXT,
    value BLOB NOT NULL
) WITHOUT ROWID"""


class End(StrEnum):
    """Why an alarm is over."""

    RECEIPTED = "receipted"
    CALLED_OFF = "called_off"
    CONDITION_ENDED = "condition_ended"
    LADDER_ENDED = "ladder_ended"
    NOTHING_FITTED = "nothing_fitted"


class Channel(msgspec.Struct, frozen=True, array_like=True):
    """How far one way of telling has come, such as `voice` or `sms:family`."""

    step: int = 0
    """Steps of the ladder that are over."""
    failures: int = 0
    """In the present step."""
    boot: str = ""
    due_ns: int = 0
    """When the next attempt is due, on the monotonic clock of `boot`."""
    running: bool = False
    """An attempt was begun and its end is not stored."""
    told: bool = False
    """At least one attempt came out well."""
    called_off: bool = False
    """What was told was taken back, or need not be."""
    references: tuple[int, ...] = ()
    """Of the last message: one a part, without a delivery report so far."""
    attempts: int = 0
    """Begun so far."""


class Alarm(msgspec.Struct, frozen=True, array_like=True):
    """A high finding that the county has not confirmed, and what was done about it."""

    alert: str
    seq: int
    """Of the newest finding of this alert; its receipt ends the alarm."""
    finding: Finding
    over: bool = False
    """The condition ended by the rule's own measure: told once, not repeated."""
    called_off: bool = False
    """The person said by the button that all is well."""
    channels: dict[str, Channel] = {}
    actions: tuple[str, ...] = ()
    ended: str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Alarm).decode


class AlarmBook:
    """Alarms of one outbox file."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Read which findings are waited for; a file that is only looked at may have no such table yet."""
        self._database = database
        self._watched: dict[int, str] = {}
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alarm'").fetchone():
            self.refresh()

    @property
    def open(self) -> int:
        """How many alarms run; may be read from any thread."""
        return len(self._watched)

    def refresh(self) -> None:
        """Read again what is open; call it after each commit or roll-back in which something changed."""
        rows = self._database.execute("SELECT seq, alert FROM alarm WHERE ended IS NULL")
        self._watched = dict(rows.fetchall())

    def running(self) -> list[Alarm]:
        """Alarms that run, in the order in which they were raised."""
        rows = self._database.execute("SELECT value FROM alarm WHERE ended IS NULL ORDER BY seq")
        return [_decode(value) for (value,) in rows]

    def read(self, alert: str) -> Alarm | None:
        """One alarm, also one that is over; None where there is none or it was forgotten."""
        row = self._database.execute("SELECT value FROM alarm WHERE alert = ?", (alert,)).fetchone()
        return None if row is None else _decode(row[0])

    def write(self, alarms: Iterable[Alarm]) -> None:
        """Keep these as they are; one that is over and in which nothing was begun is forgotten."""
        for alarm in alarms:
            if alarm.ended is not None and not alarm.channels:
                self._database.execute("DELETE FROM alarm WHERE alert = ?", (alarm.alert,))
                continue
            self._database.execute(
                "INSERT INTO alarm VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET seq = excluded.seq, ended = excluded.ended, value = excluded.value",
                (alarm.alert, alarm.seq, alarm.ended, _encode(alarm)),
            )
        self._database.execute(
            "DELETE FROM alarm WHERE ended IS NOT NULL AND alert NOT IN"
            " (SELECT alert FROM alarm WHERE ended IS NOT NULL ORDER BY seq DESC LIMIT ?)",
            (_KEPT_ENDED,),
        )

    def bytes_for(self, records: Iterable[Record]) -> int:
        """At most how much room these records need here."""
        high = sum(1 for record in records if isinstance(record, Finding) and record.priority is Priority.HIGH)
        return _ROW_BYTES * min(high, _MOST_RUNNING)

    def take(self, seqs: Sequence[int], records: Iterable[Record]) -> bool:
        """Arm, renew or call off what these committed records ask for; whether anything changed."""
        changed = False
        running = self.open
        for seq, record in zip(seqs, records, strict=True):
            if isinstance(record, Finding) and _concerns_alarms(record):
                kept = self.read(record.alert_id)
                alarm = after(kept, record, seq=seq)
                runs_already = kept is not None and kept.ended is None
                if alarm is not None and (runs_already or running < _MOST_RUNNING):
                    self.write([alarm])
                    running += not runs_already
                    changed = True
        return changed

    def receipted(self, seqs: Iterable[int]) -> list[Alarm]:
        """End the alarms whose finding the county has stored; returns those."""
        if not self._watched:
            return []
        ended = []
        for alert in (self._watched[seq] for seq in seqs if seq in self._watched):
            alarm = self.read(alert)
            if alarm is not None:
                ended.append(msgspec.structs.replace(alarm, ended=End.RECEIPTED.value))
        if ended:
            self.write(ended)
        return ended


def after(kept: Alarm | None, finding: Finding, *, seq: int) -> Alarm | None:
    """The alarm after one more finding of its alert; None where the finding changes nothing."""
    runs = kept is not None and kept.ended is None
    if finding.phase is Phase.END:
        if kept is None or not runs:
            return None
        called_off = finding.reason == DecisionReason.CALLED_OFF.value
        return msgspec.structs.replace(
            kept, seq=seq, called_off=kept.called_off or called_off, over=kept.over or not called_off
        )
    if finding.priority is not Priority.HIGH:
        return None
    if kept is None or not runs or kept.called_off:
        short = msgspec.structs.replace(finding, evidence=finding.evidence[:_MOST_EVIDENCE], actions=())
        return Alarm(finding.alert_id, seq, short)
    return msgspec.structs.replace(kept, seq=seq, over=False)


def _concerns_alarms(finding: Finding) -> bool:
    return finding.reason != ACTED_LOCALLY
