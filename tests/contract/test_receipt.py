"""A receipt says which records may be deleted, and nothing that a gateway's database could not hold."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import (
    MessageRefused,
    MessageTooLarge,
    Receipt,
    Refusal,
    RefusalReason,
    decode_receipt,
    encode_receipt,
)
from kanhu.contract.receipt import MAX_RANGES, MAX_RECEIPT_BYTES, MAX_REFUSED, RECEIPT_VERSION
from tests.contract.strategies import TIME_LIMIT, epochs, gateways

EPOCH = "0123456789abcdef" * 2
seqs = st.integers(1, TIME_LIMIT) | st.integers(1, 10_000)
spans = st.tuples(seqs, seqs).map(lambda pair: (min(pair), max(pair)))
receipts = st.builds(
    Receipt,
    version=st.just(RECEIPT_VERSION),
    gateway=gateways,
    epoch=epochs,
    contiguous=st.integers(0, TIME_LIMIT),
    ranges=st.lists(spans, max_size=10).map(tuple),
    refused=st.lists(
        st.builds(lambda span, reason: Refusal(span[0], span[1], reason), spans, st.sampled_from(RefusalReason)),
        max_size=10,
    ).map(tuple),
    county_ms=st.integers(0, TIME_LIMIT),
)


@given(receipts)
def test_any_receipt_survives_the_wire(receipt: Receipt) -> None:
    assert decode_receipt(encode_receipt(receipt)) == receipt


def test_the_largest_receipt_fits_and_one_more_is_not_sent() -> None:
    longest = max(RefusalReason, key=lambda reason: len(reason.value))
    ranges = tuple((TIME_LIMIT - 2 * n, TIME_LIMIT - 2 * n) for n in range(MAX_RANGES))
    refused = (Refusal(TIME_LIMIT, TIME_LIMIT, longest),) * MAX_REFUSED
    largest = Receipt(1, "g" * 32, EPOCH, TIME_LIMIT, ranges, refused, TIME_LIMIT)
    assert len(encode_receipt(largest)) <= MAX_RECEIPT_BYTES
    assert decode_receipt(encode_receipt(largest)) == largest
    with pytest.raises(MessageTooLarge):
        encode_receipt(msgspec.structs.replace(largest, ranges=(*ranges, (1, 1))))
    with pytest.raises(MessageTooLarge):
        encode_receipt(msgspec.structs.replace(largest, refused=(*refused, refused[0])))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([2, "a", EPOCH, 4], RefusalReason.UNKNOWN_VERSION),
        ([1, "a", EPOCH, -1], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, TIME_LIMIT + 1], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [[0, 3]]], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [[9, 8]]], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [[1, TIME_LIMIT + 1]]], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [], [[0, 0, "malformed"]]], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [], [], -1], RefusalReason.INCONSISTENT),
        ([1, "a", EPOCH, 4, [], [[1, 1, "because"]]], RefusalReason.MALFORMED),
        ([1, "a", EPOCH, 4, [[1, 1]] * (MAX_RANGES + 1)], RefusalReason.MALFORMED),
        ([1, "a", EPOCH], RefusalReason.MALFORMED),
        ({"version": 1}, RefusalReason.MALFORMED),
        (["x" * MAX_RECEIPT_BYTES], RefusalReason.TOO_LARGE),
    ],
)
def test_a_receipt_that_makes_no_sense_is_refused(fields: object, reason: RefusalReason) -> None:
    with pytest.raises(MessageRefused) as caught:
        decode_receipt(msgspec.msgpack.encode(fields))
    assert caught.value.reason is reason


def test_a_later_county_may_say_more_without_silencing_older_gateways() -> None:
    assert decode_receipt(msgspec.msgpack.encode([1, "a", EPOCH, 4, [], [], 9, 0, "later"])) == Receipt(
        1, "a", EPOCH, 4, county_ms=9
    )
