"""Whose arm is it? The person chosen before, who lies in the device's bed, or whose id the device's record carries.

A measurement at a shared device is of the person who is chosen when it arrives, where nobody else was chosen since it
began. What may be of two people is of nobody: a reading under a wrong name does more harm than one without a name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from kanhu.contract import Clock, ClockState
from kanhu.edge.devices import DeviceConfig

if TYPE_CHECKING:
    from kanhu.edge.cards import Cards

SESSION_S = 300.0
"""A person stays chosen for so long after the last measurement; project choice: rest and a second cuff reading take
one to five minutes, and who walks away without a word must not lend the name to the next."""


AT_ONCE_S = 20.0
"""A reading told so soon after it was measured is told at once: two clocks of whole seconds and a link that has to come
up lie between; project choice."""


class WhoseReason(StrEnum):
    """Why a reading is of a person, of a place, or of nobody known."""

    OWN = "own"
    """The device measures one person only."""
    IN_BED = "in_bed"
    """Who lies in the bed that the device belongs to."""
    CHOSEN = "chosen"
    """The person chosen before."""
    NAMED = "named"
    """The resident whose id stands in the device's own record."""
    PLACE = "place"
    """A help button of nobody: of the place where it is."""
    NOBODY_CHOSEN = "nobody_chosen"
    TIME_OVER = "time_over"
    """The person chosen last was chosen too long ago."""
    CHANGED = "changed"
    """Another person was chosen while it was measured."""
    BED_EMPTY = "bed_empty"
    CLOCK_UNSET = "clock_unset"
    """Nobody has set the clock, so nobody knows who lies in the bed today."""
    STORED = "stored"
    """It comes from the device's memory, or was measured at another time by the device's own clock."""
    UNNAMED = "unnamed"
    """The device's record names no resident of this gateway, or two."""


NOBODY_KNOWN = frozenset(
    {
        WhoseReason.NOBODY_CHOSEN,
        WhoseReason.TIME_OVER,
        WhoseReason.CHANGED,
        WhoseReason.BED_EMPTY,
        WhoseReason.CLOCK_UNSET,
        WhoseReason.STORED,
        WhoseReason.UNNAMED,
    }
)
"""Answers that name neither a person nor a place."""


class Whose(NamedTuple):
    """A resident, or None where nobody is known, and why."""

    resident: str | None
    reason: WhoseReason


class Choice(StrEnum):
    """What choosing a person did."""

    BEGAN = "began"
    EXTENDED = "extended"
    REPLACED = "replaced"


class Attendance:
    """The person whom shared devices measure: one at a time, until done, until the next, or until time is over."""

    def __init__(self, *, clock: Clock, session_s: float = SESSION_S) -> None:
        """Begin with nobody."""
        self._clock = clock
        self._session_ns = round(session_s * 1e9)
        self._resident: str | None = None
        self._ends_ns = 0
        self._let_go_ns: dict[str, int] = {}
        self.on_choice: Callable[[str, Choice], None] | None = None
        """Told of each person chosen, by whatever way."""

    def choose(self, resident: str) -> Choice:
        """Measure this person from now on."""
        before, _ = self.present()
        if self._resident != resident:  # also whose time was over a moment ago: what arrives now may have begun before
            self._let_go()
        self._resident = resident
        self._extend()
        choice = Choice.EXTENDED if before == resident else Choice.REPLACED
        choice = Choice.BEGAN if before is None else choice
        if choice is not Choice.EXTENDED:
            self._chosen_ns = self._clock.mono_ns()
        if self.on_choice is not None:
            self.on_choice(resident, choice)
        return choice

    def done(self) -> None:
        """Measure nobody until somebody is chosen."""
        self._let_go()
        self._resident = None

    def present(self) -> Whose:
        """Who is chosen now; changes nothing."""
        if self._resident is None:
            return Whose(None, WhoseReason.NOBODY_CHOSEN)
        if self._clock.mono_ns() >= self._ends_ns:
            return Whose(None, WhoseReason.TIME_OVER)
        return Whose(self._resident, WhoseReason.CHOSEN)

    @property
    def left_s(self) -> float:
        """Seconds until time is over; 0 where nobody is chosen."""
        left_s = (self._ends_ns - self._clock.mono_ns()) / 1e9
        return max(0.0, left_s) if self._resident is not None else 0.0

    def measured(self, *, began_ns: int, kept_s: float = 0.0) -> Whose:
        """Whose measurement it is that arrives now and began then; it gives the chosen person more time.

        Who is chosen while it goes on is meant by it; who is chosen after it had ended, `kept_s` ago, is not.
        """
        present = self.present()
        if present.resident is None:
            return present
        others = (gone_ns for other, gone_ns in self._let_go_ns.items() if other != present.resident)
        if any(gone_ns > began_ns for gone_ns in others):
            return Whose(None, WhoseReason.CHANGED)
        if kept_s > AT_ONCE_S and self._chosen_ns > self._clock.mono_ns() - kept_s * 1e9:
            return Whose(None, WhoseReason.NOBODY_CHOSEN)
        self._extend()
        return present

    def _extend(self) -> None:
        self._ends_ns = self._clock.mono_ns() + self._session_ns

    def _let_go(self) -> None:
        if self._resident is not None:
            self._let_go_ns[self._resident] = min(self._clock.mono_ns(), self._ends_ns)


class Stay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody lies in a bed from `since` until just before `until`; None is without beginning, or without end."""

    bed: str
    resident: str
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, now: datetime) -> bool:
        """Whether the person lies there at this time."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)

    def meets(self, other: "Stay") -> bool:
        """Whether both are at some time together."""
        begins_in_time = self.since is None or other.until is None or self.since < other.until
        other_begins_in_time = other.since is None or self.until is None or other.since < self.until
        return begins_in_time and other_begins_in_time


class People:
    """Answers for every device of a gateway whose reading it is, and counts the answers."""

    def __init__(
        self,
        *,
        clock: Clock,
        attendance: Attendance | None = None,
        stays: Sequence[Stay] = (),
        residents: Iterable[str] = (),
        cards: "Cards | None" = None,
    ) -> None:
        """Stays carry aware times; whoever lets people be chosen keeps the attendance; `residents` is everybody."""
        self._clock = clock
        self.cards = cards
        """What a scanner reads goes here; None where nobody is chosen by a card."""
        self._residents = frozenset(residents)
        self._attendance = attendance or Attendance(clock=clock)
        self._stays = stays
        self.reasons: Counter[WhoseReason] = Counter()
        """How often each answer was given."""
        self.latest: dict[str, WhoseReason] = {}
        """The last answer, by device."""

    def whose(self, device: DeviceConfig, *, began_ns: int, kept_s: float = 0.0) -> Whose:
        """Whose reading it is that arrives now, began then, and was kept by the device for so long."""
        return self._answered(device, self._whose(device, began_ns, kept_s))

    def stored(self, device: DeviceConfig) -> Whose:
        """Whose reading it is that a shared device kept: who was chosen when it measured, nobody knows any more."""
        answer = (device.subject, WhoseReason.OWN) if device.subject is not None else (None, WhoseReason.STORED)
        return self._answered(device, Whose(*answer))

    def named(self, device: DeviceConfig, ids: Iterable[str]) -> Whose:
        """Whose reading it is by the ids in the device's record, whenever it arrives; a stranger's id says nothing."""
        found = self._residents.intersection(ids)
        if device.subject is not None and not found - {device.subject}:
            return self._answered(device, Whose(device.subject, WhoseReason.OWN))
        if device.subject is not None or len(found) != 1:
            return self._answered(device, Whose(None, WhoseReason.UNNAMED))
        return self._answered(device, Whose(next(iter(found)), WhoseReason.NAMED))

    def lies_in(self, bed: str) -> Whose:
        """Who lies in a bed now."""
        if self._clock.state() is ClockState.UNSET:
            return Whose(None, WhoseReason.CLOCK_UNSET)
        now = self._clock.now()
        for stay in self._stays:
            if stay.bed == bed and stay.covers(now):
                return Whose(stay.resident, WhoseReason.IN_BED)
        return Whose(None, WhoseReason.BED_EMPTY)

    def _answered(self, device: DeviceConfig, answer: Whose) -> Whose:
        self.reasons[answer.reason] += 1
        self.latest[device.id] = answer.reason
        return answer

    def _whose(self, device: DeviceConfig, began_ns: int, kept_s: float) -> Whose:
        if device.subject is not None:
            return Whose(device.subject, WhoseReason.OWN)
        if device.bed is not None:
            there = self.lies_in(device.bed)
            if there.resident is not None or device.dwelling is None:
                return there
        if device.dwelling is not None:
            return Whose(None, WhoseReason.PLACE)
        return self._attendance.measured(began_ns=began_ns, kept_s=kept_s)
