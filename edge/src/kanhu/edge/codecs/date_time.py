"""Decode and encode Bluetooth SIG Date Time (0x2A08) and Current Time (0x2A2B), a device's own local time.

Date Time is year (little endian), month, day, hour, minute, second; Current Time adds the day of the week, 1 Monday to
7 Sunday, 256ths of a second, and why it was set. Local milliseconds count as if the local time were UTC.
"""

from datetime import UTC, datetime, timedelta

from kanhu.edge.errors import DecodeError, DecodeReason

DATE_TIME_UUID = "00002a08-0000-1000-8000-00805f9b34fb"
CURRENT_TIME_UUID = "00002a2b-0000-1000-8000-00805f9b34fb"
CURRENT_TIME_SERVICE_UUID = "00001805-0000-1000-8000-00805f9b34fb"

DATE_TIME_BYTES = 7
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXTERNAL_REFERENCE = 0x02  # reason bit: set from a better clock


def decode_date_time(frame: bytes) -> int | None:
    """Local milliseconds of the first seven bytes; None where they name no moment, as in a clock nobody set.

    Raises:
        DecodeError: shorter than seven bytes.
    """
    if len(frame) < DATE_TIME_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"a date and time needs {DATE_TIME_BYTES} bytes, got {len(frame)}")
    try:
        known = datetime(frame[0] | frame[1] << 8, frame[2], frame[3], frame[4], frame[5], frame[6], tzinfo=UTC)
    except ValueError:  # year, month or day 0 is "unknown"; anything else impossible tells as little
        return None
    return (known - _UNIX_EPOCH) // timedelta(milliseconds=1)


def encode_date_time(local_ms: int) -> bytes:
    """The second in which this moment lies."""
    moment = _moment(local_ms)
    later = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return moment.year.to_bytes(2, "little") + bytes(later)


def encode_current_time(local_ms: int) -> bytes:
    """The same with weekday and fraction, set from an external reference."""
    fraction = local_ms % 1000 * 256 // 1000
    return encode_date_time(local_ms) + bytes([_moment(local_ms).isoweekday(), fraction, _EXTERNAL_REFERENCE])


def clock_error_s(device_ms: int, known_ms: tuple[int, int]) -> int:
    """Seconds by which a device's local time is off, ahead counts positive; 0 where it lies in the known interval."""
    earliest_ms, latest_ms = known_ms
    return round((device_ms - min(max(device_ms, earliest_ms), latest_ms)) / 1000)


def _moment(local_ms: int) -> datetime:
    return _UNIX_EPOCH + timedelta(milliseconds=local_ms)
