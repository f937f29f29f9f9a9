"""A device's own clock: what it shows, and what a host that sets it makes of that."""

from datetime import UTC, datetime, timedelta, timezone

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import AttributeRefused
from kanhu.firmware_sim.scenario.model import ClockService, DeviceClock
from kanhu.firmware_sim.wire import current_time, date_time

_MAKERS_DEFAULT = datetime(2015, 1, 1, tzinfo=UTC)  # where a clock starts after the battery was changed
_DATE_TIME_BYTES, _CURRENT_TIME_BYTES = 7, 10
_OUT_OF_RANGE = 0x80  # the profile's own error codes begin here


class OwnClock:
    """Local time, right or counted from the maker's default year, until somebody sets it."""

    def __init__(self, clock: Clock, *, state: DeviceClock, utc_offset_minutes: int) -> None:
        """The battery is put in now."""
        self._clock = clock
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))
        self._put_in_ns = clock.mono_ns()
        self._state = state
        self._ahead: timedelta | None = None

    def shown(self) -> datetime | None:
        """What it shows; None for a device without a clock."""
        if self._ahead is not None:
            return self._local() + self._ahead
        match self._state:
            case DeviceClock.SET:
                return self._local()
            case DeviceClock.RESET:
                return _MAKERS_DEFAULT + timedelta(microseconds=(self._clock.mono_ns() - self._put_in_ns) // 1000)
            case DeviceClock.ABSENT:
                return None

    def read(self, service: ClockService) -> bytes:
        """The characteristic's value; all zero without a clock."""
        shown = self.shown()
        if service is ClockService.CURRENT_TIME:
            return bytes(_CURRENT_TIME_BYTES) if shown is None else current_time(shown)
        return bytes(_DATE_TIME_BYTES) if shown is None else date_time(shown)

    def write(self, service: ClockService, value: bytes) -> None:
        """A host sets it.

        Raises:
            AttributeRefused: of another length, or no moment.
        """
        wanted = _CURRENT_TIME_BYTES if service is ClockService.CURRENT_TIME else _DATE_TIME_BYTES
        try:
            if len(value) != wanted:
                raise ValueError(f"{len(value)} bytes")
            month, day, hour, minute, second = value[2:7]
            given = datetime(int.from_bytes(value[:2], "little"), month, day, hour, minute, second, tzinfo=self._zone)
        except ValueError as error:
            raise AttributeRefused(_OUT_OF_RANGE) from error
        self._ahead = given - self._local()

    def _local(self) -> datetime:
        return self._clock.now().astimezone(self._zone)
