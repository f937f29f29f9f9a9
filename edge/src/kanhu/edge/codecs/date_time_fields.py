"""Decode the Bluetooth SIG Date Time (0x2A08) field by field, as a device sent it: year, month and day may be unknown.

Ranges are those of the Date Time characteristic: year 1582 to 9999, and 0 for an unknown year, month or day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kanhu.edge.errors import DecodeError, DecodeReason

DATE_TIME_BYTES = 7

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1582, 10_000)
_LARGEST = (("month", 12), ("day", 31), ("hour", 23), ("minute", 59), ("second", 59))

# Devices fall back to a default year between 2010 and 2020 when their battery is changed.
FIRST_PLAUSIBLE_MS = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()) * 1000


@dataclass(frozen=True, slots=True)
class DateTimeFields:
    """A device's local time as sent; None is unknown."""

    year: int | None
    month: int | None
    day: int | None
    hour: int
    minute: int
    second: int

    @property
    def local_ms(self) -> int | None:
        """Milliseconds as if the local time were UTC; None where the fields name no moment."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            known = datetime(self.year, self.month, self.day, self.hour, self.minute, self.second, tzinfo=UTC)
        except ValueError:
            return None
        return (known - _UNIX_EPOCH) // timedelta(milliseconds=1)

    @property
    def clock_unset(self) -> bool:
        """No device in use can mean this time."""
        local_ms = self.local_ms
        return local_ms is None or local_ms < FIRST_PLAUSIBLE_MS


def decode_date_time_fields(frame: bytes) -> DateTimeFields:
    """Decode the characteristic itself; bytes behind the seventh are left unread.

    Raises:
        DecodeError: shorter than seven bytes, or a field is outside its range.
    """
    sent = date_time_fields_as_sent(frame, 0)
    if sent.year is not None and sent.year not in _YEARS:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"year {sent.year}")
    for name, largest in _LARGEST:
        value = getattr(sent, name)
        if value is not None and value > largest:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"{name} {value}")
    return sent


def date_time_fields_as_sent(frame: bytes, offset: int) -> DateTimeFields:
    """The seven bytes at `offset` of a measurement, which a clock out of range does not spoil.

    Raises:
        DecodeError: the frame is short.
    """
    end = offset + DATE_TIME_BYTES
    if offset < 0 or end > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"a date and time needs {end} bytes, got {len(frame)}")
    year = int.from_bytes(frame[offset : offset + 2], "little")
    month, day, hour, minute, second = frame[offset + 2 : end]
    return DateTimeFields(year or None, month or None, day or None, hour, minute, second)
