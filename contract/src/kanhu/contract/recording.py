"""A recorded stretch of time of a county: what devices gave, when, and what the county could hear; for replays.

A recording is a folder: `manifest.json`, `site.toml` (the register), and a folder for each village with `readings.bin`
(frames, below), `village.json` (silences of gateways, what staff do), and `truth.ndjson`, which no judge may open.
A frame is a length of four bytes, big-endian, and a msgpack array: day number, true times, one envelope as gateways
send it. All frames of a day stand before those of the next, so that a reader holds one day in memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, BinaryIO

import msgspec

from kanhu.contract.envelope import MAX_ENVELOPE_BYTES, MAX_RECORDS, Envelope, decode_envelope, encode_envelope
from kanhu.contract.errors import ContractError, MessageTooLarge
from kanhu.contract.records import Observation, Record

__all__ = [
    "FORMAT",
    "MANIFEST_FILE",
    "READINGS_FILE",
    "SITE_FILE",
    "TRUTH_FILE",
    "VILLAGE_FILE",
    "Manifest",
    "Reaction",
    "Recorded",
    "RecordingRefused",
    "Silence",
    "VillagePlan",
    "decode_plan",
    "encode_plan",
    "pack_day",
    "read_readings",
]

FORMAT = 1
MANIFEST_FILE = "manifest.json"
SITE_FILE = "site.toml"
READINGS_FILE = "readings.bin"
VILLAGE_FILE = "village.json"
TRUTH_FILE = "truth.ndjson"

_LENGTH_BYTES = 4
_MAX_FRAME_BYTES = MAX_ENVELOPE_BYTES + 64 * 1024  # true times cost a few bytes a record
_RECORDS_A_FRAME = 1024  # always fits: a reading costs about ten bytes, and a frame that does not fit is halved

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class RecordingRefused(ContractError):
    """A recording that is damaged, cut short or of another format."""

    def __init__(self, place: str, detail: str) -> None:
        """Keep which file and where in it; `detail` is for people."""
        super().__init__(f"{place}: {detail}")
        self.place = place
        self.detail = detail


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the recording holds."""

    format: int = FORMAT
    name: str
    seed: int
    starts_ms: _Count
    ends_ms: _Count
    timezone: str
    people: _Count
    readings: _Count
    villages: tuple[str, ...]
    versions: dict[str, str] = {}


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch in which the county hears nothing of a gateway; what it reads meanwhile arrives at the end."""

    gateway: str
    from_ms: _Count
    to_ms: _Count
    cause: str
    """`link`: readings go on and arrive late. `power`: there are none."""


class Reaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one person does once told of an alert; the k-th telling in a village meets the k-th reaction, in a ring."""

    claim_after_s: Annotated[float, msgspec.Meta(ge=0)]
    close_after_s: Annotated[float, msgspec.Meta(ge=0)]
    """From the claim on."""


class VillagePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not a reading."""

    village: str
    silences: tuple[Silence, ...] = ()
    absences: tuple[tuple[_Count, _Count], ...] = ()
    """When nobody who is told first answers; rising and disjoint, Unix milliseconds."""
    reactions: tuple[Reaction, ...] = ()
    """Empty: nobody ever answers."""


class Recorded(msgspec.Struct, frozen=True):
    """One reading as its gateway got it, and when that truly was."""

    true_ms: int
    gateway: str
    epoch: str
    seq: int
    observation: Observation


class _Frame(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    day: _Count
    true_ms: Annotated[list[int], msgspec.Meta(min_length=1, max_length=MAX_RECORDS)]
    """First true time, then differences."""
    wire: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Frame)
_plan_decoder = msgspec.json.Decoder(VillagePlan)


def pack_day(day: int, readings: Iterable[Recorded]) -> Iterator[bytes]:
    """Frames of one day, one gateway after the other; each gateway's readings in order of their numbers.

    Raises:
        InvalidRecord, InvalidTopic: numbers that do not rise, a gateway id outside the grammar.
    """
    outboxes: dict[tuple[str, str], list[Recorded]] = {}
    for reading in readings:
        outboxes.setdefault((reading.gateway, reading.epoch), []).append(reading)
    for (gateway, epoch), owed in sorted(outboxes.items()):
        for first in range(0, len(owed), _RECORDS_A_FRAME):
            yield from _pack(day, gateway, epoch, owed[first : first + _RECORDS_A_FRAME])


def read_readings(stream: BinaryIO, *, place: str) -> Iterator[Recorded]:
    """All readings in order of true time, gateway and number; `place` names the file in errors.

    Raises:
        RecordingRefused: at the first frame that is not whole.
    """
    day: list[Recorded] = []
    current = -1
    for frame, readings in _frames(stream, place):
        if frame.day < current:
            raise RecordingRefused(place, f"day {frame.day} stands after day {current}")
        if frame.day > current:
            yield from _in_order(day)
            day, current = [], frame.day
        day += readings
    yield from _in_order(day)


def encode_plan(plan: VillagePlan) -> bytes:
    """JSON, because people read it."""
    return msgspec.json.format(msgspec.json.encode(plan)) + b"\n"


def decode_plan(data: bytes, *, place: str) -> VillagePlan:
    """Read a plan.

    Raises:
        RecordingRefused: not such a file.
    """
    try:
        return _plan_decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordingRefused(place, str(error)) from error


def _in_order(day: list[Recorded]) -> list[Recorded]:
    return sorted(day, key=lambda reading: (reading.true_ms, reading.gateway, reading.seq))


def _pack(day: int, gateway: str, epoch: str, owed: Sequence[Recorded]) -> Iterator[bytes]:
    records: tuple[tuple[int, Record], ...] = tuple((reading.seq, reading.observation) for reading in owed)
    try:
        wire = encode_envelope(Envelope(gateway, epoch, records))
    except MessageTooLarge:
        middle = len(owed) // 2
        yield from _pack(day, gateway, epoch, owed[:middle])
        yield from _pack(day, gateway, epoch, owed[middle:])
        return
    times = [owed[0].true_ms, *(after.true_ms - before.true_ms for before, after in pairwise(owed))]
    frame = _encoder.encode(_Frame(day, times, wire))
    yield len(frame).to_bytes(_LENGTH_BYTES, "big") + frame


def _frames(stream: BinaryIO, place: str) -> Iterator[tuple[_Frame, list[Recorded]]]:
    number = 0
    while header := stream.read(_LENGTH_BYTES):
        number += 1
        where = f"{place}, frame {number}"
        length = int.from_bytes(header, "big")
        if len(header) < _LENGTH_BYTES or not 0 < length <= _MAX_FRAME_BYTES:
            raise RecordingRefused(where, f"{length} bytes is no length of a frame; the file is damaged")
        data = stream.read(length)
        if len(data) < length:
            raise RecordingRefused(where, "the file ends in the middle of it; write it again")
        try:
            frame = _decoder.decode(data)
            envelope = decode_envelope(frame.wire)
        except (msgspec.MsgspecError, ContractError, ValueError, RecursionError) as error:
            raise RecordingRefused(where, str(error)) from error
        if len(frame.true_ms) != len(envelope.records):
            raise RecordingRefused(where, f"{len(frame.true_ms)} times for {len(envelope.records)} readings")
        yield frame, [*_readings(envelope, accumulate(frame.true_ms), where)]


def _readings(envelope: Envelope, times: Iterable[int], where: str) -> Iterator[Recorded]:
    for (seq, record), true_ms in zip(envelope.records, times, strict=True):
        if not isinstance(record, Observation):
            raise RecordingRefused(where, f"number {seq} is no reading: a recording holds what devices gave, unjudged")
        yield Recorded(true_ms, envelope.gateway, envelope.epoch, seq, record)
