"""Glucose meters: on each link they are asked for what is new in their memory, and each record is one reading.

    linked --ask--> GlucoseRecords: what to write --told--> records --complete--> readings, then the position is kept

The position is kept behind the readings it stands for, so a power cut in between fetches them again rather than never.
"""

import asyncio
from functools import partial

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs import glucose, glucose_context, record_access
from kanhu.edge.errors import DecodeError, LinkLost, LinkReason
from kanhu.edge.glucose_records import MOST_RECORDS, Ending, Fetched, GlucosePosition, GlucoseReading, GlucoseRecords
from kanhu.edge.intake import Intake, refused
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.ways import GattTarget, Write

AGAIN_S = 60.0
"""On a link that stands, the meter is asked again after so long; project choice: a drop of blood takes a minute."""
SILENT_S = 30.0
"""A record access procedure that says nothing for so long has failed (Glucose Profile 1.0.1, 5.4: 30 s)."""
_MOST_ANSWERS = 64
_MOST_TOLD = 4 * MOST_RECORDS
"""Values of one fetch: each record with its context, and as much again."""
_NO_TIME = -1


class GlucosePeer(LinkedPeer):
    """One meter, and what is asked of it."""

    also: tuple[str, ...] = (glucose_context.CHARACTERISTIC_UUID, record_access.CHARACTERISTIC_UUID)

    def __init__(self, intake: Intake) -> None:
        """Begin before the first link."""
        super().__init__(intake, GattTarget(glucose.SERVICE_UUID, glucose.CHARACTERISTIC_UUID))
        self.own_clock, self.asking = intake, self
        self._position = _position(intake)
        self._records: GlucoseRecords | None = None
        self._answers: asyncio.Queue[bytes] = asyncio.Queue(_MOST_ANSWERS)
        self._told = 0
        self._most_told = 0
        self._unread: list[DecodeError] = []
        self._kept: set[GlucosePosition] = set()
        self._bad_bytes = 0

    def notified(self, value: bytes) -> None:
        """One record; one that nobody asked for comes again when it is asked for."""
        self._told += 1
        if self._records is not None:
            try:
                self._records.measurement(value)
            except DecodeError as error:
                if len(self._unread) < _MOST_ANSWERS:
                    self._unread.append(error)
                else:
                    self._bad(value)

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        """A context, or an answer of the control point."""
        self._told += 1
        if characteristic_uuid == record_access.CHARACTERISTIC_UUID:
            if not self._answers.full():  # a meter answers each question once; more is noise
                self._answers.put_nowait(value)
        elif self._records is not None:
            try:
                self._records.context(value)
            except DecodeError:  # its record stands without it
                self._bad(value)

    async def ask(self, write: Write) -> float:
        """Fetch what is new.

        Raises:
            LinkLost: the meter reports no records to us.
            TimeoutError: it fell silent in the middle; all is asked for again on the next link.
        """
        while not self._answers.empty():
            self._answers.get_nowait()
        records = self._records = GlucoseRecords(since=self._position)
        self._most_told = self._told + _MOST_TOLD
        self._unread.clear()
        try:
            question: bytes | None = records.begin()
            while records.fetched is None:
                if question is not None:
                    await write(record_access.CHARACTERISTIC_UUID, question)
                answer = await self._answer()
                try:
                    question = records.control(answer)
                except DecodeError:  # it stands where it stood, and the next answer may be one
                    self._bad(answer)
                    question = None
        finally:
            self._records = None
        await self._hand_over(records.fetched)
        if records.fetched.ending is Ending.REFUSED:
            raise LinkLost(LinkReason.SERVICE_MISSING, "the meter reports no records")
        return AGAIN_S

    async def _answer(self) -> bytes:
        """The next answer; waited for as long as anything comes."""
        while True:
            before = self._told
            try:
                async with asyncio.timeout(SILENT_S):
                    return await self._answers.get()
            except TimeoutError:
                if self._told == before:
                    raise
                if self._told > self._most_told:
                    detail = f"{_MOST_TOLD} values and no end: no meter keeps so many"
                    raise LinkLost(LinkReason.TIMED_OUT, detail) from None

    async def _hand_over(self, fetched: Fetched) -> None:
        """New readings in the order of the meter, and behind the last what is known of it from now on.

        What the card did not take is asked for again, and only that is handed over then.
        """
        complete = fetched.ending is Ending.COMPLETE
        new = [one for one in fetched.readings if _place(one) not in self._kept]
        for one in new:
            reading = partial(self._observe, one, self._whose(one, alone=len(new) == 1))
            await self.inbox.put_patiently(reading, told=partial(self._told_of, _place(one)))
        await self.inbox.settled()
        if not complete or any(_place(one) not in self._kept for one in new):
            return
        for error in self._unread:
            await self.inbox.put_patiently(refused(error))
        self._kept.clear()
        if fetched.position != self._position:
            self._position = fetched.position
            await self.inbox.note(_notes(fetched.position))

    def _told_of(self, place: GlucosePosition, kept: bool) -> None:
        if kept:
            self._kept.add(place)

    def _whose(self, reading: GlucoseReading, *, alone: bool) -> Subject:
        """On a shared meter only a single record of just now can be of who is chosen."""
        known = self._intake.clock_error_s is not None
        return self._sessions.kept(self._intake.ago_s(reading.record.measured_at_ms) if alone and known else None)

    def _observe(self, reading: GlucoseReading, subject: Subject, times: Times) -> Observation:
        meal = None if reading.context is None else reading.context.meal
        return glucose.observe_glucose(
            reading.record, subject=subject, device=self._intake.device.id, times=times, meal=meal
        )

    def _bad(self, value: bytes) -> None:
        self._bad_bytes += len(value)
        self._intake.bad_bytes(self._bad_bytes)


def _place(reading: GlucoseReading) -> GlucosePosition:
    return GlucosePosition(reading.record.sequence, reading.record.base_time_ms)


def _position(intake: Intake) -> GlucosePosition | None:
    sequence = intake.notes.get("sequence")
    at_ms = intake.notes.get("base_time_ms", _NO_TIME)
    return None if sequence is None or sequence < 0 else GlucosePosition(sequence, None if at_ms == _NO_TIME else at_ms)


def _notes(position: GlucosePosition | None) -> dict[str, int]:
    if position is None:  # its memory was erased
        return {"sequence": -1}
    at_ms = position.base_time_ms
    return {"sequence": position.sequence, "base_time_ms": _NO_TIME if at_ms is None else at_ms}
