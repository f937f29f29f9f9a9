"""Silence in a home: what is raised, what is not, and that nothing on the way changes an answer."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.vitals import StateRefused
from kanhu.vitals.inactivity import SETTINGS, Presence, SilenceDetector, SilenceReason, is_front_door

DAY_S, HOUR_S = 86_400.0, 3_600.0
BEGIN_S = 20_000 * DAY_S
INSIDE, DOOR = Presence.INSIDE, Presence.FRONT_DOOR
TIMES = st.one_of(st.floats(), st.floats(BEGIN_S - DAY_S, BEGIN_S + 40 * DAY_S))


def lived(days: int, *, until_h: float = 22.0) -> SilenceDetector:
    """Somebody who moves every half-hour from 7 to 22, and for an hour and a half sits still after lunch."""
    detector = SilenceDetector()
    for day in range(days):
        last_h = until_h if day == days - 1 else 22.0
        for half in range(14, int(2 * last_h) + 1):
            if half not in (27, 28):
                detector.update(INSIDE, BEGIN_S + day * DAY_S + half * HOUR_S / 2)
    return detector


def first_raised_h(detector: SilenceDetector, from_s: float, hours: float = 72) -> tuple[float, SilenceReason] | None:
    for step in range(int(hours * 12)):
        reason = detector.look(from_s + step * 300)
        if reason.raises:
            return step / 12, reason
    return None


def test_a_stop_by_day_is_told_within_the_limit_and_once() -> None:
    detector = lived(15, until_h=10)
    stop_s = BEGIN_S + 14 * DAY_S + 10 * HOUR_S
    found = first_raised_h(detector, stop_s)
    assert found is not None
    assert found[1] is SilenceReason.TOO_LONG
    assert detector.limit_h <= found[0] <= detector.limit_h + 1
    assert detector.look(stop_s + 20 * HOUR_S) is SilenceReason.ALREADY_RAISED


def test_a_night_is_no_silence() -> None:
    detector = lived(15)
    assert first_raised_h(detector, BEGIN_S + 14 * DAY_S + 22 * HOUR_S, hours=9) is None
    assert detector.look(BEGIN_S + 15 * DAY_S + 3 * HOUR_S) is SilenceReason.BED


def test_whoever_went_out_is_away_until_the_cap() -> None:
    detector = lived(15, until_h=10)
    left_s = BEGIN_S + 14 * DAY_S + 10.5 * HOUR_S
    detector.update(DOOR, left_s)
    found = first_raised_h(detector, left_s)
    assert found is not None
    assert found[1] is SilenceReason.NOT_COME_HOME
    assert found[0] * HOUR_S >= SETTINGS.away_cap_s


def test_whoever_came_home_and_moved_on_is_not_away_for_ever() -> None:
    detector = lived(15, until_h=10)
    home_s = BEGIN_S + 14 * DAY_S + 10.5 * HOUR_S
    detector.update(DOOR, home_s)
    detector.update(INSIDE, home_s + SETTINGS.door_s + 1)
    found = first_raised_h(detector, home_s + SETTINGS.door_s + 1)
    assert found is not None
    assert found[1] is SilenceReason.TOO_LONG


def test_before_it_is_learned_the_limit_is_the_population_s() -> None:
    assert lived(4).limit_h == SETTINGS.population_limit_h
    assert lived(15).limit_h < SETTINGS.population_limit_h


def test_dead_sensors_and_a_journey_raise_nothing() -> None:
    detector = lived(15, until_h=10)
    stop_s = BEGIN_S + 14 * DAY_S + 10 * HOUR_S
    detector.heard(stop_s)
    assert detector.look(stop_s + 8 * HOUR_S) is SilenceReason.SENSORS_DEAD
    detector.suspend(stop_s + 9 * HOUR_S)
    assert detector.look(stop_s + 8 * HOUR_S) is SilenceReason.SUSPENDED
    detector.heard(stop_s + 10 * HOUR_S)
    assert detector.look(stop_s + 10 * HOUR_S) is SilenceReason.AS_USUAL


def test_going_on_from_a_kept_state_changes_nothing() -> None:
    straight, stored = SilenceDetector(), SilenceDetector()
    for half in range(14 * 48):
        at_s = BEGIN_S + half * HOUR_S / 2
        if half % 48 > 14 and half % 7:
            where = DOOR if half % 31 == 0 else INSIDE
            assert straight.update(where, at_s) is stored.update(where, at_s)
        assert straight.look(at_s + 900) is stored.look(at_s + 900)
        stored = SilenceDetector(state=stored.state())
        assert straight.limit_h == stored.limit_h
    assert straight.state() == stored.state()


def test_looking_often_or_seldom_learns_the_same() -> None:
    often = lived(15)
    for _ in range(3):
        often.look(BEGIN_S + 14 * DAY_S + 22 * HOUR_S)
    assert often.state() == lived(15).state()


@given(st.lists(st.tuples(st.sampled_from(["update", "look", "heard", "suspend"]), TIMES), max_size=60))
def test_any_times_leave_a_state_that_can_be_read(steps: list[tuple[str, float]]) -> None:
    detector = SilenceDetector()
    for step, at_s in steps:
        if step == "update":
            detector.update(INSIDE, at_s)
        else:
            getattr(detector, step)(at_s)
    assert SilenceDetector(state=detector.state()).state() == detector.state()


@pytest.mark.parametrize("at_s", [float("nan"), float("inf"), -1.0, 1e300])
def test_no_time_is_refused_and_changes_nothing(at_s: float) -> None:
    detector = lived(3)
    before = detector.state()
    assert detector.update(INSIDE, at_s) is SilenceReason.NOT_A_TIME
    assert detector.look(at_s) is SilenceReason.NOT_A_TIME
    assert detector.state() == before


def test_a_duplicate_and_a_late_act_teach_nothing() -> None:
    detector = lived(9)
    before = detector.state()
    assert detector.update(INSIDE, BEGIN_S) is SilenceReason.OUT_OF_ORDER
    detector.update(INSIDE, BEGIN_S + 8 * DAY_S + 22 * HOUR_S)
    assert detector.state() == before


def test_the_state_is_bounded() -> None:
    assert len(lived(200).state()) <= 2048


@given(st.binary(min_size=1, max_size=64))
def test_any_bytes_are_a_state_or_are_refused(state: bytes) -> None:
    with suppress(StateRefused):
        SilenceDetector(state=state)


@pytest.mark.parametrize("name", ["Front door", "frontdoor", "Maindoor/Magnetic/Entrance", "Foyer,Door", "front-door"])
def test_a_way_out_is_known_by_its_words(name: str) -> None:
    assert is_front_door(name)
    assert not is_front_door("Hall-Bedroom door")


def test_an_act_of_a_clock_far_ahead_does_not_make_a_home_deaf() -> None:
    detector = lived(15, until_h=10)
    stop_s = BEGIN_S + 14 * DAY_S + 10 * HOUR_S
    limit_h = detector.limit_h
    detector.update(INSIDE, stop_s + 400 * DAY_S)
    found = first_raised_h(detector, stop_s)
    assert found is not None
    assert found[1] is SilenceReason.TOO_LONG
    assert found[0] <= limit_h + 1.5  # eight looks, five minutes apart, until the last act is doubted


def test_acts_go_on_counting_after_a_clock_was_far_ahead() -> None:
    detector = lived(15, until_h=10)
    detector.update(INSIDE, BEGIN_S + 400 * DAY_S)
    answers = [detector.update(INSIDE, BEGIN_S + 14 * DAY_S + 11 * HOUR_S + act * 60) for act in range(10)]
    assert answers == [SilenceReason.OUT_OF_ORDER] * 7 + [SilenceReason.ACTIVE] * 3


def test_a_journey_is_neither_silence_at_its_end_nor_learned() -> None:
    detector = lived(15)
    home_s = BEGIN_S + 18 * DAY_S + 9 * HOUR_S
    limit_h = detector.limit_h
    detector.suspend(home_s)
    assert detector.look(home_s - 1) is SilenceReason.SUSPENDED
    assert not detector.look(home_s).raises
    found = first_raised_h(detector, home_s)
    assert found is not None
    assert limit_h <= found[0] <= limit_h + 1
    detector.update(INSIDE, home_s + 8 * HOUR_S)
    detector.update(INSIDE, home_s + DAY_S)
    assert detector.limit_h <= limit_h + 0.5


def test_silence_of_dead_sensors_is_not_learned() -> None:
    quiet, dead = lived(15), lived(15)
    for day in range(15, 30):
        for half in (*range(14, 19), *range(38, 45)):
            at_s = BEGIN_S + day * DAY_S + half * HOUR_S / 2
            for one in (quiet, dead):
                one.update(INSIDE, at_s)
            dead.heard(at_s)
            if half == 18:
                dead.look(at_s + 3 * HOUR_S)
    assert dead.limit_h < quiet.limit_h - 1
