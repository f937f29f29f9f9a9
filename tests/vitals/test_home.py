"""A home in which one person lives: what is a sign of them, and what a silence comes to."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock, Observation, Part, Phase, Priority, Subject, SubjectKind, Times
from kanhu.contract.records import Quality
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import StateRefused, core_pack
from kanhu.vitals.inactivity import SETTINGS, HomeState, HomeStep, HomeWatch, local_s
from tests.vitals.story import DWELLING, GOOD, LOOSE, MORNING, RESIDENT, Story

HOUR_S = 3600.0
DAY_S = 86_400.0


class Home:
    """One home in local seconds, looked at once a minute."""

    def __init__(self, kind: Callable[..., HomeWatch] = HomeWatch) -> None:
        self._kind = kind
        self.watch = self.made(b"")
        self.now_s = 7 * HOUR_S
        self.steps: list[HomeStep] = []

    def made(self, state: bytes) -> HomeWatch:
        return self._kind(RESIDENT.id, way_out=lambda device: device == "front", answer_s=600, state=state)

    def tell(self, metric: str, value: int, *, device: str = "hall", quality: Quality = GOOD) -> HomeStep:
        subject = RESIDENT if metric in {"bp", "help_button"} else DWELLING
        times = Times(0, 0, "b", FakeClock(MORNING, boot="b").state())
        observation = Observation(
            metric, (Part(metric if metric != "bp" else "systolic", (value,)),), subject, device, times, quality
        )
        step = self.watch.hear(observation, self.now_s)
        self.steps += [step] if step is not HomeStep.NOTHING else []
        return step

    def pass_time(self, hours: float) -> None:
        until_s = self.now_s + hours * HOUR_S
        while self.now_s < until_s:
            self.now_s += 60
            step = self.watch.look(self.now_s)
            self.steps += [step] if step is not HomeStep.NOTHING else []

    def live(self, days: int) -> None:
        """Up at seven, a movement every half-hour, to bed at half past ten."""
        for _ in range(days):
            for _ in range(31):
                self.tell("motion", 1)
                self.pass_time(0.25)
                self.tell("motion", 0)
                self.pass_time(0.25)
            self.pass_time(8.5)


def lived() -> Home:
    home = Home()
    home.live(9)
    assert home.steps == []
    return home


def test_a_silence_is_asked_about_then_told_then_told_again_and_a_sign_ends_it() -> None:
    home = lived()
    home.tell("motion", 1)
    began_s = home.now_s
    home.pass_time(5)
    assert home.steps == [HomeStep.ASK, HomeStep.STILL]
    assert 60 * home.watch.limit_h <= home.watch.silence_min(home.now_s) <= (home.now_s - began_s) / 60
    home.pass_time(4)
    assert home.steps == [HomeStep.ASK, HomeStep.STILL, HomeStep.LONGER]
    assert home.tell("motion", 0) is HomeStep.ACTIVE
    assert home.watch.stage is HomeState.QUIET


def test_who_stirs_when_asked_is_not_told_of() -> None:
    home = lived()
    home.tell("motion", 1)
    while home.steps != [HomeStep.ASK]:
        home.pass_time(1 / 60)
    home.pass_time(0.1)
    assert home.tell("motion", 0) is HomeStep.NOTHING
    home.pass_time(1)
    assert home.steps == [HomeStep.ASK]


@pytest.mark.parametrize(
    ("metric", "value", "device"),
    [
        ("contact", 0, "cupboard"), ("motion", 1, "hall"), ("room_temperature", 2000, "wall"), ("presence", 1, "radar"),
        ("inactivity", 0, "daily-life"), ("smoke", 1, "kitchen"),
    ],
)  # fmt: skip  # words by rows
def test_what_a_sensor_says_again_and_again_is_no_sign(metric: str, value: int, device: str) -> None:
    home = lived()
    home.tell("contact", 0, device="cupboard")
    home.tell("presence", 1, device="radar")
    home.tell("motion", 1)
    for _ in range(36):
        home.pass_time(1 / 6)
        home.tell(metric, value, device=device)
    assert HomeStep.STILL in home.steps


@pytest.mark.parametrize(
    ("metric", "value"), [("motion", 0), ("usage", 1), ("bp", 12000), ("help_button", 1), ("contact", 1), ("dosage", 1)]
)
def test_what_a_person_does_is_a_sign(metric: str, value: int) -> None:
    home = lived()
    home.tell("contact", 0, device="cupboard")
    home.tell("motion", 1)
    for turn in range(8):
        home.pass_time(2)
        step = {"motion": turn % 2, "contact": (turn + 1) % 2}.get(metric, value)
        home.tell(metric, step, device="cupboard" if metric == "contact" else "hall")
    assert home.steps == []


def test_a_doubted_reading_is_no_sign() -> None:
    home = lived()
    home.tell("motion", 1)
    for _ in range(4):
        home.pass_time(1.5)
        home.tell("usage", 1, quality=LOOSE)
    assert HomeStep.STILL in home.steps


def test_a_sensor_that_only_tells_of_beginnings_is_believed_and_one_that_hangs_is_not() -> None:
    for device, known in (("once", True), ("hall", False)):
        home = lived()
        home.tell("motion", 1)
        for _ in range(4):
            home.pass_time(1.5)
            home.tell("motion", 1, device=device)
        assert (home.steps == []) is known


def test_who_left_by_the_door_is_away_and_not_asked_about_until_they_do_not_come_home() -> None:
    home = lived()
    home.tell("contact", 0, device="front")
    home.tell("contact", 1, device="front")
    home.tell("contact", 0, device="front")
    home.pass_time(47)
    assert home.steps == []
    home.pass_time(30)
    assert home.steps == [HomeStep.ASK, HomeStep.STILL], "and nobody lies there twice as long"


def test_time_without_a_look_is_no_silence() -> None:
    home = lived()
    home.tell("motion", 1)
    home.pass_time(2)
    home.now_s += 6 * HOUR_S
    home.pass_time(2)
    assert home.steps == []


def test_a_restart_anywhere_changes_nothing_but_that_the_time_without_power_is_unknown() -> None:
    straight, stored = lived(), lived()
    for home in (straight, stored):
        home.tell("motion", 1)
    for _ in range(9):
        straight.pass_time(1)
        stored.watch = stored.made(stored.watch.state())
        stored.pass_time(1)
    assert straight.steps == stored.steps == [HomeStep.ASK, HomeStep.STILL, HomeStep.LONGER]
    assert len(stored.watch.state()) < 8192


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.floats(),
            st.sampled_from(["motion", "contact", "usage", "presence", "room_temperature"]),
            st.integers(-5, 5),
        ),
        max_size=40,
    )
)
def test_absurd_times_and_values_break_nothing_and_tell_nothing(told: list[tuple[float, str, int]]) -> None:
    home = Home()
    for at_s, metric, value in told:
        home.now_s = at_s
        home.tell(metric, value)
        home.watch.look(at_s)
        home.watch = home.made(home.watch.state())
    assert HomeStep.LONGER not in home.steps


@given(st.binary(max_size=60))
def test_any_state_is_read_or_refused(state: bytes) -> None:
    with suppress(StateRefused):
        Home().made(state).look(1.0)


def test_local_seconds_begin_their_days_at_midnight() -> None:
    assert local_s(round(MORNING.timestamp() * 1000), UTC) % DAY_S == 2 * HOUR_S


def test_the_rule_tells_it_medium_then_high_and_a_sign_ends_it() -> None:
    story = Story()
    assert story.sensor("inactivity", 190, rule="INACT") == [R.CONFIRMED]
    story.wait(600)
    assert story.sensor("inactivity", 190, rule="INACT", quality=LOOSE) == [R.ALREADY_RAISED]
    story.wait(6000)
    assert story.sensor("inactivity", 370, rule="INACT") == [R.LEVEL_RAISED]
    story.wait(60)
    assert story.sensor("inactivity", 371, rule="INACT") == [R.ALREADY_RAISED]
    story.restart()
    story.wait(60)
    assert story.sensor("inactivity", 0, rule="INACT") == [R.CLEARED]
    first, again, ended = story.told("INACT")
    assert [one.priority for one in (first, again)] == [Priority.MEDIUM, Priority.HIGH]
    assert [one.phase for one in (first, again, ended)] == [Phase.START, Phase.CONTINUE, Phase.END]
    assert {one.alert_id for one in story.told("INACT")} == {first.alert_id}
    assert again.params["value"] == "370"


def test_without_a_higher_priority_the_same_again_says_nothing_new() -> None:
    pack = core_pack()
    rules = tuple(
        msgspec.structs.replace(one, trigger=msgspec.structs.replace(one.trigger, again_priority=None))
        if one.id == "INACT"
        else one
        for one in pack.rules
    )
    story = Story(pack=msgspec.structs.replace(pack, rules=rules))
    story.sensor("inactivity", 190, rule="INACT")
    story.wait(600)
    assert story.sensor("inactivity", 370, rule="INACT") == [R.ALREADY_RAISED]


def test_counting_what_a_sensor_repeats_as_a_sign_would_miss_who_lies_there() -> None:
    class Believing(HomeWatch):
        def _moved(self, sensor: str, step: int) -> bool:
            super()._moved(sensor, step)
            return True

    for kind, found in ((HomeWatch, True), (Believing, False)):
        home = Home(kind)
        home.live(9)
        for _ in range(24):
            home.pass_time(0.25)
            home.tell("contact", 0, device="cupboard")
        assert (HomeStep.STILL in home.steps) is found


def test_a_home_without_a_sensor_in_its_rooms_is_not_called_silent() -> None:
    home = Home()
    for _ in range(9):
        home.tell("help_button", 1)
        home.tell("contact", 1, device="cupboard")
        home.pass_time(24)
    assert home.steps == []


def test_learning_takes_a_week() -> None:
    home = Home()
    home.live(3)
    home.tell("motion", 1)
    assert home.watch.limit_h == SETTINGS.population_limit_h
    assert 2 < home.watch.learned_days(home.now_s) < 4
    assert Subject(SubjectKind.RESIDENT, RESIDENT.id) == RESIDENT
