"""G11: whatever a gateway's wall clock showed, the interval of each of its moments holds the true time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import Boot, Interval, Mark, Timeline
from kanhu.contract.timeline import DRIFT_PPM

_DAY_MS = 86_400_000
_MS = 1_000_000  # nanoseconds
_BEGAN_MS = 1_790_000_000_000  # when the first of these machines was switched on, truly


@dataclass
class World:
    """A machine that runs, loses power and runs again, and the truth that it cannot see."""

    boots: list[Boot] = field(default_factory=list)
    moments: list[tuple[str, int, int]] = field(default_factory=list)
    """Boot, monotonic nanoseconds, true milliseconds."""
    ends_ms: int = _BEGAN_MS


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One to six boots, each with its own drift, its moments, and sometimes a mark, as county or kernel tell it."""
    world = World()
    true_ms = _BEGAN_MS
    for number in range(draw(st.integers(1, 6))):
        true_ms += draw(st.integers(0, 30 * _DAY_MS))  # without power
        started_ms = true_ms
        lasts_ms = draw(st.integers(1, 40 * _DAY_MS))
        ppm = draw(st.integers(-100, 100))  # the crystal of the fault model
        true_ms += lasts_ms

        def mono_ns(at_ms: int, started_ms: int = started_ms, ppm: int = ppm) -> int:
            return (at_ms - started_ms) * (1_000_000 + ppm)  # per million, and a million nanoseconds a millisecond

        at = draw(st.lists(st.integers(started_ms, true_ms), min_size=1, max_size=4))
        name = f"{number:032x}"
        world.moments += [(name, mono_ns(moment), moment) for moment in at]
        mark = None
        if draw(st.booleans()):
            marked_ms = draw(st.integers(started_ms, true_ms))
            early, late = draw(st.integers(0, 1000)), draw(st.integers(0, 20_000))
            mark = Mark(mono_ns(marked_ms), marked_ms - early, marked_ms + late)
        world.boots.append(Boot(name, mono_ns(draw(st.integers(started_ms, true_ms))), mark))
    world.ends_ms = true_ms
    return world


@settings(max_examples=300)
@given(worlds())
def test_the_true_time_always_lies_in_the_interval(world: World) -> None:
    timeline = Timeline(world.boots, earliest_ms=_BEGAN_MS - _DAY_MS, latest_ms=world.ends_ms)
    for boot, mono_ns, true_ms in world.moments:
        interval = timeline.interval(boot, mono_ns)
        assert interval is not None
        assert interval.earliest_ms <= true_ms <= interval.latest_ms


def test_a_mark_makes_the_interval_as_narrow_as_itself_and_the_drift() -> None:
    mark = Mark(mono_ns=0, earliest_ms=_BEGAN_MS - 1000, latest_ms=_BEGAN_MS + 1000)
    timeline = Timeline([Boot("b", mark=mark)], earliest_ms=0, latest_ms=_BEGAN_MS + 40 * _DAY_MS)
    hour = timeline.interval("b", 3_600_000 * _MS)
    assert hour is not None
    drift_ms = 3_600_000 * DRIFT_PPM // 1_000_000
    assert hour.latest_ms - hour.earliest_ms <= 2000 + 2 * drift_ms + 4
    assert abs(hour.middle_ms - (_BEGAN_MS + 3_600_000)) <= 2


def test_boots_without_a_mark_lie_between_their_neighbours() -> None:
    boots = [
        Boot("a", lasted_ns=3_600_000 * _MS, mark=Mark(0, _BEGAN_MS, _BEGAN_MS)),
        Boot("b", lasted_ns=60_000 * _MS),
        Boot("c", mark=Mark(0, _BEGAN_MS + _DAY_MS, _BEGAN_MS + _DAY_MS)),
    ]
    found = Timeline(boots, earliest_ms=0, latest_ms=_BEGAN_MS + 2 * _DAY_MS).interval("b", 30_000 * _MS)
    assert found is not None
    assert _BEGAN_MS + 3_600_000 <= found.earliest_ms <= _BEGAN_MS + 3_700_000  # an hour after a began, and a bit
    assert _BEGAN_MS + _DAY_MS - 60_000 <= found.latest_ms <= _BEGAN_MS + _DAY_MS  # before c, with 30 s still to run


def test_an_unknown_boot_has_no_time() -> None:
    assert Timeline([Boot("a")], earliest_ms=0, latest_ms=1).interval("b", 0) is None


def test_marks_against_the_order_of_boots_give_no_time() -> None:
    boots = [Boot("a", mark=Mark(0, _BEGAN_MS, _BEGAN_MS)), Boot("b", mark=Mark(0, 5, 5))]
    assert Timeline(boots, earliest_ms=0, latest_ms=_BEGAN_MS + 1).interval("b", 0) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Mark(0, 100, 5000), Mark(0, 1000, 9000), Mark(0, 1000, 5000)),
        (Mark(0, 100, 200), Mark(0, 10**12, 10**12 + 5), Mark(0, 10**12, 10**12 + 5)),
    ],
    ids=["both hold", "the clock was set"],
)
def test_two_marks_become_one(first: Mark, second: Mark, expected: Mark) -> None:
    joined = first.joined(second)
    assert joined.mono_ns == expected.mono_ns
    assert abs(joined.earliest_ms - expected.earliest_ms) <= 1
    assert abs(joined.latest_ms - expected.latest_ms) <= 1


def test_an_interval_is_shown_by_its_middle() -> None:
    assert Interval(10, 20).middle_ms == 15
