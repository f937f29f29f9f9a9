"""How far the devices' own clocks are off, by what is known here of the true time.

A device whose clock can be read tells by that. Of the others each reading that carries the device's time tells; one
that the device had kept for a while looks like a slow clock, so of readings that come together the newest counts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kanhu.contract import Observation
from kanhu.edge.codecs.date_time import clock_error_s
from kanhu.edge.devices import DeviceSeen

CLOCK_ERROR = "clock_error:"
"""Note of a device: by how many seconds its clock is off, ahead counts positive."""
CLOCK_CORRECTED = "clock_corrected:"
"""Note of a device: by how many seconds it was off when the gateway last set it; 0 where that could not be read."""

_TOGETHER_NS = 60 * 10**9
"""Readings that come so soon after one another were handed over in one contact; project choice."""


class DeviceClocks:
    """What is known of each device's clock."""

    def __init__(self, notes: Mapping[str, int], *, zone: ZoneInfo) -> None:
        """Go on from the outbox's notes; devices show the local time of `zone`."""
        self._zone = zone
        self._readable: set[str] = set()
        self._heard_ns: dict[str, int] = {}
        self.errors_s = _named(CLOCK_ERROR, notes)
        """By how much each clock is off, by device."""
        self.corrected_s = _named(CLOCK_CORRECTED, notes)
        """By how much it was off before it was last set, by device."""

    def compare(self, observation: Observation) -> None:
        """A reading that carries the device's own time, and the interval in which it arrived."""
        times, device = observation.times, observation.device
        if times.device_ms is None or times.earliest_ms is None or times.latest_ms is None or device in self._readable:
            return
        local = local_span((times.earliest_ms, times.latest_ms), self._zone)
        if local is None:
            return
        error_s = clock_error_s(times.device_ms, local)
        before_ns = self._heard_ns.get(device)
        if before_ns is not None and times.mono_ns - before_ns < _TOGETHER_NS:
            error_s = max(error_s, self.errors_s.get(device, error_s))
        self._heard_ns[device] = times.mono_ns
        self.errors_s[device] = error_s

    def seen(self, device: DeviceSeen) -> None:
        """A device whose clock was read or set."""
        if device.clock_error_s is not None:
            self._readable.add(device.device)
            self.errors_s[device.device] = device.clock_error_s
        if device.clock_corrected_s is not None:
            self.corrected_s[device.device] = device.clock_corrected_s

    def notes(self) -> dict[str, int]:
        """To leave on the card."""
        errors = {f"{CLOCK_ERROR}{device}": seconds for device, seconds in self.errors_s.items()}
        return errors | {f"{CLOCK_CORRECTED}{device}": seconds for device, seconds in self.corrected_s.items()}


def local_span(known_ms: tuple[int, int] | None, zone: ZoneInfo) -> tuple[int, int] | None:
    """An interval of Unix milliseconds as local time of `zone` as if that were UTC; None where there is no such day."""
    if known_ms is None:
        return None
    try:
        offset = datetime.fromtimestamp(sum(known_ms) / 2000, zone).utcoffset() or timedelta()
    except (ValueError, OverflowError, OSError):  # who told the time told nonsense
        return None
    offset_ms = offset // timedelta(milliseconds=1)
    return known_ms[0] + offset_ms, known_ms[1] + offset_ms


def _named(prefix: str, notes: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in notes.items() if name.startswith(prefix)}
