"""What is under way to the county: sent, not yet answered. Pure bookkeeping, no clock and no network.

    launched ──stored──▶ gone
       │ ├──a receipt came and does not name it──▶ sent again early, and is still the same parcel
       │ ├──refused, or passed over──▶ suspect ──again──▶ two halves ──▶ ... ──▶ one record ──again──▶ condemned
       └──nothing answered in time──▶ SILENT: the link is closed, everything flies again, the time doubles

Sent again early: who published before the county had subscribed published for nobody, and the county's next receipt
shows it. But a county that is only slow works its way up to a record and says nothing of it meanwhile. So, once a
receipt has come, a record is sent again after a pause in which nothing at all was stored, or at once where something
sent later was stored before it. The pause is a second for alerts, the time between two routine parcels for the others,
doubled with each send, and each send needs a receipt of its own: in a receipt timeout of 20 s at most five sends of one
alert. Of routine parcels only the oldest is sent again without proof, and the pause doubles for all of them until
everything is answered: in n pauses a slow county gets no more than log n of them twice.

Nothing answered: a county that is overloaded answers late, and must not get everything once more every 20 s from
everybody. Each silence in a row doubles the time, up to four times what it was; the first record that a receipt names
sets it back. A county that was away says so itself, by the receipt it begins with.

Passed over: the county stored what was sent later, and said nothing of this in the time it has for an answer. It is
sent again; only where what was sent later went by the same lane, and so by the same topic in order, does that speak
against the records, and far less than a refusal does: a county that is killed in the wrong moment is silent too.
Suspects fly in parcels of their own, so that one record the county will not take never holds up the others.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from kanhu.contract import Lane, Receipt, SeqRanges
from kanhu.contract.receipt import MAX_RANGES

WINDOW = 8
"""Most unanswered parcels; alerts have a window of their own, so a backlog never closes it for them."""

_LONGEST_TIMEOUTS = 4
"""How many times the receipt timeout silence may double to: what the county lost is found within 80 s even then."""

_AGAIN_S = 1.0
"""Pause before an alert is sent again early; a county with little to do has answered long before."""

_CHANCES = 2
_CHANCES_UNANSWERED = 8  # of one record alone: silence condemns only where no series of accidents explains it
_UNANSWERED = "unanswered"


class Answer(StrEnum):
    """What the county's answers, or their absence, mean for the link."""

    WAIT = "wait"
    SILENT = "silent"


@dataclass(slots=True)
class Suspect:
    """Records the county did not take as they came."""

    lane: Lane
    seqs: tuple[int, ...]
    reason: str
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Condemned:
    """One record refused by itself, more than once."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """What is left of a parcel, to be sent once more on the same connection."""

    lane: Lane
    seqs: tuple[int, ...]


class _Missed(StrEnum):
    """What the receipts since the last send say of a parcel that they do not name."""

    UNNAMED = "unnamed"
    OVERTAKEN = "overtaken"  # something sent later is stored


@dataclass(slots=True)
class _Parcel:
    lane: Lane
    span: tuple[int, int]
    seqs: tuple[int, ...]
    order: int
    sent_ns: int
    suspect: Suspect | None
    pause_ns: int
    last_order: int
    last_ns: int
    missed: _Missed | None = None


class Flight:
    """All parcels of one gateway; `sent` and suspects outlive a connection, parcels do not."""

    def __init__(self, *, timeout_s: float, routine_s: float) -> None:
        """`timeout_s` is how long the county has for an answer, `routine_s` the rhythm of routine parcels."""
        self._first_timeout_ns = self._timeout_ns = round(timeout_s * 1e9)
        self._alert_pause_ns = round(_AGAIN_S * 1e9)
        self._routine_pause_ns = max(self._alert_pause_ns, round(routine_s * 1e9))
        self._unproven_pause_ns = self._routine_pause_ns
        self._parcels: list[_Parcel] = []
        self._suspects: deque[Suspect] = deque()
        self._order = 0
        self._stored_order: dict[Lane, int] = {}
        self._progress_ns = 0
        self._receipts_are_cut = False
        self.sent = SeqRanges()
        """Everything this process ever handed to a broker, and what is owed no more."""

    def begin(self, now_ns: int) -> None:
        """Start a new connection: whatever flew on the last one flies again."""
        for parcel in self._parcels:
            if parcel.suspect is not None:
                self._suspects.append(parcel.suspect)
        self._parcels.clear()
        self._progress_ns = now_ns
        self._unproven_pause_ns = self._routine_pause_ns

    def has_room(self, lane: Lane) -> bool:
        """Whether another parcel may fly on this lane."""
        return len(self._of(lane)) < WINDOW

    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._parcels and not self._suspects

    def launch(self, lane: Lane, seqs: Sequence[int], *, now_ns: int, suspect: Suspect | None = None) -> None:
        """Note a parcel before its first byte leaves; numbers rise. What it leaves out of a suspect flies later."""
        order = self._next_order()
        if suspect is not None and len(seqs) < len(suspect.seqs):
            rest = tuple(seq for seq in suspect.seqs if seq not in seqs)
            self._suspects.append(replace(suspect, seqs=rest))
            suspect = replace(suspect, seqs=tuple(seqs))
        pause_ns = self._alert_pause_ns if lane is Lane.ALERT else self._routine_pause_ns
        span = (seqs[0], seqs[-1])
        self._parcels.append(_Parcel(lane, span, tuple(seqs), order, now_ns, suspect, pause_ns, order, now_ns))
        for seq in seqs:
            self.sent.add(seq, seq)

    def next_again(self, lane: Lane, *, now_ns: int) -> Again | None:
        """Take the next parcel of this lane that is to be sent again now; it stays under way as it is."""
        for parcel in self._doubtful(lane):
            if self._again_ns(parcel) <= now_ns:
                if lane is not Lane.ALERT and parcel.missed is _Missed.UNNAMED:
                    self._unproven_pause_ns *= 2
                parcel.missed = None
                parcel.pause_ns *= 2
                parcel.last_order = self._next_order()
                parcel.last_ns = now_ns
                return Again(parcel.lane, parcel.seqs)
        return None

    def again_in_s(self, lane: Lane, *, now_ns: int) -> float:
        """How long `next_again` has nothing to say unless a receipt comes; infinite where it waits for one."""
        return max(0.0, (min(map(self._again_ns, self._doubtful(lane)), default=inf) - now_ns) / 1e9)

    def forget_below(self, oldest: int) -> None:
        """Nothing below this number is owed any more: whether it was sent need not be remembered one by one."""
        if oldest > 1:
            self.sent.add(1, oldest - 1)

    def next_suspect(self, lane: Lane) -> Suspect | None:
        """Take the next group that has to fly by itself on this lane; `launch` it, or it is forgotten."""
        alert = lane is Lane.ALERT
        for suspect in self._suspects:
            if (suspect.lane is Lane.ALERT) == alert:
                self._suspects.remove(suspect)
                return suspect
        return None

    def flying(self) -> frozenset[int]:
        """Numbers that are under way."""
        return frozenset(seq for parcel in self._parcels for seq in parcel.seqs)

    def suspected(self) -> frozenset[int]:
        """Numbers that ordinary parcels leave out."""
        waiting = {seq for suspect in self._suspects for seq in suspect.seqs}
        flying = {seq for parcel in self._parcels if parcel.suspect is not None for seq in parcel.seqs}
        return frozenset(waiting | flying)

    def answer(self, receipt: Receipt, *, now_ns: int) -> list[Condemned]:
        """Take a receipt in."""
        self._receipts_are_cut = len(receipt.ranges) >= MAX_RANGES
        stored = SeqRanges(receipt.ranges)
        if receipt.contiguous:
            stored.add(1, receipt.contiguous)
        condemned: list[Condemned] = []
        newest_stored = 0
        for parcel in list(self._parcels):
            left = tuple(seq for seq in parcel.seqs if seq not in stored)
            if len(left) < len(parcel.seqs):
                self._progress_ns = now_ns
                self._timeout_ns = self._first_timeout_ns
                newest_stored = max(newest_stored, parcel.order)
                self._stored_order[parcel.lane] = max(self._stored_order.get(parcel.lane, 0), parcel.order)
                parcel.seqs = left
            for refusal in receipt.refused:
                # A wider refusal speaks of an earlier, larger parcel: receipts are repeated.
                if parcel.span[0] <= refusal.first and refusal.last <= parcel.span[1]:
                    hit = tuple(seq for seq in parcel.seqs if refusal.first <= seq <= refusal.last)
                    if hit:
                        self._progress_ns = now_ns
                        self._timeout_ns = self._first_timeout_ns
                        condemned += self._refuse(parcel, hit, reason=refusal.reason.value)
            if not parcel.seqs:
                self._parcels.remove(parcel)
        if not self._of(Lane.LIVE):
            self._unproven_pause_ns = self._routine_pause_ns
        if not self._receipts_are_cut:  # else it may have been left out for want of room
            self._miss(newest_stored)
        return condemned

    def check(self, now_ns: int) -> tuple[Answer, list[Condemned]]:
        """Look for parcels without an answer."""
        condemned: list[Condemned] = []
        for parcel in list(self._parcels):
            if now_ns - parcel.sent_ns < self._timeout_ns:
                continue
            if parcel.order < max(self._stored_order.values(), default=0):
                self._parcels.remove(parcel)
                in_order = parcel.order < self._stored_order.get(parcel.lane, 0)
                if in_order and not self._receipts_are_cut:
                    condemned += self._refuse(parcel, parcel.seqs, reason=_UNANSWERED)
                else:  # another lane may simply be faster, and a receipt too full to name it: only ask again
                    self._suspects.append(_again(parcel))
            elif now_ns - max(parcel.sent_ns, self._progress_ns) >= self._timeout_ns:
                self._timeout_ns = min(2 * self._timeout_ns, _LONGEST_TIMEOUTS * self._first_timeout_ns)
                return Answer.SILENT, condemned
        return Answer.WAIT, condemned

    def _of(self, lane: Lane) -> list[_Parcel]:
        alert = lane is Lane.ALERT
        return [parcel for parcel in self._parcels if (parcel.lane is Lane.ALERT) == alert]

    def _doubtful(self, lane: Lane) -> list[_Parcel]:
        """Parcels that may have been lost: of routine ones the oldest speaks for all that nothing has overtaken."""
        parcels = self._of(lane)
        if lane is Lane.ALERT:
            return parcels
        return [parcel for parcel in parcels if parcel is parcels[0] or parcel.missed is _Missed.OVERTAKEN]

    def _next_order(self) -> int:
        self._order += 1
        return self._order

    def _miss(self, newest_stored: int) -> None:
        # A parcel sent twice may have been stored as it came first: its first order is what it proves.
        for parcel in self._parcels:
            if parcel.last_order < newest_stored:
                parcel.missed = _Missed.OVERTAKEN
            elif parcel.missed is None:
                parcel.missed = _Missed.UNNAMED

    def _again_ns(self, parcel: _Parcel) -> float:
        match parcel.missed:
            case None:
                return inf
            case _Missed.OVERTAKEN:
                return parcel.last_ns + parcel.pause_ns
            case _Missed.UNNAMED:  # the county may be on its way to it, as long as it stores anything
                pause_ns = 0 if parcel.lane is Lane.ALERT else self._unproven_pause_ns
                return max(parcel.last_ns, self._progress_ns) + max(parcel.pause_ns, pause_ns)

    def _refuse(self, parcel: _Parcel, seqs: tuple[int, ...], *, reason: str) -> Iterable[Condemned]:
        parcel.seqs = tuple(seq for seq in parcel.seqs if seq not in seqs)
        suspect = parcel.suspect
        if suspect is None or suspect.seqs != seqs:
            suspect = Suspect(parcel.lane, seqs, reason)
        suspect.refusals += 1
        suspect.reason = reason
        if suspect.refusals < _CHANCES:
            self._suspects.append(suspect)
        elif len(seqs) == 1:
            if reason != _UNANSWERED or suspect.refusals >= _CHANCES_UNANSWERED:
                return [Condemned(seqs[0], reason)]
            self._suspects.append(suspect)
        else:
            middle = len(seqs) // 2
            self._suspects += (Suspect(parcel.lane, half, reason) for half in (seqs[:middle], seqs[middle:]))
        return []


def _again(parcel: _Parcel) -> Suspect:
    """What is left of a parcel, to be sent by itself, with what was held against it."""
    suspect = parcel.suspect
    if suspect is not None and suspect.seqs == parcel.seqs:
        return suspect
    return Suspect(parcel.lane, parcel.seqs, _UNANSWERED)
