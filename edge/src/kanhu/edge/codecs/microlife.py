"""Decode and encode the private frames of Microlife Bluetooth cuffs (BP3GY1-2N), and the records in them.

Header, length (big endian, of the bytes behind it), payload, sum of all before it: 4D FF from the host, 4D 3A from the
cuff. By the readings of joergmlpts/blood-pressure-monitor and derdilla/blood-pressure-monitor-fl.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.cuff_reading import local_ms, observe_cuff_reading
from kanhu.edge.errors import DecodeError, DecodeReason

HEADER_BYTES = 4

_FROM_HOST = b"\x4d\xff"
_FROM_CUFF = b"\x4d\x3a"
_SUM_BYTES = 1
_MAX_BYTES = HEADER_BYTES + 0xFFFF

_GET_RECORDS = bytes([0x00, 0, 0, 0, 0, 0, 0, 0xFD])
_DISCONNECT = b"\x04"
_SET_TIME = 0x0D

_RECORDS_AT = 38  # of the payload of the answer to "get records"
_RECORD_BYTES = 10  # of which the last two are unused, and may be missing in the last record
_USED_BYTES = 8
_FIRST_YEAR = 2000
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MicrolifeRecord:
    """One stored measurement."""

    systolic_mmhg: int
    diastolic_mmhg: int
    pulse_bpm: int | None
    measured_at_ms: int  # the cuff's own clock as if it were UTC, to the minute


def microlife_frame_bytes(begun: bytes) -> int | None:
    """How long the frame will be that begins so; None while its length has not arrived."""
    if len(begun) < HEADER_BYTES:
        return None
    return HEADER_BYTES + int.from_bytes(begun[2:HEADER_BYTES], "big")


def decode_microlife(frame: bytes) -> bytes:
    """The payload of one whole frame from the cuff.

    Raises:
        DecodeError: it is short or too long, begins otherwise, or its sum is wrong.
    """
    length = microlife_frame_bytes(frame)
    if length is None or len(frame) < max(length, HEADER_BYTES + _SUM_BYTES):
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes, frame of {length}")
    if frame[:2] != _FROM_CUFF:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{frame[:2].hex()} begins no frame of a cuff")
    if len(frame) > length:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes, frame of {length}")
    if _sum(frame[:-1]) != frame[-1]:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"sum 0x{frame[-1]:02X}, computed 0x{_sum(frame[:-1]):02X}")
    return frame[HEADER_BYTES:-1]


def decode_microlife_records(payload: bytes) -> tuple[MicrolifeRecord, ...]:
    """The records in a payload: none in one that is too short for any, as in an acknowledgement.

    A slot of zeros is empty. A record whose date names no moment is left out: nobody can say when it was.

    Raises:
        DecodeError: no frame can hold that much.
    """
    if len(payload) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(payload)} bytes")
    starts = range(_RECORDS_AT, len(payload) - _USED_BYTES + 1, _RECORD_BYTES)
    records = (_record(payload[at : at + _USED_BYTES]) for at in starts)
    return tuple(record for record in records if record is not None)


def observe_microlife(record: MicrolifeRecord, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading."""
    return observe_cuff_reading(
        systolic_mmhg=record.systolic_mmhg,
        diastolic_mmhg=record.diastolic_mmhg,
        pulse_bpm=record.pulse_bpm,
        measured_at_ms=record.measured_at_ms,
        doubts=(),
        subject=subject,
        device=device,
        times=times,
    )


def encode_microlife_get_records() -> bytes:
    """Ask for all stored measurements."""
    return _host_frame(_GET_RECORDS)


def encode_microlife_disconnect() -> bytes:
    """Say goodbye; the cuff then ends the connection."""
    return _host_frame(_DISCONNECT)


def encode_microlife_set_time(known_ms: int) -> bytes:
    """Set the cuff's clock to this local time.

    Raises:
        ValueError: the year is not between 2000 and 2255.
    """
    moment = _UNIX_EPOCH + timedelta(milliseconds=known_ms)
    date = (moment.year - _FIRST_YEAR, moment.month, moment.day)
    return _host_frame(bytes([_SET_TIME, *date, moment.hour, moment.minute, moment.second]))


def _record(record: bytes) -> MicrolifeRecord | None:
    systolic, diastolic, pulse, year, month, day, hour, minute = record
    measured_at_ms = local_ms(_FIRST_YEAR + year, month, day, hour, minute)
    if not systolic or not diastolic or measured_at_ms is None:
        return None
    return MicrolifeRecord(systolic, diastolic, pulse or None, measured_at_ms)


def _host_frame(payload: bytes) -> bytes:
    begun = _FROM_HOST + (len(payload) + _SUM_BYTES).to_bytes(2, "big") + payload
    return begun + bytes([_sum(begun)])


def _sum(data: bytes) -> int:
    return sum(data) & 0xFF
