"""Fetch what a glucose meter has stored since the last time: what to write next, given what arrived. No I/O.

    begin -> COUNT_NEW -> REPORT_NEW -> ended          the last known record and those behind it, oldest first
                 |            |
                 +------------+--> COUNT_ALL -> REPORT_ALL -> ended
    abort -> ABORTING -> ended                          from every state

The last known record is asked for again on purpose. Where it is gone or another one, the meter counts anew (its battery
was changed, its memory erased), and everything it has is new. Where the meter cannot count, or cannot select, it is
asked for all. Nothing is lost by a cut connection: the position moves only when all that was counted has arrived.
"""

from dataclasses import dataclass
from enum import Enum, auto

from kanhu.edge.codecs.glucose import Glucose, decode_glucose
from kanhu.edge.codecs.glucose_context import GlucoseContext, decode_glucose_context
from kanhu.edge.codecs.record_access import (
    Operation,
    RecordCount,
    RequestAnswer,
    ResponseCode,
    decode_record_access,
    encode_abort,
    encode_all,
    encode_at_least,
)

__all__ = ["Ending", "Fetched", "GlucosePosition", "GlucoseReading", "GlucoseRecords"]

MOST_RECORDS = 10_000
"""Kept of one fetch, ten times the largest memory of a meter; what is more is counted and not kept."""


class Ending(Enum):
    """How a fetch ended."""

    COMPLETE = "complete"
    """Everything that is new has arrived; there may be nothing."""
    INCOMPLETE = "incomplete"
    """Fewer records arrived than the meter counted, or it gave up; the next fetch asks for them again."""
    ABORTED = "aborted"
    """By `abort`; the next fetch asks again."""
    REFUSED = "refused"
    """The meter will not report records to us."""


@dataclass(frozen=True, slots=True)
class GlucosePosition:
    """The last record that was fetched; its time tells whether the same number still is the same record."""

    sequence: int
    base_time_ms: int | None


@dataclass(frozen=True, slots=True)
class GlucoseReading:
    """One record with its context, if one came."""

    record: Glucose
    context: GlucoseContext | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result: readings that are new, in the order sent, and the position to keep for the next time."""

    ending: Ending
    readings: tuple[GlucoseReading, ...]
    position: GlucosePosition | None
    restarted: bool  # the meter counts anew


class _Step(Enum):
    IDLE = auto()
    COUNT_NEW = auto()
    REPORT_NEW = auto()
    COUNT_ALL = auto()
    REPORT_ALL = auto()
    ABORTING = auto()
    ENDED = auto()


_COUNTING = frozenset({_Step.COUNT_NEW, _Step.COUNT_ALL})
_REPORTING = frozenset({_Step.REPORT_NEW, _Step.REPORT_ALL, _Step.ABORTING})
_OPERATION = {
    _Step.COUNT_NEW: Operation.COUNT,
    _Step.REPORT_NEW: Operation.REPORT,
    _Step.COUNT_ALL: Operation.COUNT,
    _Step.REPORT_ALL: Operation.REPORT,
    _Step.ABORTING: Operation.ABORT,
}


class GlucoseRecords:
    """One fetch from one meter. Subscribe to 0x2A18, 0x2A34 and 0x2A52 before the first write."""

    def __init__(self, *, since: GlucosePosition | None) -> None:
        """`since` is what the last fetch said; None: everything is new."""
        self._since = since
        self._step = _Step.IDLE
        self._counted: int | None = None
        self._arrived = 0
        self._records: list[Glucose] = []
        self._contexts: dict[int, GlucoseContext] = {}
        self._restarted = False
        self.fetched: Fetched | None = None
        """None until the fetch has ended."""

    def begin(self) -> bytes:
        """What to write first to 0x2A52.

        Raises:
            ValueError: it has begun before.
        """
        if self._step is not _Step.IDLE:
            raise ValueError("a fetch begins once")
        return self._ask(_Step.COUNT_ALL if self._since is None else _Step.COUNT_NEW)

    def measurement(self, frame: bytes) -> None:
        """A notification of 0x2A18; one that nobody asked for now is left out, it comes again when asked for.

        Raises:
            DecodeError: it cannot be read; it counts as arrived, so that the fetch can still be complete.
        """
        if self._step not in _REPORTING:
            return
        self._arrived += 1
        record = decode_glucose(frame)
        if len(self._records) < MOST_RECORDS:
            self._records.append(record)

    def context(self, frame: bytes) -> None:
        """A notification of 0x2A34.

        Raises:
            DecodeError: it cannot be read; its record stands without it.
        """
        context = decode_glucose_context(frame)
        if self._step in _REPORTING and len(self._contexts) < MOST_RECORDS:
            self._contexts[context.sequence] = context

    def control(self, frame: bytes) -> bytes | None:
        """An indication of 0x2A52; what to write next, None where nothing is to be written.

        Raises:
            DecodeError: it cannot be read; the fetch stands where it stood.
        """
        answer = decode_record_access(frame)
        if isinstance(answer, RecordCount):
            if self._step in _COUNTING and answer.operation is Operation.COUNT_RESPONSE:
                return self._count(answer.records)
            return None
        if answer.request != _OPERATION.get(self._step):  # to something asked before
            return None
        return self._answered(answer)

    def abort(self) -> bytes | None:
        """What to write to stop; None where nothing runs. What has arrived is in `fetched` once the meter answers."""
        if self._step in {_Step.IDLE, _Step.ENDED}:
            return None
        return self._ask(_Step.ABORTING)

    def _answered(self, answer: RequestAnswer) -> bytes | None:
        if self._step is _Step.ABORTING:  # also where it failed: then the meter had nothing left to stop
            self._end(Ending.ABORTED)
            return None
        if answer.code is ResponseCode.NO_RECORDS:
            return self._count(0)
        if self._step in _COUNTING:  # cannot count, or not so: report without a number to compare with
            self._counted = None
            return self._ask(_Step.REPORT_NEW if self._step is _Step.COUNT_NEW else _Step.REPORT_ALL)
        if answer.code is ResponseCode.SUCCESS:
            return self._reported()
        if answer.code is ResponseCode.NOT_COMPLETED:
            self._end(Ending.INCOMPLETE)
            return None
        if self._step is _Step.REPORT_NEW:  # cannot select
            return self._ask(_Step.COUNT_ALL)
        self._end(Ending.REFUSED)
        return None

    def _count(self, records: int) -> bytes | None:
        """The meter holds so many of what was asked for."""
        asked_for_new = self._step in {_Step.COUNT_NEW, _Step.REPORT_NEW}
        self._counted = records
        if records:
            return self._ask(_Step.REPORT_NEW if asked_for_new else _Step.REPORT_ALL)
        if asked_for_new:  # not even the last known record is there
            return self._ask(_Step.COUNT_ALL)
        self._restarted = self._since is not None
        self._end(Ending.COMPLETE)
        return None

    def _reported(self) -> bytes | None:
        known = self._since is not None and any(map(self._is_last_known, self._records))
        if self._step is _Step.REPORT_NEW and not known:
            return self._ask(_Step.COUNT_ALL)
        self._restarted = self._since is not None and not known
        missing = self._counted is not None and self._arrived < self._counted
        self._end(Ending.INCOMPLETE if missing or self._arrived > MOST_RECORDS else Ending.COMPLETE)
        return None

    def _ask(self, step: _Step) -> bytes:
        self._step = step
        if step is _Step.ABORTING:
            return encode_abort()
        self._records.clear()
        self._contexts.clear()
        self._arrived = 0
        operation = _OPERATION[step]
        if self._since is not None and step in {_Step.COUNT_NEW, _Step.REPORT_NEW}:
            return encode_at_least(operation, self._since.sequence)
        return encode_all(operation)

    def _end(self, ending: Ending) -> None:
        self._step = _Step.ENDED
        position = self._since
        if ending is Ending.COMPLETE:
            highest = max(self._records, key=lambda record: record.sequence, default=None)
            position = None if highest is None else GlucosePosition(highest.sequence, highest.base_time_ms)
        self.fetched = Fetched(
            ending=ending,
            readings=tuple(GlucoseReading(one, self._context_of(one)) for one in self._records if self._is_new(one)),
            position=position,
            restarted=self._restarted,
        )

    def _is_last_known(self, record: Glucose) -> bool:
        return GlucosePosition(record.sequence, record.base_time_ms) == self._since

    def _is_new(self, record: Glucose) -> bool:
        return self._since is None or self._restarted or record.sequence > self._since.sequence

    def _context_of(self, record: Glucose) -> GlucoseContext | None:
        return self._contexts.get(record.sequence) if record.context_follows else None
