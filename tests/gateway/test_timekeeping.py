"""Whatever the wall clock of the machine does, no interval that is told leaves the true time out (G11)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import (
    Boot,
    ClockState,
    Observation,
    Part,
    Subject,
    SubjectKind,
    Timeline,
    Times,
)
from kanhu.gateway.timekeeping import SYNCED_WITHIN_MS, Timekeeper

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGAN_MS = 1_790_000_000_000
_YEAR_MS = 365 * 86_400_000


@dataclass
class Machine:
    """A board in a home: its clocks as they stand at a true moment that it cannot see."""

    true_ms: int = _BEGAN_MS
    wall_off_ms: int = 0
    ppm: int = 0
    started_ms: int = _BEGAN_MS
    boot: str = f"{0:032x}"
    synced: bool = False

    def now(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self.wall_ms())

    def wall_ms(self) -> int:
        return max(0, self.true_ms + self.wall_off_ms)

    def mono_ns(self) -> int:
        return (self.true_ms - self.started_ms) * (1_000_000 + self.ppm)

    def state(self) -> ClockState:
        if self.synced:
            return ClockState.SYNCED
        return ClockState.UNSET if self.wall_ms() < _BEGAN_MS - _YEAR_MS else ClockState.RESTORED

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def reading(self) -> Observation:
        """Taken now."""
        times = Times(self.wall_ms(), self.mono_ns(), self.boot, self.state())
        return Observation("weight", (Part("weight", (600,)),), Subject(SubjectKind.RESIDENT, "r-1"), "scale-1", times)


@dataclass
class Story:
    """What was read when, and what a keeper of time made of it."""

    machine: Machine = field(default_factory=Machine)
    kept: tuple[Boot, ...] = ()
    read: list[tuple[Observation, int]] = field(default_factory=list)
    keeper: Timekeeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Timekeeper((), clock=self.machine)

    def reboot(self, *, off_ms: int, ppm: int, without_power_ms: int, count: int) -> None:
        """The power fails and comes back; what the card learned last is what is known."""
        self.machine.true_ms += without_power_ms
        self.machine.started_ms = self.machine.true_ms
        self.machine.boot = f"{count:032x}"
        self.machine.wall_off_ms, self.machine.ppm, self.machine.synced = off_ms, ppm, False
        self.keeper = Timekeeper(self.kept, clock=self.machine)
        self.keep()

    def keep(self) -> None:
        self.kept = self.keeper.to_keep() or self.kept

    def measure(self) -> None:
        self.read.append((self.keeper.filled(self.machine.reading()), self.machine.true_ms))

    def ask(self, *, up_ms: int, down_ms: int, county_off_ms: int) -> bool:
        """A heartbeat goes up, the county answers by its own clock, the answer comes down."""
        heard_ns = self.keeper.asking()
        self.machine.true_ms += up_ms
        county_ms = self.machine.true_ms + county_off_ms
        self.machine.true_ms += down_ms
        return self.keeper.told(county_ms=county_ms, heard_ns=heard_ns)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 40 * 86_400_000)),
        st.tuples(st.just("measure"), st.just(0)),
        st.tuples(st.just("reboot"), st.integers(-10 * _YEAR_MS, 10 * _YEAR_MS)),
        st.tuples(st.just("dead board"), st.integers(-60 * _YEAR_MS, -50 * _YEAR_MS)),
        st.tuples(st.just("step"), st.integers(-10 * _YEAR_MS, 10 * _YEAR_MS)),
        st.tuples(st.just("sync"), st.integers(-SYNCED_WITHIN_MS, SYNCED_WITHIN_MS)),
        st.tuples(st.just("ask"), st.integers(0, 80_000)),
        st.tuples(st.just("keep"), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(_STEPS, st.integers(-100, 100), st.integers(-SYNCED_WITHIN_MS, SYNCED_WITHIN_MS))
def test_every_interval_holds_the_true_time(steps: list[tuple[str, int]], ppm: int, county_off_ms: int) -> None:
    story = Story()
    machine = story.machine
    machine.ppm = ppm
    for number, (what, amount) in enumerate([*steps, ("measure", 0)], 1):
        match what:
            case "pass":
                machine.true_ms += amount
            case "measure":
                story.measure()
            case "reboot" | "dead board":
                story.reboot(off_ms=amount, ppm=-ppm, without_power_ms=abs(amount) % 86_400_000, count=number)
            case "step":
                machine.wall_off_ms, machine.synced = amount, False
            case "sync":
                machine.wall_off_ms, machine.synced = amount, True
            case "ask":
                story.ask(up_ms=amount // 3, down_ms=amount, county_off_ms=county_off_ms)
            case _:
                story.keep()
    boots = story.keeper.boots()
    timeline = Timeline(boots, earliest_ms=_BEGAN_MS, latest_ms=machine.true_ms + SYNCED_WITHIN_MS)
    for observation, true_ms in story.read:
        times = observation.times
        if times.earliest_ms is not None and times.latest_ms is not None:
            assert times.earliest_ms <= true_ms <= times.latest_ms
        interval = timeline.interval(times.boot, times.mono_ns)
        known = {boot.boot for boot in boots}
        assert (interval is None) == (times.boot not in known), "only a boot long forgotten has no interval"
        assert interval is None or interval.earliest_ms <= true_ms <= interval.latest_ms


def test_a_synchronised_clock_gives_two_seconds() -> None:
    story = Story(Machine(synced=True, wall_off_ms=300))
    story.measure()
    ((observation, true_ms),) = story.read
    times = observation.times
    assert times.earliest_ms is not None
    assert times.latest_ms is not None
    assert times.latest_ms - times.earliest_ms == 2000
    assert times.earliest_ms <= true_ms <= times.latest_ms


def test_without_any_mark_nothing_is_told() -> None:
    story = Story(Machine(wall_off_ms=-_BEGAN_MS))
    story.measure()
    ((observation, _),) = story.read
    assert observation.times.earliest_ms is None


def test_the_answer_to_a_heartbeat_tells_the_time_once_and_at_once() -> None:
    story = Story(Machine(wall_off_ms=-_BEGAN_MS))
    assert story.ask(up_ms=100, down_ms=100, county_off_ms=0)
    assert not story.ask(up_ms=100, down_ms=100, county_off_ms=0), "what is known to nearly the same width is no news"
    story.measure()
    ((observation, true_ms),) = story.read
    assert observation.times.latest_ms is not None
    assert observation.times.earliest_ms is not None
    assert observation.times.earliest_ms <= true_ms <= observation.times.latest_ms
    assert observation.times.latest_ms - observation.times.earliest_ms < 3000


def test_an_answer_to_a_heartbeat_that_was_never_sent_tells_nothing() -> None:
    story = Story()
    assert not story.keeper.told(county_ms=5, heard_ns=12_345)
    assert not story.keeper.told(county_ms=5, heard_ns=0)


def test_an_answer_without_the_countys_time_tells_nothing() -> None:
    """Told on, a mark before 1970 would make the county refuse every heartbeat."""
    story = Story(Machine(wall_off_ms=-_BEGAN_MS))
    assert not story.keeper.told(county_ms=0, heard_ns=story.keeper.asking())
    assert all(boot.mark is None for boot in story.keeper.boots())


def test_a_reading_that_knows_its_time_is_left_alone() -> None:
    story = Story(Machine(synced=True))
    reading = story.machine.reading()
    known = msgspec.structs.replace(reading, times=msgspec.structs.replace(reading.times, earliest_ms=1, latest_ms=2))
    assert story.keeper.filled(known) is known


def test_the_card_is_written_at_the_start_with_the_first_mark_and_every_ten_minutes() -> None:
    story = Story(Machine(wall_off_ms=-_BEGAN_MS))
    keep: Callable[[], bool] = lambda: story.keeper.to_keep() is not None  # noqa: E731  # a word for the lines below
    assert keep()
    assert not keep()
    story.ask(up_ms=10, down_ms=10, county_off_ms=0)
    assert keep()
    story.machine.true_ms += 9 * 60_000
    assert not keep()
    story.machine.true_ms += 2 * 60_000
    assert keep()


def test_a_program_that_starts_again_in_the_same_boot_goes_on() -> None:
    story = Story(Machine(wall_off_ms=-_BEGAN_MS))
    story.ask(up_ms=10, down_ms=10, county_off_ms=0)
    story.keep()
    again = Timekeeper(story.kept, clock=story.machine)
    assert [boot.boot for boot in again.boots()] == [story.machine.boot]
    assert again.filled(story.machine.reading()).times.earliest_ms is not None
