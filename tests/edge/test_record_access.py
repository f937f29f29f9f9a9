"""Record Access Control Point: published answers, requests byte by byte, and what a simulated meter makes of them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.record_access import (
    Operation,
    RecordCount,
    RequestAnswer,
    ResponseCode,
    decode_record_access,
    encode_abort,
    encode_all,
    encode_at_least,
    encode_last,
    encode_range,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.record_access import RacpResult, racp_count, racp_response, serve_racp
from tests.edge.vectors import Vector, name_of, vectors

_WORDS = {
    "success": ResponseCode.SUCCESS,
    "no records found": ResponseCode.NO_RECORDS,
    "operator not supported": ResponseCode.OPERATOR_UNSUPPORTED,
    "procedure not completed": ResponseCode.NOT_COMPLETED,
    "abort unsuccessful": ResponseCode.ABORT_FAILED,
    "op code not supported": ResponseCode.OPERATION_UNSUPPORTED,
}


@pytest.mark.parametrize("vector", vectors("record_access"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    expected = vector.expected
    if expected == {"error": "too short"}:
        with pytest.raises(DecodeError) as refused:
            decode_record_access(vector.frame)
        assert refused.value.reason is DecodeReason.SHORT
    elif "number_of_records" in expected:
        answer = decode_record_access(vector.frame)
        assert answer == RecordCount(Operation.COUNT_RESPONSE, expected["number_of_records"])
    else:
        code = _WORDS[expected.get("result") or expected["error"]]
        assert decode_record_access(vector.frame) == RequestAnswer(expected["response_to"], code)


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (encode_all(Operation.REPORT), "0101"),
        (encode_all(Operation.COUNT), "0401"),
        (encode_at_least(Operation.REPORT, 0x1234), "0103013412"),
        (encode_at_least(Operation.COUNT, 5), "0403010500"),
        (encode_range(Operation.REPORT, 1, 0xFFFF), "010401 0100 ffff"),
        (encode_at_least(Operation.REPORT, 0), "0103010000"),
        (encode_range(Operation.REPORT, 7, 7), "010401 0700 0700"),
        (encode_last(Operation.REPORT), "0106"),
        (encode_abort(), "0300"),
    ],
)
def test_requests_are_written_as_specified(request_bytes: bytes, expected: str) -> None:
    assert request_bytes == bytes.fromhex(expected)


@pytest.mark.parametrize("sequence", [-1, 0x10000])
def test_a_number_that_fits_no_word_is_never_asked_for(sequence: int) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        encode_at_least(Operation.REPORT, sequence)


def test_a_range_that_ends_before_it_begins_is_never_asked_for() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        encode_range(Operation.REPORT, 5, 4)


@pytest.mark.parametrize("result", RacpResult)
@given(request=st.integers(0, 255), padding=st.binary(max_size=3))
def test_every_answer_of_a_simulated_device_is_read_back(result: RacpResult, request: int, padding: bytes) -> None:
    answer = decode_record_access(racp_response(request, result) + padding)
    assert answer == RequestAnswer(request, ResponseCode(result))


@given(st.integers(0, 0xFFFF))
def test_a_count_of_sixteen_bits_is_read_back(records: int) -> None:
    assert decode_record_access(racp_count(records)) == RecordCount(Operation.COUNT_RESPONSE, records)


def test_a_combined_report_ends_with_its_count() -> None:
    assert decode_record_access(bytes.fromhex("08000300")) == RecordCount(Operation.COMBINED_RESPONSE, 3)


@pytest.mark.parametrize("frame", ["06010101", "05010100", "01000101", "09000101", "06000100", "0600010a"])
def test_what_is_no_answer_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_record_access(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_a_count_of_three_bytes_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_record_access(bytes.fromhex("0500010203"))
    assert refused.value.reason is DecodeReason.SHORT


def test_a_simulated_meter_understands_our_requests() -> None:
    sequences = (3, 4, 9)
    assert serve_racp(encode_all(Operation.REPORT), sequences).places == (0, 1, 2)
    assert serve_racp(encode_at_least(Operation.REPORT, 4), sequences).places == (1, 2)
    count = serve_racp(encode_at_least(Operation.COUNT, 4), sequences).indication
    assert decode_record_access(count) == RecordCount(Operation.COUNT_RESPONSE, 2)
    none = serve_racp(encode_at_least(Operation.REPORT, 10), sequences).indication
    assert decode_record_access(none) == RequestAnswer(Operation.REPORT, ResponseCode.NO_RECORDS)
    stopped = serve_racp(encode_abort(), sequences).indication
    assert decode_record_access(stopped) == RequestAnswer(Operation.ABORT, ResponseCode.SUCCESS)


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_record_access(frame)


@given(st.integers(5, 8), st.binary(max_size=8))
def test_any_answer_decodes_or_is_refused(operation: int, rest: bytes) -> None:
    with suppress(DecodeError):
        decode_record_access(bytes([operation, 0]) + rest)


def test_more_than_a_value_can_hold_is_refused() -> None:
    answer = racp_response(1, RacpResult.SUCCESS).ljust(512, b"\x00")
    assert decode_record_access(answer) == RequestAnswer(Operation.REPORT, ResponseCode.SUCCESS)
    with pytest.raises(DecodeError) as refused:
        decode_record_access(answer + b"\x00")
    assert refused.value.reason is DecodeReason.TOO_LONG


def test_codes_are_those_of_the_specification() -> None:
    assert [code.value for code in ResponseCode] == list(range(1, 10))
    assert ResponseCode.OPERAND_UNSUPPORTED.value == 9
    assert [operation.value for operation in Operation] == list(range(1, 9))
    assert Operation.COMBINED_RESPONSE.value == 8
