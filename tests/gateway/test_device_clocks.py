"""How far a device's clock is off, from its readings and from itself."""

from zoneinfo import ZoneInfo

import pytest

from kanhu.contract import ClockState, Observation, Part, Subject, SubjectKind, Times
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import LinkReason
from kanhu.gateway.device_clocks import DeviceClocks, local_span

_NOW_MS = 1_790_000_000_000
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_EIGHT_HOURS_MS = 8 * 3_600_000


def reading(*, device_ms: int | None, after_s: int = 0, known: bool = True) -> Observation:
    """Of a cuff that shows `device_ms` of local time."""
    now_ms = _NOW_MS + after_s * 1000
    span = (now_ms - 1000, now_ms + 1000) if known else (None, None)
    times = Times(now_ms, after_s * 10**9, "0" * 32, ClockState.SYNCED, device_ms, *span)
    return Observation("bp", (Part("systolic", (120,)),), Subject(SubjectKind.RESIDENT, "r-1"), "cuff-03", times)


def clocks(*readings: Observation) -> DeviceClocks:
    made = DeviceClocks({}, zone=_SHANGHAI)
    for each in readings:
        made.compare(each)
    return made


def local(seconds: int) -> int:
    return _NOW_MS + _EIGHT_HOURS_MS + seconds * 1000


@pytest.mark.parametrize(("ahead_s", "error_s"), [(0, 0), (1, 0), (601, 600), (-601, -600)])
def test_a_reading_tells_how_far_the_clock_is_off_in_local_time(ahead_s: int, error_s: int) -> None:
    assert clocks(reading(device_ms=local(ahead_s))).errors_s == {"cuff-03": error_s}


def test_nothing_is_said_without_both_times() -> None:
    assert clocks(reading(device_ms=None), reading(device_ms=local(0), known=False)).errors_s == {}


def test_of_kept_readings_that_come_together_the_newest_counts() -> None:
    kept = [reading(device_ms=local(at), after_s=second) for second, at in enumerate((-7200, 1, -3600))]
    assert clocks(*kept).errors_s == {"cuff-03": 0}
    later = reading(device_ms=local(600 - 900), after_s=600)
    assert clocks(*kept, later).errors_s == {"cuff-03": -899}, "another contact is judged by itself"


def test_a_clock_that_can_be_read_is_not_judged_by_kept_readings() -> None:
    made = clocks()
    made.seen(
        DeviceSeen(
            "cuff-03",
            "cuff-ble",
            connected=True,
            reason=LinkReason.CONNECTED,
            clock_error_s=0,
            clock_corrected_s=-900,
        )
    )
    made.compare(reading(device_ms=local(-900)))
    assert (made.errors_s, made.corrected_s) == ({"cuff-03": 0}, {"cuff-03": -900})
    again = DeviceClocks(made.notes(), zone=_SHANGHAI)
    assert (again.errors_s, again.corrected_s) == (made.errors_s, made.corrected_s), "a restart forgets nothing"


def test_a_time_that_no_calendar_has_is_unknown() -> None:
    assert local_span((2**62, 2**62 + 10), _SHANGHAI) is None
    assert local_span(None, _SHANGHAI) is None
    assert local_span((_NOW_MS, _NOW_MS + 10), _SHANGHAI) == (local(0), local(0) + 10)
