"""Bluetooth SIG Record Access Control Point (characteristic 0x2A52) as a device with a memory plays it.

The collector writes operation, operator, operand; the device notifies the records and indicates how it went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class RacpResult(IntEnum):
    """Last octet of a response."""

    SUCCESS = 0x01
    OP_CODE_NOT_SUPPORTED = 0x02
    INVALID_OPERATOR = 0x03
    OPERATOR_NOT_SUPPORTED = 0x04
    INVALID_OPERAND = 0x05
    NO_RECORDS_FOUND = 0x06
    ABORT_UNSUCCESSFUL = 0x07
    PROCEDURE_NOT_COMPLETED = 0x08
    OPERAND_NOT_SUPPORTED = 0x09


@dataclass(frozen=True, slots=True)
class RacpReply:
    """Places of the records to notify, in order, and the indication that ends it."""

    places: tuple[int, ...]
    indication: bytes


def racp_response(request_op: int, result: RacpResult) -> bytes:
    """Response code, null operator, the request it answers, how it went."""
    return bytes([0x06, 0x00, request_op, result])


def racp_count(records: int) -> bytes:
    """Number of stored records response, 16 bits."""
    return bytes([0x05, 0x00]) + records.to_bytes(2, "little")


def serve_racp(written: bytes, sequences: Sequence[int]) -> RacpReply:
    """What a meter that supports report, count and abort, of all records or from a sequence number on, does."""
    if len(written) < 2:
        return RacpReply((), racp_response(written[0] if written else 0, RacpResult.INVALID_OPERAND))
    op_code, operator, operand = written[0], written[1], written[2:]
    if op_code == 0x03:
        result = RacpResult.SUCCESS if operator == 0x00 else RacpResult.INVALID_OPERATOR
        return RacpReply((), racp_response(op_code, result))
    if op_code not in {0x01, 0x04}:
        return RacpReply((), racp_response(op_code, RacpResult.OP_CODE_NOT_SUPPORTED))
    if operator == 0x01 and not operand:
        chosen = tuple(range(len(sequences)))
    elif operator == 0x03 and len(operand) == 3 and operand[0] == 0x01:
        least = int.from_bytes(operand[1:], "little")
        chosen = tuple(place for place, sequence in enumerate(sequences) if sequence >= least)
    elif operator == 0x03:
        return RacpReply((), racp_response(op_code, RacpResult.INVALID_OPERAND))
    else:
        return RacpReply((), racp_response(op_code, RacpResult.OPERATOR_NOT_SUPPORTED))
    if op_code == 0x04:
        return RacpReply((), racp_count(len(chosen)))
    result = RacpResult.SUCCESS if chosen else RacpResult.NO_RECORDS_FOUND
    return RacpReply(chosen, racp_response(op_code, result))
