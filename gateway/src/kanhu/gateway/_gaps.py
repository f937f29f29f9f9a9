"""Gap records while they can still grow: what was dropped, counted exactly, in as few records as possible.

A gap that no envelope has carried yet may be rewritten in place under its own number, so a month of thinning costs a
handful of records instead of filling the very card it empties. One that was handed out is closed for good: the
county may have stored it, and the same number with other bytes would be a conflict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kanhu.contract import Gap, GapReason, SeqRanges, Times
from kanhu.contract.records import MAX_GAP_RANGES


@dataclass(slots=True)
class GrowingGap:
    """One gap record not handed out yet; `seq` is None until it is written first."""

    kind: str
    reason: GapReason
    seq: int | None = None
    missing: SeqRanges = field(default_factory=SeqRanges)
    from_ms: int = 0
    to_ms: int = 0

    def add(self, rows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Take in dropped rows, each as (sequence number, arrival in Unix milliseconds); returns those without room."""
        left = []
        for seq, arrival_ms in rows:
            if len(self.missing) >= MAX_GAP_RANGES and seq - 1 not in self.missing and seq + 1 not in self.missing:
                left.append((seq, arrival_ms))
                continue
            first = not self.missing
            self.from_ms = arrival_ms if first else min(self.from_ms, arrival_ms)
            self.to_ms = arrival_ms if first else max(self.to_ms, arrival_ms)
            self.missing.add(seq, seq)
        return left

    def record(self, times: Times) -> Gap:
        """The gap as it stands."""
        return Gap(self.reason, self.kind, tuple(self.missing), self.from_ms, self.to_ms, times)


class GrowingGaps:
    """The gaps of one outbox that may still grow, oldest first in each kind."""

    def __init__(self) -> None:
        """None yet: what an earlier process wrote may have been handed out."""
        self._gaps: dict[str, list[GrowingGap]] = {}

    def place(self, kind: str, rows: Sequence[tuple[int, int]]) -> list[GrowingGap]:
        """Put dropped rows of one kind into its gaps, oldest first; returns those to write."""
        touched: list[GrowingGap] = []
        left = list(rows)
        gaps = self._gaps.setdefault(kind, [])
        for gap in gaps:
            before, left = len(left), gap.add(left)
            if len(left) < before:
                touched.append(gap)
        while left:
            gap = GrowingGap(kind, GapReason.OUTBOX_FULL)
            left = gap.add(left)
            gaps.append(gap)
            touched.append(gap)
        return touched

    def close(self, seqs: Iterable[int]) -> None:
        """These records were handed out: no gap among them grows any more."""
        if not self._gaps:
            return
        closed = set(seqs)
        for kind, gaps in list(self._gaps.items()):
            self._gaps[kind] = [gap for gap in gaps if gap.seq not in closed]

    def forget(self) -> None:
        """A write failed: what memory holds is no longer what the file holds."""
        self._gaps.clear()
