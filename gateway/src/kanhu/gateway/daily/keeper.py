"""Looks at every agreement, says aloud what is due, and hands on what is concluded."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from kanhu.contract import Clock, ClockState, EventWord, Observation, Part, Subject, SubjectKind, Times
from kanhu.edge.devices import Sink
from kanhu.edge.pipeline import Judged
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import ResidentConfig
from kanhu.gateway.daily import medicine, well
from kanhu.gateway.daily.hours import Moment
from kanhu.gateway.daily.medicine import Dose, MedicineState
from kanhu.gateway.daily.settings import MedicineConfig, WellCheckConfig
from kanhu.gateway.daily.signs import DEVICE, Doors, is_dose, is_sign
from kanhu.gateway.daily.silence import Silence
from kanhu.gateway.daily.well import Step, WellState
from kanhu.gateway.daily.words import Reminder
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.vitals.inactivity import METRIC as INACTIVITY
from kanhu.vitals.rules.records import Asked

KEPT = "daily"
"""Under which name the outbox file keeps how far everybody's day has come."""
UNHEARD = "reminders_unheard"
"""Note for the doctor: reminders that no loudspeaker said."""

_LOOK_S = 5.0
_SIGN_KEPT_NS = 600 * 10**9
"""A later sign of a day that is settled is written this often at most: motion is seen every minute."""
_DATED_ANEW_MS = 60_000

_log = logging.getLogger(__name__)

Say = Callable[[Reminder], Coroutine[object, object, bool]]
"""Says it aloud; whether that came out well."""


class DayState(msgspec.Struct, frozen=True):
    """How far one person's day has come."""

    well: WellState = WellState()
    medicine: MedicineState = MedicineState()
    known_since: Moment | None = None
    """When this card began to know of the person: of what was due or given before it knows nothing."""
    is_since_sure: bool = False
    """Whether that was dated by a time that is known, not by a clock that may be months behind."""


def kept_days(outbox: Outbox) -> dict[str, DayState] | None:
    """What the card says, by resident; None where that is damaged."""
    text = outbox.text(KEPT)
    try:
        return msgspec.json.decode(text, type=dict[str, DayState]) if text else {}
    except (msgspec.MsgspecError, ValueError):  # a bit fell over
        return None


class DailyKeeper:
    """Keeps what was agreed with each resident of one gateway."""

    def __init__(
        self,
        residents: Sequence[ResidentConfig],
        *,
        asked: Asked,
        committer: Committer,
        timekeeper: Timekeeper,
        zone: ZoneInfo,
        say: Say,
        clock: Clock,
        silence: Silence | None = None,
    ) -> None:
        """Only residents with whom something was agreed count; `silence` where a home is watched for it."""
        self._residents = {one.id: one for one in residents if one.well_check is not None or one.medicine is not None}
        self._asked = asked
        self._committer = committer
        self._timekeeper = timekeeper
        self._zone = zone
        self._silence = silence
        self._say = say
        self._clock = clock
        self._days: dict[str, DayState] = {}
        self._written: dict[str, DayState] = {}
        self._read = False
        self._doors = Doors()
        self._doses_unread: dict[str, Moment] = {}
        """Doses that were acknowledged before the card was read."""
        self._to_tell: list[str] = []
        self._unheard: int | None = None
        self._sink: Sink | None = None
        """Where conclusions go; None while no judge is ready."""
        self._not_stored: asyncio.Future[None] | None = None

    async def beside(self, source: Callable[[Sink], Coroutine[object, object, None]], sink: Sink) -> None:
        """Hand conclusions to `sink` while `source` runs.

        Raises:
            OutboxError: a conclusion was judged and not stored; whoever restores the judge calls this again.
        """
        self._not_stored = asyncio.get_running_loop().create_future()
        self._sink = sink
        reading = asyncio.ensure_future(source(sink))
        try:
            await asyncio.wait({reading, self._not_stored}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading
            else:
                self._not_stored.result()
        finally:
            self._sink = None
            self._not_stored.cancel()
            reading.cancel()
            await asyncio.wait({reading})  # a stop that comes now ends the wait, and whoever waits for this

    async def run(self) -> None:
        """Until cancelled; apart from the devices, so that a fault here does not stop them.

        Raises:
            OutboxError: a conclusion could not be stored; it is drawn again after the next start.
        """
        while self._residents or self._silence is not None:
            if self._sink is not None:
                await self.look(self._sink)
            await self._clock.sleep(_LOOK_S)
        await asyncio.Event().wait()

    # --------------------------------------------------------------------------------------- listening

    def taken(self, judged: Judged, *, seq: int) -> None:
        """A reading was committed."""
        del seq
        self._hear(judged.observation)

    def not_kept(self, judged: Judged) -> None:
        """The card did not take a reading; who gave it was well all the same."""
        self._hear(judged.observation)

    def refused(self, device: str, reason: str) -> None:
        """Bytes that became no reading are nobody's sign."""

    def _hear(self, observation: Observation) -> None:
        if self._silence is not None:
            self._silence.hear(observation, self._now())
        if not self._residents:
            return
        now, door_moved = self._now(), self._doors.moved(observation)
        for name, one in self._residents.items():
            day = self._days.get(name, DayState())
            agreed = one.well_check
            if agreed is not None and is_sign(
                agreed, observation, resident=name, now=now, zone=self._zone, door_moved=door_moved
            ):
                told = observation.word is EventWord.SIGN_GIVEN
                day = msgspec.structs.replace(day, well=well.heard(day.well, now, told=told))
            if one.medicine is not None and is_dose(observation, resident=name):
                day = msgspec.structs.replace(day, medicine=medicine.acknowledged(day.medicine, now))
                if not self._read:
                    self._doses_unread[name] = now
            self._days[name] = day

    # ------------------------------------------------------------------------------------ for the page

    def is_due(self, resident: str) -> bool:
        """Whether this person was reminded of a dose that nobody has acknowledged."""
        return self._days.get(resident, DayState()).medicine.open

    def acknowledge(self, resident: str) -> None:
        """Somebody says on the page that the dose was taken; told with the next look."""
        if self.is_due(resident):
            day = self._days[resident]
            after = medicine.acknowledged(day.medicine, self._now())
            self._days[resident] = msgspec.structs.replace(day, medicine=after)
            self._to_tell.append(resident)

    # -------------------------------------------------------------------------------------------- look

    async def look(self, sink: Sink) -> None:
        """Once: what is due is said, what is concluded is handed on, what changed is written down."""
        if not self._read:
            await self._read_card()
        self._date()
        while self._to_tell:
            await self._tell(sink, self._to_tell[0], EventWord.DOSE_TAKEN)
            del self._to_tell[0]
        for name, one in self._residents.items():
            if one.well_check is not None:
                await self._look_well(sink, name, one.well_check)
            if one.medicine is not None:
                await self._look_medicine(sink, name, one.medicine)
        if self._silence is not None:
            await self._look_silence(sink, self._silence)
        await self._write_if_due()

    async def _look_silence(self, sink: Sink, silence: Silence) -> None:
        asked: list[Reminder] = []
        try:
            await silence.look(self._now(), ask=partial(asked.append, Reminder.SILENCE))
        except OutboxError as error:
            _log.error("what is known of the home could not be read: %s", error)
            return
        for reminder in asked:
            await self._remind(reminder)
        if silence.pending is not None:
            told, minutes = silence.pending
            _log.warning("%s: silence of %d min, %s", silence.resident, minutes, told.value)
            await self._conclude(sink, silence.resident, INACTIVITY, minutes)
            if silence.pending == (told, minutes):  # else a sign came meanwhile
                silence.pending = None
            await silence.write()

    async def _look_well(self, sink: Sink, name: str, agreed: WellCheckConfig) -> None:
        before, known_since = self._day(name).well, self._day(name).known_since
        after, answer = well.step(
            agreed, self._asked, before, now=self._now(), zone=self._zone, known_since=known_since
        )
        if answer is Step.SIGNED and not (after.given is not None and after.given.told):
            await self._tell(sink, name, EventWord.SIGN_GIVEN)
        elif answer is Step.MISSING:
            _log.warning("%s: no agreed sign of wellbeing", name)
            await self._tell(sink, name, EventWord.SIGN_MISSING)
        day = self._day(name)
        if day.well.given != before.given:  # another sign came meanwhile
            after = msgspec.structs.replace(after, given=day.well.given)
        self._days[name] = msgspec.structs.replace(day, well=after)
        if answer is Step.PROMPT:
            await self._remind(Reminder.WELL_CHECK)

    async def _look_medicine(self, sink: Sink, name: str, agreed: MedicineConfig) -> None:
        before, known_since = self._day(name).medicine, self._day(name).known_since
        after, answer = medicine.step(agreed, before, now=self._now(), zone=self._zone, known_since=known_since)
        if answer is Dose.MISSED:
            await self._tell(sink, name, EventWord.DOSE_MISSED)
        day = self._day(name)
        if day.medicine == before:  # else it was acknowledged meanwhile
            self._days[name] = msgspec.structs.replace(day, medicine=after)
        if answer is Dose.REMIND:
            await self._remind(Reminder.MEDICINE)

    async def _tell(self, sink: Sink, resident: str, word: EventWord) -> None:
        await self._conclude(sink, resident, *word.value)

    async def _conclude(self, sink: Sink, resident: str, metric: str, step: int) -> None:
        times = Times(self._clock.wall_ms(), self._clock.mono_ns(), self._clock.boot, self._clock.state())
        subject = Subject(SubjectKind.RESIDENT, resident)
        try:
            await sink.accept(Observation(metric, (Part(metric, (step,)),), subject, DEVICE, times))
        except OutboxError as error:
            if self._not_stored is not None and not self._not_stored.done():
                self._not_stored.set_exception(error)
            raise

    async def _remind(self, reminder: Reminder) -> None:
        """On the card first: a crash leaves a reminder out, and never says it twice."""
        await self._write()
        if await self._say(reminder):
            return
        _log.error("nobody was reminded of %s: the loudspeaker failed", reminder.value)
        try:
            if self._unheard is None:
                self._unheard = (await self._committer.call(Outbox.notes)).get(UNHEARD, 0)
            self._unheard += 1
            notes = {UNHEARD: self._unheard}
            await self._committer.call(lambda outbox: outbox.remember(notes))
        except OutboxError as error:
            _log.error("that could not be written down: %s", error)

    # ------------------------------------------------------------------------------------------- card

    async def _read_card(self) -> None:
        try:
            kept = await self._committer.call(kept_days)
        except OutboxError as error:
            _log.error("the day could not be read: %s", error)
            kept = None
        now = self._now()
        # A damaged day: asked for the sign once more rather than not at all, and reminded of no dose twice.
        unknown = DayState(known_since=now) if kept is not None else DayState(medicine=MedicineState(now.ms or 0))
        for name in self._residents:
            heard = self._day(name)  # before the card was read
            day = (kept or {}).get(name, unknown)
            if heard.well.given is not None:
                day = msgspec.structs.replace(day, well=msgspec.structs.replace(day.well, given=heard.well.given))
            if name in self._doses_unread:
                dose = medicine.acknowledged(day.medicine, self._doses_unread[name])
                day = msgspec.structs.replace(day, medicine=dose)
            self._days[name] = day
        self._written = kept or {}
        self._read = True

    def _date(self) -> None:
        """Let the beginnings move with a clock that is set after them, and with what becomes known of the time."""
        now, is_known = self._now(), self._timekeeper.now() is not None
        for name, day in self._days.items():
            if day.known_since is None:
                continue
            since, is_sure = day.known_since.dated(now), day.is_since_sure
            if is_known and not is_sure:  # one of a boot that never knew the time may be of this very morning
                since, is_sure = (since if since.boot == now.boot else now), True
            self._days[name] = msgspec.structs.replace(day, known_since=since, is_since_sure=is_sure)

    async def _write_if_due(self) -> None:
        if any(_is_news(self._written.get(name), day) for name, day in self._days.items()):
            await self._write()

    async def _write(self) -> None:
        days = dict(self._days)
        text = msgspec.json.encode(days).decode()
        try:
            await self._committer.call(partial(Outbox.keep_text, name=KEPT, text=text))
        except OutboxError as error:  # goes on in memory; a restart may ask once more
            _log.error("the day could not be written down: %s", error)
            return
        self._written = days

    def _day(self, name: str) -> DayState:
        return self._days.get(name, DayState())

    def _now(self) -> Moment:
        known = self._timekeeper.now()
        if known is not None:
            ms: int | None = sum(known) // 2
        else:
            # A restored clock can only be behind: what is due comes late, never early.
            ms = None if self._clock.state() is ClockState.UNSET else self._clock.wall_ms()
        return Moment(ms, self._clock.boot, self._clock.mono_ns())


def _is_news(written: DayState | None, day: DayState) -> bool:
    """Whether a restart would go on differently: a later sign of a settled day hardly does."""
    if written is None or written.medicine != day.medicine:
        return True
    if written.is_since_sure != day.is_since_sure or _is_other(written.known_since, day.known_since):
        return True
    before, now = written.well.given, day.well.given
    if msgspec.structs.replace(written.well, given=None) != msgspec.structs.replace(day.well, given=None):
        return True
    if before is None or now is None or before.boot != now.boot:
        return before != now
    return now.mono_ns - before.mono_ns > _SIGN_KEPT_NS


def _is_other(written: Moment | None, now: Moment | None) -> bool:
    """Whether a beginning was dated anew; what a clock that is being disciplined does to it is no news."""
    if written is None or now is None or written.boot != now.boot or written.ms is None or now.ms is None:
        return written != now
    return abs(now.ms - written.ms) > _DATED_ANEW_MS
