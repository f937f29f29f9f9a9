"""A request survives the wire, and any bytes are read or refused."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import (
    Ask,
    MessageRefused,
    MessageTooLarge,
    RefusalReason,
    Request,
    decode_request,
    encode_request,
)
from kanhu.contract.receipt import MAX_RANGES
from kanhu.contract.request import MAX_REQUEST_BYTES, REQUEST_VERSION

RESEND = Request(REQUEST_VERSION, "home-03", 7, Ask.RESEND.value, "a" * 32, ((1, 4), (9, 2**63 - 1)))


def test_a_request_survives_the_wire_at_its_largest() -> None:
    assert decode_request(encode_request(RESEND)) == RESEND
    most = msgspec.structs.replace(RESEND, ranges=tuple((2 * n + 2**62, 2 * n + 2**62) for n in range(MAX_RANGES)))
    wire = encode_request(most)
    assert len(wire) <= MAX_REQUEST_BYTES
    assert decode_request(wire) == most
    with pytest.raises(MessageTooLarge):
        encode_request(msgspec.structs.replace(most, ranges=(*most.ranges, (1, 1))))


def test_a_later_software_may_ask_for_other_things_and_say_more() -> None:
    wire = msgspec.msgpack.encode([1, "home-03", 7, "dance", "", [], 0, "", "slowly"])
    assert decode_request(wire).ask == "dance"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([2, "home-03", 7, "resend"], RefusalReason.UNKNOWN_VERSION),
        ([1, "home-03", 7, "resend", "", [[4, 1]]], RefusalReason.INCONSISTENT),
        ([1, "home-03", 7, "resend", "", [[0, 1]]], RefusalReason.INCONSISTENT),
        ([1, "home-03", 7, "resend", "", [[1, 2**63]]], RefusalReason.INCONSISTENT),
        ([1, "home-03", 0, "resend"], RefusalReason.MALFORMED),
        ([1, "home-03", 7, "live", "", [], -1], RefusalReason.MALFORMED),
        ([1, "home-03", 7, "live", "", [], 5, "r" * 129], RefusalReason.MALFORMED),
        ([1, "home-03"], RefusalReason.MALFORMED),
        ([1, "home-03", 7, "resend", "", [[1, 1]] * (MAX_RANGES + 1)], RefusalReason.MALFORMED),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(fields: list[object], reason: RefusalReason) -> None:
    with pytest.raises(MessageRefused) as caught:
        decode_request(msgspec.msgpack.encode(fields))
    assert caught.value.reason is reason


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(wire: bytes) -> None:
    with suppress(MessageRefused):
        decode_request(wire)
