"""Decode the "53 59" frames of MicRadar's radars, also sold by Seeed: R60ABD1, MR60BHA1, MR60FDA1 and MR24HPC1.

53 59, control, command, length (16 bits, big endian), data, sum of all before it, 54 43; 115200 baud 8N1. R60ABD1 user
manual V3.0, as kept in ZyoungInc/R60ABD1_Driver@055eaac, and esphome@33fdbbe. What a message means is in
`micradar_meanings`.
"""

from dataclasses import dataclass

from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.codecs.micradar_meanings import meaning_of
from kanhu.edge.codecs.radar_report import RadarReport, Told
from kanhu.edge.errors import DecodeError, DecodeReason

HEAD = b"\x53\x59"
HEAD_BYTES = 6
FRAME_BYTES = 9
"""Of a frame without data."""
MOST_DATA_BYTES = 64
"""The longest that is read, a product's name, has 32; a length beyond that is no length. Updates are not read."""

_TAIL = b"\x54\x43"
_ASKED = 0x80
_QUERY = b"\x0f"


@dataclass(frozen=True, slots=True)
class MicradarFrame:
    """One frame, whatever it means."""

    control: int
    command: int
    data: bytes


def is_sound(frame: bytes) -> bool:
    """Whether the sum and the tail are right."""
    return frame[-2:] == _TAIL and sum(frame[:-3]) & 0xFF == frame[-3]


def decode_micradar_frame(frame: bytes) -> MicradarFrame:
    """Open one frame.

    Raises:
        DecodeError: head, length, tail or sum are wrong.
    """
    if len(frame) < FRAME_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes, not {FRAME_BYTES}")
    if frame[:2] != HEAD:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"begins {frame[:2].hex()}")
    length = int.from_bytes(frame[4:HEAD_BYTES], "big")
    check_length(frame, FRAME_BYTES + length)
    if length > MOST_DATA_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{length} bytes of data")
    if frame[-2:] != _TAIL:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"ends {frame[-2:].hex()}")
    if not is_sound(frame):
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"sum 0x{frame[-3]:02X}")
    return MicradarFrame(frame[2], frame[3], frame[HEAD_BYTES:-3])


def decode_micradar(frame: bytes) -> RadarReport:
    """Decode one frame and what it means.

    A query and an answer of the value 15 are the same bytes; they are taken for a query, which tells nothing.

    Raises:
        DecodeError: as `decode_micradar_frame`; or its data are short, reserved or out of the radar's range.
    """
    opened = decode_micradar_frame(frame)
    meaning = meaning_of(opened.control, opened.command)
    if meaning is None:
        return RadarReport(None)
    if opened.command & _ASKED and opened.data == _QUERY:
        return RadarReport(meaning.name, query=True)
    needed = max((one.start + one.width for one in meaning.fields), default=0)
    if len(opened.data) < needed:
        raise DecodeError(DecodeReason.SHORT, f"{meaning.name}: {len(opened.data)} of {needed} bytes")
    values = []
    for field in meaning.fields:
        data = opened.data[field.start : field.start + field.width] if field.width else opened.data
        values.append(Told(field.name, field.read(field.name, data)))
    return RadarReport(meaning.name, tuple(values))
