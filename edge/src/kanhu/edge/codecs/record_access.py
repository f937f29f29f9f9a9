"""Encode requests for the Record Access Control Point (characteristic 0x2A52) and decode what it answers.

A request is operation, operator, operand; an answer is 06 00, the request, a code; a count is 05 00 and the number.
Glucose meters, continuous glucose monitors and oximeters with a memory share it.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from kanhu.edge.errors import DecodeError, DecodeReason

CHARACTERISTIC_UUID = "00002a52-0000-1000-8000-00805f9b34fb"

_MAX_BYTES = 512  # the longest attribute value in ATT
_LARGEST_WORD = 0xFFFF


class Operation(IntEnum):
    """What is asked for, and what is answered."""

    REPORT = 1
    DELETE = 2
    ABORT = 3
    COUNT = 4
    COUNT_RESPONSE = 5
    RESPONSE = 6
    COMBINED_REPORT = 7
    COMBINED_RESPONSE = 8


class Operator(IntEnum):
    """Which records; null where the operation takes none."""

    NULL = 0
    ALL = 1
    AT_MOST = 2
    AT_LEAST = 3
    RANGE = 4
    FIRST = 5
    LAST = 6


class Filter(IntEnum):
    """What the operand counts: for a continuous monitor the first is minutes since its session began."""

    SEQUENCE = 1
    USER_FACING_TIME = 2


class ResponseCode(Enum):
    """How a request ended; no records is an answer like any other."""

    SUCCESS = 1
    OPERATION_UNSUPPORTED = 2
    BAD_OPERATOR = 3
    OPERATOR_UNSUPPORTED = 4
    BAD_OPERAND = 5
    NO_RECORDS = 6
    ABORT_FAILED = 7
    NOT_COMPLETED = 8
    OPERAND_UNSUPPORTED = 9


@dataclass(frozen=True, slots=True)
class RecordCount:
    """How many records there are, or were sent by a combined report."""

    operation: Operation
    records: int


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """How the request ended; `request` may be an operation that nobody knows."""

    request: int
    code: ResponseCode


_COUNTS = (Operation.COUNT_RESPONSE, Operation.COMBINED_RESPONSE)


def encode_all(operation: Operation) -> bytes:
    """Report or count all records."""
    return bytes([operation, Operator.ALL])


def encode_at_least(operation: Operation, sequence: int) -> bytes:
    """Report or count the records from this sequence number on, itself included.

    Raises:
        ValueError: no such number fits 16 bits.
    """
    return bytes([operation, Operator.AT_LEAST, Filter.SEQUENCE]) + _word(sequence)


def encode_range(operation: Operation, first: int, last: int) -> bytes:
    """Report or count the records between two sequence numbers, both included.

    Raises:
        ValueError: a number does not fit 16 bits, or the range ends before it begins.
    """
    if first > last:
        raise ValueError(f"range {first}-{last} ends before it begins")
    return bytes([operation, Operator.RANGE, Filter.SEQUENCE]) + _word(first) + _word(last)


def encode_last(operation: Operation) -> bytes:
    """Report or count the newest record; not every device knows this."""
    return bytes([operation, Operator.LAST])


def encode_abort() -> bytes:
    """End the report that runs."""
    return bytes([Operation.ABORT, Operator.NULL])


def decode_record_access(frame: bytes) -> RecordCount | RequestAnswer:
    """Decode one 0x2A52 indication; bytes behind its fields are left unread.

    Raises:
        DecodeError: it is short, no answer at all, or an answer with an operator or a code that is reserved.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if len(frame) < 4:
        raise DecodeError(DecodeReason.SHORT, f"an answer has 4 bytes at least, got {len(frame)}")
    operation, operator = frame[0], frame[1]
    if operation != Operation.RESPONSE and operation not in _COUNTS:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"operation {operation} is no answer")
    if operator != Operator.NULL:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"an answer with operator {operator}")
    if operation == Operation.RESPONSE:
        try:
            return RequestAnswer(frame[2], ResponseCode(frame[3]))
        except ValueError:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"response code {frame[3]}") from None
    operand = frame[2:]
    if len(operand) == 3:
        raise DecodeError(DecodeReason.SHORT, "a number of 16 or 32 bits has not 3 bytes")
    return RecordCount(Operation(operation), int.from_bytes(operand[:4], "little"))


def _word(number: int) -> bytes:
    if not 0 <= number <= _LARGEST_WORD:
        raise ValueError(f"sequence number {number} does not fit 16 bits")
    return number.to_bytes(2, "little")
