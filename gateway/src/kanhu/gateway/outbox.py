"""The outbox: where a reading is accepted, and kept until the county itself says that it is stored.

    accept ──commit──▶ owed ──batch──▶ handed to the broker ──receipt──▶ delivered ──a day of running──▶ deleted
                        │                                      └─refused twice─▶ quarantined + Gap
                        └─ outbox full: thinned by rule ─▶ dropped + Gap

Hard cases: a PUBACK settles nothing; a number is never given out twice; a receipt settles only what this process has
handed out, and nothing that a receipt from beyond our own numbers may speak of, so that a card restored from an old
image cannot lose new readings to receipts for others; on a full file alerts keep a tenth of the pages to themselves,
readings are thinned oldest and most frequent first, and what is dropped is named by Gap records in the same
transaction. What is delivered is owed no more; it is kept for a while in a table of its own as long as nothing owed
needs the room, and goes without a word. Gaps go before readings, because a county that knows the holes can confirm the
rest in few ranges. The class knows no threads: one thread at a time uses it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from kanhu.contract import (
    Clock,
    Finding,
    GapReason,
    Lane,
    MessageRefused,
    Observation,
    Receipt,
    Record,
    SeqRanges,
    decode_record,
)
from kanhu.gateway._delivered import Delivered, GivenBack
from kanhu.gateway._entries import Entries, entry_of_gap
from kanhu.gateway._figures import Owed, Space
from kanhu.gateway._file import OutboxFile
from kanhu.gateway._gaps import GrowingGap
from kanhu.gateway._queue import BATCH_ROWS, Queue
from kanhu.gateway._room import Room
from kanhu.gateway._schema import named_error
from kanhu.gateway._tally import Tally
from kanhu.gateway.alarm.book import Alarm, AlarmBook
from kanhu.gateway.errors import OutboxFull

__all__ = ["BATCH_ROWS", "Outbox"]


class Outbox(OutboxFile):
    """One open outbox file, and what is owed in it."""

    def __init__(self, database: sqlite3.Connection, *, file: Path, lock: IO[str] | IO[bytes], clock: Clock) -> None:
        """Use `open`."""
        super().__init__(database, file=file, lock=lock, clock=clock)
        self._entries = Entries()
        self._tally = Tally(database)
        self._queue = Queue(database, file=file)
        self._delivered = Delivered(database, box=self)
        self._room = Room(database, file=file, box=self, queue=self._queue, delivered=self._delivered)
        self.alarms = AlarmBook(database)
        self._beyond = 0  # the county knows numbers up to here that were never given out here: those are not ours

    @property
    def last_seq(self) -> int:
        """The last number given out."""
        return self._queue.last_seq

    # ------------------------------------------------------------------------------------------ accept

    def accept(
        self,
        records: Sequence[tuple[Lane, Record]],
        *,
        states: Mapping[str, bytes] | None = None,
        refused: Sequence[tuple[str, str]] = (),
    ) -> list[int]:
        """Commit records, detector states and refused readings, as (device, reason), in one transaction.

        Returns sequence numbers in the order of the records. When this returns they are on the card.

        Raises:
            OutboxFull, OutboxFailed: nothing of this call was stored.
        """
        rows = self._entries.of(records)
        whose = [self._tally.whose(record) for _, record in records]
        self._room.make(rows, beside=self.alarms.bytes_for(record for _, record in records))
        with self.transaction():
            seqs = [self._queue.insert(row, whose=one) for row, one in zip(rows, whose, strict=True)]
            counts: Counter[tuple[str, str]] = Counter((device, f"refused:{reason}") for device, reason in refused)
            for _, record in records:
                if isinstance(record, Observation):
                    counts[record.device, "accepted"] += 1
                elif isinstance(record, Finding):
                    counts["", "findings"] += 1
            self.count(counts + Tally.accepted(whose))
            self._database.executemany(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                list((states or {}).items()),
            )
            alarmed = self.alarms.take(seqs, (record for _, record in records))
        if alarmed:
            self.alarms.refresh()
        self._queue.entered(rows, seqs)
        self._tally.committed(whose)
        self._entries.heard(records)
        return seqs

    def record_alarms(
        self, alarms: Sequence[Alarm], *, reports: Sequence[Finding] = (), reasons: Sequence[str] = ()
    ) -> None:
        """Commit what was decided and done about alarms, and the findings that tell the county, in one transaction.

        Raises:
            OutboxFull, OutboxFailed: nothing of this call was stored.
        """
        rows = self._entries.of([(Lane.ALERT, report) for report in reports])
        self._room.make(rows)
        with self.transaction():
            seqs = [self._queue.insert(row) for row in rows]
            self.alarms.write(alarms)
            self.count(Counter(("", f"alarm:{reason}") for reason in reasons))
        self.alarms.refresh()
        self._queue.entered(rows, seqs)

    # -------------------------------------------------------------------------------------------- send

    def batch(
        self, lane: Lane, limit: int = BATCH_ROWS, *, after: int = 0, upto: int | None = None
    ) -> list[tuple[int, Record]]:
        """Oldest owed records with numbers in (after, upto], in rising order.

        Alerts are one queue and all the rest another: whether a reading leaves as live or as backfill is the uplink's
        choice at that moment.
        """
        last = self.last_seq if upto is None else upto
        return self._hand_out(self._queue.oldest(lane, limit, after=after, upto=last))

    def fetch(self, seqs: Sequence[int]) -> list[tuple[int, Record]]:
        """These records, as far as they are still owed, in rising order; at most one batch."""
        if len(seqs) > BATCH_ROWS:
            raise ValueError(f"{len(seqs)} numbers, at most {BATCH_ROWS}")
        return self._hand_out(self._queue.these(seqs))

    def _hand_out(self, rows: Iterable[tuple[int, bytes]]) -> list[tuple[int, Record]]:
        found: list[tuple[int, Record]] = []
        damaged: list[int] = []
        for seq, record in rows:
            try:
                found.append((seq, decode_record(record)))
            except MessageRefused:  # a bit fell over on the card: one row must not hold up all that follow
                damaged.append(seq)
        if damaged:
            self.quarantine(damaged, reason=GapReason.DAMAGED.value)
        self._room.handed_out(seq for seq, _ in found)
        return found

    def settle(self, receipt: Receipt, *, sent: SeqRanges) -> int:
        """Owe no more what the county has stored, among what this process has sent; returns how many.

        Where the county knows numbers that this outbox has not given out, the file was copied or restored: what it
        stored under such a number is another record, and ours is kept.

        Raises:
            OutboxFailed: what was not deleted stays owed.
        """
        if receipt.epoch != self.epoch:
            return 0
        stored = SeqRanges(receipt.ranges)
        if receipt.contiguous:
            stored.add(1, receipt.contiguous)
        highest = max((last for _, last in stored), default=0)
        if highest > self.last_seq:
            self._beyond = max(self._beyond, highest)
        try:
            settled = [
                seq
                for first, last in stored
                if last > self._beyond
                for seq in self._queue.between(max(first, self._beyond + 1), last)
                if seq in sent
            ]
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error
        for at in range(0, len(settled), BATCH_ROWS):
            self._delete_batch(settled[at : at + BATCH_ROWS])
        return len(settled)

    def _delete_batch(self, seqs: Sequence[int]) -> None:
        if self._room.is_there_for(seqs):
            try:
                self._retire(seqs, kept=self._delivered)
            except OutboxFull:  # others fill the disk: what is delivered needs no copy
                self._retire(seqs, kept=None)
        else:
            self._retire(seqs, kept=None)

    def _retire(self, seqs: Sequence[int], *, kept: Delivered | None) -> None:
        with self.transaction():
            if kept is not None:
                kept.take(seqs)
            gone = self._queue.delete(seqs)
            ended = self.alarms.receipted(seqs)
            self.count(Counter(("", f"alarm:{alarm.ended}") for alarm in ended) + Tally.confirmed(gone.whose))
        if ended:
            self.alarms.refresh()
        self._queue.left(gone)

    def quarantine(self, seqs: Sequence[int], *, reason: str) -> None:
        """Set records aside that the county will not take, and owe a Gap that names them.

        A refused Gap makes no further Gap: that would never end.
        """
        times = self.now()
        with self.transaction():
            rows = [
                row
                for seq in seqs
                for row in self._database.execute(
                    "SELECT seq, kind, arrival_ms, record FROM outbox WHERE seq = ?", (seq,)
                )
            ]
            gone = self._queue.delete([row[0] for row in rows])
            self._database.executemany(
                "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)",
                [(seq, reason, kind, times.arrival_ms, record) for seq, kind, _, record in rows],
            )
            aside = Counter({("", "quarantined"): len(rows), ("", f"quarantined:{reason}"): len(rows)})
            self.count(aside + Tally.lost(gone.whose))
            entered = []
            why = GapReason.DAMAGED if reason == GapReason.DAMAGED.value else GapReason.REFUSED_BY_COUNTY
            for kind in sorted({row[1] for row in rows} - {"gap"}):
                gap = GrowingGap(kind, why)
                gap.add((row[0], row[2]) for row in rows if row[1] == kind)
                entered.append(entry_of_gap(gap.record(times)))
            numbers = [self._queue.insert(row) for row in entered]
        self._queue.left(gone)
        self._queue.entered(entered, numbers)

    # ------------------------------------------------------------------------------------------- space

    def space(self) -> Space:
        """How full the file is."""
        return replace(self._room.space(), kept=self._delivered.pages())

    def delivered_upto(self) -> int:
        """How far what is kept reaches now, as `owe_again` counts it."""
        return self._delivered.newest()

    def owe_again(self, *, ranges: Iterable[tuple[int, int]], after: int, upto: int) -> GivenBack:
        """Owe again what is kept of these numbers, one batch of what was delivered at a time, from `after` to `upto`.

        Raises:
            OutboxFull, OutboxFailed: nothing of this batch is owed again.
        """
        with self.transaction():
            step = self._delivered.give_back(SeqRanges(ranges), after=after, upto=upto)
        self._queue.entered(step.rows, step.seqs)
        return step

    def expire_delivered(self, *, after_s: float) -> int:
        """Drop what the county confirmed so much running time ago; does so once an hour, and returns how many.

        Raises:
            OutboxFailed: what was not dropped goes the next time.
        """
        try:
            return self._delivered.expire(after_s=after_s)
        except sqlite3.Error as error:
            raise named_error(error, self._file) from error

    def kept(self) -> int:
        """How many delivered records are still here; reads all of them."""
        return self._delivered.count()

    # ---------------------------------------------------------------------------------------- account

    def owed(self) -> Owed:
        """What the county has not confirmed."""
        return self._queue.owed()

    def still_here(self, seqs: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
        """Which of at most one batch of numbers are owed, and which were set aside."""
        marks = ",".join("?" * len(seqs))
        owed, aside = (
            frozenset(row[0] for row in self._database.execute(statement, tuple(seqs)))
            for statement in (
                f"SELECT seq FROM outbox WHERE seq IN ({marks})",  # noqa: S608  # marks only
                f"SELECT seq FROM quarantine WHERE seq IN ({marks})",  # noqa: S608  # marks only
            )
        )
        return owed, aside

    def oldest_seq(self) -> int:
        """The lowest number owed; where nothing is owed, the next that will be given out at the earliest."""
        return self._queue.oldest_seq()
