"""Ranges of sequence numbers behave as the set they stand for."""

from bisect import bisect_right

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from kanhu.contract import SeqRanges
from kanhu.contract.ranges import compress

numbers = st.integers(1, 40)
spans = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))
span_lists = st.lists(spans, max_size=25)


def plain_set(added: list[tuple[int, int]]) -> set[int]:
    return {seq for first, last in added for seq in range(first, last + 1)}


def agrees(ranges: SeqRanges, model: set[int]) -> bool:
    """Same numbers, in rising ranges that neither overlap nor touch."""
    flat = [end for span in ranges for end in span]
    apart = all(later - earlier > 1 for (_, earlier), (later, _) in zip(list(ranges), list(ranges)[1:], strict=False))
    return (
        flat == sorted(flat)
        and apart
        and {seq for first, last in ranges for seq in range(first, last + 1)} == model
        and all((seq in ranges) == (seq in model) for seq in range(-1, 43))
        and ranges.count() == len(model)
        and ranges.contiguous() == next(n for n in range(42) if n + 1 not in model)
        and len(ranges) == len(list(ranges))
    )


@given(span_lists)
def test_any_ranges_in_any_order_are_the_set_of_their_numbers(added: list[tuple[int, int]]) -> None:
    assert agrees(SeqRanges(added), plain_set(added))


@given(span_lists, span_lists)
def test_ranges_are_equal_when_they_hold_the_same_numbers(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    assert (SeqRanges(one) == SeqRanges(other)) == (plain_set(one) == plain_set(other))


@given(st.lists(numbers))
def test_compress_names_exactly_these_numbers(seqs: list[int]) -> None:
    assert agrees(SeqRanges(compress(seqs)), set(seqs))


class Untouching(SeqRanges):
    """Broken: forgets that neighbouring ranges are one."""

    def add(self, first: int, last: int) -> None:
        start = bisect_right(self._last, first - 1)
        stop = bisect_right(self._first, last)
        if start < stop:
            first, last = min(first, self._first[start]), max(last, self._last[stop - 1])
        self._first[start:stop] = [first]
        self._last[start:stop] = [last]


def test_ranges_that_forget_to_merge_neighbours_are_caught() -> None:
    neighbours = [(1, 2), (3, 4)]
    assert not agrees(Untouching(neighbours), plain_set(neighbours))
    assert agrees(SeqRanges(neighbours), plain_set(neighbours))
    once = settings(database=None)
    with pytest.raises(NoSuchExample):
        find(span_lists, lambda added: not agrees(SeqRanges(added), plain_set(added)), settings=once)


@pytest.mark.parametrize("span", [(0, 3), (-1, -1), (4, 3)])
def test_what_is_no_range_of_sequence_numbers_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a range"):
        SeqRanges([span])


def test_ranges_are_mutable_and_therefore_not_hashable() -> None:
    with pytest.raises(TypeError):
        hash(SeqRanges())
    assert SeqRanges() != ()
