"""What the page knows: who is chosen, the last readings, the day, the way to the county; and when any of it changed.

    devices ──▶ intake ──taken, refused──▶ Clinic ◀──receipts── uplink
                                             │ ▲
                                   changed ──┘ └── choose, scan, done
    page.app serves what is here, and is woken by `changed`.

A label is looked up here for the screen and goes nowhere else: no record, no heartbeat, no log line bears it.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from kanhu.contract import Clock, Observation, Receipt, SeqRanges, SubjectKind
from kanhu.edge.cards import Cards, Scan
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import DecodeReason
from kanhu.edge.pipeline import Judged
from kanhu.edge.whose import Attendance, Choice, People, Whose, WhoseReason
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.page.day import Day, Row, RowState, Whereabouts
from kanhu.gateway.page.troubles import Trouble, troubles

DAY_FILE = "today.json"
_TICK_S = 1.0
_LOOK_EVERY = 5  # ticks between two looks into the outbox; after a receipt at once
_SAVE_EVERY = 60  # ticks: a card is not written oftener for the sake of a list
_BEATS_MISSED = 2.5  # the county answers each heartbeat; after so many without an answer it is out of reach
_NOTICE_S = 120.0
_MOST_SITTING = 12
# A strap on the table says every second that it touches nobody: that is no attempt.
_NO_RESULT = frozenset(
    {
        DecodeReason.NOT_A_NUMBER.value,
        DecodeReason.NO_VALUE.value,
        DecodeReason.NO_VALID_PACKETS.value,
        DecodeReason.INFINITE.value,
        DecodeReason.NOT_AT_THIS_RESOLUTION.value,
    }
)


class Resident(NamedTuple):
    """A person as the screen shows them."""

    id: str
    label: str
    bed: str | None
    room: str | None


class Attempt(StrEnum):
    """What came of a measurement that gave no reading."""

    NO_RESULT = "no_result"
    TOO_SHORT = "too_short"
    NOT_KEPT = "not_kept"


class County(NamedTuple):
    """The way to the county."""

    reached: bool
    since_ms: int | None
    """Wall clock of the last receipt; None where none came since the start."""
    waiting: int


class Doses(Protocol):
    """Whoever reminds of medicine."""

    def is_due(self, resident: str) -> bool:
        """Whether this person was reminded of a dose that nobody has acknowledged."""

    def acknowledge(self, resident: str) -> None:
        """Somebody says that it was taken."""


class Clinic:
    """One gateway's page, without a single word or tag of it."""

    def __init__(
        self,
        config: GatewayConfig,
        *,
        committer: Committer,
        attendance: Attendance,
        people: People,
        cards: Cards,
        seen: Mapping[str, DeviceSeen],
        clock: Clock,
        doses: Doses | None = None,
    ) -> None:
        """`seen` is filled by the intake."""
        self._config = config
        self._committer = committer
        self._attendance = attendance
        self._people = people
        self._seen = seen
        self._doses = doses
        self._clock = clock
        self._day = Day(config.folder / DAY_FILE, zone=config.zone, epoch=committer.epoch)
        self._residents = {resident.id for resident in config.resident}
        attendance.on_choice = self._chosen
        self._cards = cards
        self._cards.on_scan = self._scanned
        self._beds = {bed.id: bed for bed in config.bed}
        self._bell = asyncio.Event()
        self._named = SeqRanges()
        self._receipt_ns: int | None = None
        self._receipt_ms: int | None = None
        self._look_now = True
        self._waiting = 0
        self._fullness = 0.0
        self._card_failed = False
        self._notice: tuple[Scan | Judged, int] | None = None
        self._last_resident: str | None = None
        self.revision = 1
        """Grows with each change that a screen would show."""
        self.sitting: list[Judged] = []
        """Readings of the chosen person since they were chosen, newest last."""
        self.attempt: Attempt | None = None
        """What the last measurement came to, where it gave no reading."""

    # ------------------------------------------------------------------------------------------- acts

    def choose(self, resident: str) -> Choice | None:
        """Measure this person from now on; None where nobody of this id is registered."""
        return self._attendance.choose(resident) if resident in self._residents else None

    def scan(self, code: str) -> Scan:
        """A scanner typed this; what it typed is neither kept nor logged, it may be anything."""
        return self._cards.read(code)

    def done(self) -> None:
        """The chosen person is finished with."""
        self._attendance.done()
        self.sitting, self.attempt, self._notice, self._last_resident = [], None, None, None
        self.touch()

    def dose_taken(self) -> None:
        """The chosen person says that the medicine was taken."""
        present = self.present().resident
        if self._doses is not None and present is not None:
            self._doses.acknowledge(present)
            self.touch()

    # --------------------------------------------------------------------------------------- listening

    def _chosen(self, resident: str, choice: Choice) -> None:
        """Somebody was chosen, by a press here or by a card at a reader."""
        if choice is not Choice.EXTENDED:
            self.sitting, self.attempt = [], None
        self._last_resident = resident
        self._notice = None
        self.touch()

    def _scanned(self, scan: Scan) -> None:
        if scan is not Scan.CHOSEN:
            self._notice = (scan, self._clock.mono_ns())
            self.touch()

    def taken(self, judged: Judged, *, seq: int) -> None:
        """A reading was committed under this number."""
        self._card_failed = False
        self._day.add(judged.observation, seq=seq, state=RowState.WAITING)
        self._waiting += 1
        self._show(judged)

    def not_kept(self, judged: Judged) -> None:
        """The card did not take a reading."""
        self._card_failed = True
        self._day.add(judged.observation, seq=0, state=RowState.NOT_KEPT)
        self._show(judged)
        self.attempt = Attempt.NOT_KEPT

    def refused(self, device: str, reason: str) -> None:
        """A device's bytes became no reading."""
        if self.present().resident is None:
            return
        shown = self.sitting[-1].observation.device if self.sitting else None
        if reason == DecodeReason.WINDOW_INCOMPLETE.value and shown != device:
            self.attempt = Attempt.TOO_SHORT
        elif reason in _NO_RESULT:
            self.attempt = Attempt.NO_RESULT
        else:
            return
        self.touch()

    def receipt(self, receipt: Receipt) -> None:
        """The county spoke."""
        self._receipt_ns, self._receipt_ms = self._clock.mono_ns(), self._clock.wall_ms()
        if receipt.contiguous:
            self._named.add(1, receipt.contiguous)
        for first, last in receipt.ranges:
            self._named.add(first, last)
        self._look_now = True

    def _show(self, judged: Judged) -> None:
        subject = judged.observation.subject
        present = self._attendance.present().resident
        if subject.kind is SubjectKind.UNIDENTIFIED:
            self._notice = (judged, self._clock.mono_ns())
        elif subject.id == present:
            self.sitting = [*self.sitting, judged][-_MOST_SITTING:]
            self.attempt = None
        self.touch()

    # ------------------------------------------------------------------------------------------ asking

    def present(self) -> Whose:
        """Who is chosen."""
        return self._attendance.present()

    def dose_is_due(self) -> bool:
        """Whether the chosen person was reminded of a dose."""
        present = self.present().resident
        return self._doses is not None and present is not None and self._doses.is_due(present)

    @property
    def ends_at(self) -> datetime:
        """When the chosen person's time is over, local."""
        ends = self._clock.wall_ms() / 1000 + self._attendance.left_s
        return datetime.fromtimestamp(ends, tz=self._config.zone)

    def now(self) -> datetime:
        """Local time."""
        return self._clock.now().astimezone(self._config.zone)

    def local(self, wall_ms: int) -> datetime:
        """A time of a record, local."""
        return datetime.fromtimestamp(wall_ms / 1000, tz=self._config.zone)

    def residents(self) -> list[Resident]:
        """Everybody, in order of room and bed, then label."""
        lies = {there.resident: bed for bed in self._beds if (there := self._people.lies_in(bed)).resident is not None}
        everybody = []
        for one in self._config.resident:
            bed = lies.get(one.id)
            room = None if bed is None else self._beds[bed].room
            everybody.append(Resident(one.id, one.label or one.id, bed, room))
        return sorted(everybody, key=lambda one: (one.room is None, one.room or "", one.bed or "", one.label))

    def resident(self, identity: str) -> Resident | None:
        """One person."""
        return next((one for one in self.residents() if one.id == identity), None)

    def rooms(self) -> list[str]:
        """Rooms with beds, in order."""
        return sorted({bed.room for bed in self._config.bed if bed.room is not None})

    def rows(self) -> list[Row]:
        """Today's readings, newest first."""
        return self._day.rows(self._clock.now())

    def last_measured(self) -> dict[str, int]:
        """Wall clock of today's last reading, by resident."""
        return {row.observation.subject.id: row.observation.times.arrival_ms for row in reversed(self.rows())}

    def reason(self, observation: Observation) -> WhoseReason:
        """Why a reading is of nobody known."""
        return self._people.latest.get(observation.device, WhoseReason.NOBODY_CHOSEN)

    def notice(self) -> Scan | Judged | None:
        """What the people's screen has to say first: a card that is not known, or a reading of nobody."""
        if self._notice is None or self._clock.mono_ns() - self._notice[1] > _NOTICE_S * 1e9:
            return None
        return self._notice[0]

    def ran_out(self) -> Resident | None:
        """Whose time is over, while nobody else was chosen."""
        if self._last_resident is None or self.present().reason is not WhoseReason.TIME_OVER:
            return None
        return self.resident(self._last_resident)

    def county(self) -> County:
        """Whether the county is in reach, and how much waits."""
        patience_ns = _BEATS_MISSED * self._config.heartbeat_s * 1e9
        heard = self._receipt_ns
        reached = heard is not None and self._clock.mono_ns() - heard < patience_ns
        return County(reached, self._receipt_ms, self._waiting)

    def troubles(self) -> tuple[Trouble, ...]:
        """What somebody should see to."""
        return troubles(
            list(self._seen.values()),
            clock=self._clock.state(),
            card_failed=self._card_failed,
            fullness=self._fullness,
            confirmed=self._receipt_ns is not None,
        )

    # --------------------------------------------------------------------------------------- watching

    async def changed(self, since: int) -> int:
        """Wait until the revision is beyond `since`; returns it."""
        while self.revision <= since:
            await self._bell.wait()
        return self.revision

    async def watch(self) -> None:
        """Notice what time changes, until cancelled.

        Raises:
            OutboxError, OSError: the outbox could not be read, or the day not be written.
        """
        ticks = 0
        before: object = None
        try:
            while True:
                if self._look_now or ticks % _LOOK_EVERY == 0:
                    self._look_now = False
                    await self._look()
                if ticks % _SAVE_EVERY == _SAVE_EVERY - 1:
                    await asyncio.to_thread(self._day.save)
                shown = (
                    self.now().strftime("%H:%M"),
                    self.present(),
                    self.notice(),
                    self.county(),
                    self.troubles(),
                    self.dose_is_due(),
                )
                if shown != before:
                    before = shown
                    self.touch()
                ticks += 1
                await self._clock.sleep(_TICK_S)
        finally:
            self._day.save()

    async def _look(self) -> None:
        seqs = self._day.undecided()

        def look(outbox: Outbox) -> tuple[int, float, Whereabouts]:
            space = outbox.space()
            owed, aside = outbox.still_here(seqs)
            return outbox.owed().total, space.needed / space.routine_limit, Whereabouts(owed, aside)

        self._waiting, self._fullness, found = await self._committer.call(look)
        if self._day.place(found, named=self._named, asked=seqs):
            self.touch()

    def touch(self) -> None:
        """A screen would show something else now."""
        self.revision += 1
        self._bell.set()
        self._bell = asyncio.Event()
