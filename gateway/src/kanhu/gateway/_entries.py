"""What a record becomes in the outbox: its lane, what it is counted as, and how long it holds out on a full file."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from kanhu.contract import Finding, Gap, Lane, Observation, Record, encode_record

_LANE_NUMBER = {lane: number for number, lane in enumerate((Lane.ALERT, Lane.LIVE, Lane.BACKFILL))}
_FIRST_AFTER_SILENCE_NS = 15 * 60 * 1_000_000_000  # a reading after a quarter of an hour of silence tells more


class Keep(IntEnum):
    """How long a record holds out when the file is full."""

    ROUTINE = 0
    FIRST_AFTER_SILENCE = 1
    ALWAYS = 2


class Entry(NamedTuple):
    """One row of the table, without its number."""

    lane: int
    kind: str
    keep: int
    arrival_ms: int
    record: bytes


class Entries:
    """Makes rows of records; remembers when each device was last heard."""

    def __init__(self) -> None:
        """Nothing was heard by this process."""
        self._last_heard: dict[str, tuple[str, int]] = {}

    def of(self, records: Sequence[tuple[Lane, Record]]) -> list[Entry]:
        """Rows in the order of the records."""
        return [self._of(lane, record) for lane, record in records]

    def heard(self, records: Iterable[tuple[Lane, Record]]) -> None:
        """These were committed."""
        for _, record in records:
            if isinstance(record, Observation):
                self._last_heard[record.device] = (record.times.boot, record.times.mono_ns)

    def _of(self, lane: Lane, record: Record) -> Entry:
        keep = Keep.ALWAYS if lane is Lane.ALERT or isinstance(record, Gap) else self._worth(record)
        return Entry(_LANE_NUMBER[lane], kind_of(record), keep, record.times.arrival_ms, encode_record(record))

    def _worth(self, record: Record) -> Keep:
        if not isinstance(record, Observation):
            return Keep.ROUTINE
        boot, mono_ns = self._last_heard.get(record.device, ("", 0))
        silent = boot != record.times.boot or record.times.mono_ns - mono_ns > _FIRST_AFTER_SILENCE_NS
        return Keep.FIRST_AFTER_SILENCE if silent else Keep.ROUTINE


def entry_of_gap(gap: Gap) -> Entry:
    """The row of a gap record, which leaves with the alerts and always stays."""
    return Entry(_LANE_NUMBER[Lane.ALERT], kind_of(gap), Keep.ALWAYS, gap.times.arrival_ms, encode_record(gap))


def kind_of(record: Record) -> str:
    """What a record is counted as: its metric, or `finding`, or `gap`."""
    if isinstance(record, Finding):
        return "finding"
    return "gap" if isinstance(record, Gap) else record.metric
