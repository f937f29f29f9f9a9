"""What is under way to the county: sent, not yet answered. Pure bookkeeping, no clock and no network.

    launched ──stored──▶ gone
       │ ├──refused, or passed over──▶ suspect ──again──▶ two halves ──▶ ... ──▶ one record ──again──▶ condemned
       └──nothing answered in time──▶ SILENT: the link is closed and everything flies again

Passed over: the county stored what was sent later, and said nothing of this in the time it has for an answer. It is
sent again; only where what was sent later went by the same lane, and so by the same topic in order, does that speak
against the records, and far less than a refusal does: a county that is killed in the wrong moment is silent too.
Suspects fly in parcels of their own, so that one record the county will not take never holds up the others.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kanhu.contract import Lane, Receipt, SeqRanges
from kanhu.contract.receipt import MAX_RANGES

WINDOW = 8
"""Most unanswered parcels; alerts have a window of their own, so a backlog never closes it for them."""

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


@dataclass(slots=True)
class _Parcel:
    lane: Lane
    span: tuple[int, int]
    seqs: tuple[int, ...]
    order: int
    sent_ns: int
    suspect: Suspect | None


class Flight:
    """All parcels of one gateway; `sent` and suspects outlive a connection, parcels do not."""

    def __init__(self, *, timeout_s: float) -> None:
        """`timeout_s` is how long the county has for an answer."""
        self._timeout_ns = round(timeout_s * 1e9)
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

    def has_room(self, lane: Lane) -> bool:
        """Whether another parcel may fly on this lane."""
        alert = lane is Lane.ALERT
        return sum((parcel.lane is Lane.ALERT) == alert for parcel in self._parcels) < WINDOW

    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._parcels and not self._suspects

    def launch(self, lane: Lane, seqs: Sequence[int], *, now_ns: int, suspect: Suspect | None = None) -> None:
        """Note a parcel before its first byte leaves; numbers rise."""
        self._order += 1
        self._parcels.append(_Parcel(lane, (seqs[0], seqs[-1]), tuple(seqs), self._order, now_ns, suspect))
        for seq in seqs:
            self.sent.add(seq, seq)

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
        for parcel in list(self._parcels):
            left = tuple(seq for seq in parcel.seqs if seq not in stored)
            if len(left) < len(parcel.seqs):
                self._progress_ns = now_ns
                self._stored_order[parcel.lane] = max(self._stored_order.get(parcel.lane, 0), parcel.order)
                parcel.seqs = left
            for refusal in receipt.refused:
                # A wider refusal speaks of an earlier, larger parcel: receipts are repeated.
                if parcel.span[0] <= refusal.first and refusal.last <= parcel.span[1]:
                    hit = tuple(seq for seq in parcel.seqs if refusal.first <= seq <= refusal.last)
                    if hit:
                        self._progress_ns = now_ns
                        condemned += self._refuse(parcel, hit, reason=refusal.reason.value)
            if not parcel.seqs:
                self._parcels.remove(parcel)
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
                return Answer.SILENT, condemned
        return Answer.WAIT, condemned

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
