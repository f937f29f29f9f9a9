"""Decode the time of the Bluetooth SIG Elapsed Time Service: flags, six bytes of time, where it is from, the zone.

Two sources, STMicroelectronics' and Philips' open code, agree on the order and width of the fields, on flags 0 (ticks
of no date), 1 (UTC), 4 (the zone is told) and 5 (counted by the clock as it is set now), on seconds since 2000, and on
zones in quarters of an hour. They differ on flags 2 and 3 (parts of a second), and on whether a local time still lacks
its zone; drafts had flag 6. A time with any of these is not read: it is unknown, never guessed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from kanhu.edge.codecs.date_time_fields import FIRST_PLAUSIBLE_MS
from kanhu.edge.errors import DecodeError, DecodeReason

ELAPSED_TIME_BYTES = 9

_UTC = 0x02
_HAS_ZONE = 0x10
_CURRENT = 0x20

_SINCE_2000_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_ZONE_STEP_S = 15 * 60
_ZONES = range(-48, 57)  # quarters of an hour: from UTC-12 to UTC+14


@dataclass(frozen=True, slots=True)
class ElapsedTime:
    """A device's own time."""

    local_ms: int | None  # as if local time were UTC; None where that is not known for certain

    @property
    def clock_unset(self) -> bool:
        """No device in use can mean this time."""
        return self.local_ms is not None and self.local_ms < FIRST_PLAUSIBLE_MS


def decode_elapsed_time(frame: bytes, offset: int) -> ElapsedTime:
    """Decode the nine bytes at `offset`.

    Raises:
        DecodeError: the frame is short.
    """
    end = offset + ELAPSED_TIME_BYTES
    if offset < 0 or end > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"an elapsed time needs {end} bytes, got {len(frame)}")
    flags = frame[offset]
    seconds = _SINCE_2000_S + int.from_bytes(frame[offset + 1 : offset + 7], "little")
    zone = int.from_bytes(frame[end - 1 : end], "little", signed=True)
    if flags == _CURRENT or (flags == _CURRENT | _HAS_ZONE and not zone):
        return ElapsedTime(seconds * 1000)
    if flags == _CURRENT | _HAS_ZONE | _UTC and zone in _ZONES:
        return ElapsedTime((seconds + zone * _ZONE_STEP_S) * 1000)
    return ElapsedTime(None)
