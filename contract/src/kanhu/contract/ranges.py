"""Sets of sequence numbers as closed ranges: what a county has stored, and what a receipt says."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class SeqRanges:  # noqa: PLW1641  # mutable, so not hashable
    """A set of positive integers kept as sorted, disjoint, never adjacent closed ranges."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Start from any ranges, overlapping or not."""
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Ranges in rising order."""
        return iter(zip(self._first, self._last, strict=True))

    def __len__(self) -> int:
        """How many ranges there are, not how many numbers."""
        return len(self._first)

    def __contains__(self, seq: int) -> bool:
        """Whether a number is in the set."""
        at = bisect_right(self._first, seq) - 1
        return at >= 0 and seq <= self._last[at]

    def __eq__(self, other: object) -> bool:
        """Equal when they hold the same numbers."""
        return isinstance(other, SeqRanges) and list(self) == list(other)

    def count(self) -> int:
        """How many numbers are in the set."""
        return sum(last - first + 1 for first, last in self)

    def contiguous(self) -> int:
        """Highest n with 1..n all present; 0 if 1 is missing."""
        return self._last[0] if self._first and self._first[0] <= 1 else 0

    def add(self, first: int, last: int) -> None:
        """Add every number from first to last, both included.

        Raises:
            ValueError: first is below 1 or above last.
        """
        if not 1 <= first <= last:
            msg = f"not a range of sequence numbers: {first}..{last}"
            raise ValueError(msg)
        start = bisect_right(self._last, first - 2)
        stop = bisect_right(self._first, last + 1)
        if start < stop:
            first = min(first, self._first[start])
            last = max(last, self._last[stop - 1])
        self._first[start:stop] = [first]
        self._last[start:stop] = [last]


def compress(seqs: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Closed ranges that hold exactly these numbers."""
    return tuple(SeqRanges((seq, seq) for seq in seqs))
