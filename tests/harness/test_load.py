"""What answering costs: floods, nights, minutes, and who was left alone."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.harness.scoring.expectations import read_expectations
from kanhu.harness.scoring.load import flood_minutes, measure_load
from kanhu.harness.scoring.spread import Spread, spread
from tests.harness.hand_made import MINUTE_MS, County, alert, told

BUDGET = read_expectations().budget


def test_nine_tellings_in_ten_minutes_are_no_flood_and_ten_are() -> None:
    assert flood_minutes([minute * MINUTE_MS for minute in range(9)], budget=BUDGET) == 0
    assert flood_minutes([minute * MINUTE_MS for minute in range(10)], budget=BUDGET) == 1


def test_ten_at_once_flood_the_desk_for_ten_minutes() -> None:
    assert flood_minutes([0] * 10, budget=BUDGET) == 10


@settings(deadline=None, max_examples=40)  # on a machine that others use
@given(st.lists(st.integers(0, 120 * MINUTE_MS), max_size=60))
def test_flood_minutes_agree_with_counting_every_second(moments_ms: list[int]) -> None:
    moments_ms = [moment // 1000 * 1000 for moment in moments_ms]
    window_ms = int(BUDGET.flood_window_s * 1000)
    flooded = {
        now // MINUTE_MS
        for now in range(0, 131 * MINUTE_MS, 1000)
        if sum(now - window_ms < moment <= now for moment in moments_ms) >= BUDGET.flood_tellings
    }
    assert flood_minutes(moments_ms, budget=BUDGET) == len(flooded)


def test_a_false_alert_at_night_wakes_a_village_once_however_often_it_is_told() -> None:
    night = 23 * 60
    judged = County().judged(
        alert("SOS", told(night, priority="high"), told(night + 60, priority="high")),
        alert("TREND", told(26 * 60, priority="low"), subject="v001-r02"),
    )
    load = measure_load(judged)
    assert (load.nights_woken, load.nights_woken_falsely, load.sounded) == (1, 1, 2)


def test_what_stands_in_a_list_wakes_nobody_and_floods_nobody() -> None:
    night = 23 * 60
    listed = [
        alert("WATCH-LOST", told(night, priority="technical"), subject=f"v001-g{number:02d}") for number in range(12)
    ]
    listed += [alert("TREND", told(night, priority="low"), name=f"low {number}") for number in range(12)]
    load = measure_load(County().judged(*listed))
    assert (load.nights_woken, load.flood_minutes, load.sounded) == (0, 0, 0)


def test_a_gateway_that_rises_to_medium_sounds() -> None:
    rising = alert("WATCH-LOST", told(1380, priority="technical"), told(1395), subject="v001-g01")
    assert measure_load(County().judged(rising)).nights_woken == 1


def test_what_is_held_for_the_night_sounds_in_the_morning() -> None:
    load = measure_load(County().judged(alert("BP-SEVERE", told(23 * 60, held_until=32 * 60))))
    assert load.nights_woken == 0
    assert load.by_hour["medium"][8] == 1


def test_what_is_held_for_the_night_and_taken_before_the_morning_never_sounds() -> None:
    for claimed, sounded in ((30 * 60, 0), (33 * 60, 1)):
        held = alert("BP-SEVERE", told(23 * 60, held_until=32 * 60, claimed=claimed))
        assert measure_load(County().judged(held)).sounded == sounded


def test_minutes_are_counted_by_priority_and_apart_for_nothing() -> None:
    load = measure_load(County().judged(alert("SOS", told(600, priority="high")), alert("BP-SEVERE", told(700))))
    effort = read_expectations().effort
    assert load.effort_minutes == load.false_effort_minutes == effort.high_minutes + effort.medium_minutes


def test_equipment_that_is_soon_well_again_costs_nobody_anything() -> None:
    opened = alert("WATCH-LOST", told(600, priority="technical"), subject="v001-g01")
    for minutes, cost in ((10, 0.0), (20, read_expectations().effort.technical_minutes)):
        ended = msgspec.structs.replace(opened, ended_ms=opened.told[0].at_ms + minutes * MINUTE_MS)
        assert measure_load(County().judged(ended)).effort_minutes == cost


def test_an_alert_that_nobody_took_and_that_did_not_climb_is_left_alone() -> None:
    judged = County().judged(
        alert("SOS", told(600, priority="high"), name="left"),
        alert("SOS", told(600, priority="high"), name="climbed", level=1, subject="v001-r02"),
        alert("SOS", told(700, priority="high", claimed=702), name="claimed"),
        alert("SOS", told(800, priority="high"), name="closed", closed=803),
        alert("SOS", told(900, priority="high", claimed=960), name="claimed too late"),
        alert("TREND", told(600, priority="low"), name="of the day list"),
    )
    assert {each.alert for each in measure_load(judged).unowned} == {"claimed too late", "left"}


def test_a_claim_holds_over_what_is_told_next() -> None:
    rising = alert("SPO2-LOW", told(600, claimed=605), told(620, priority="high"))
    assert measure_load(County().judged(rising)).unowned == ()


def test_what_was_told_just_before_the_end_is_not_yet_left_alone() -> None:
    assert measure_load(County().judged(alert("SOS", told(5 * 1440 - 2, priority="high")))).unowned == ()


def test_shares_of_what_climbed_are_given_for_each_step() -> None:
    judged = County().judged(
        *(alert("SOS", told(600, priority="high"), name=f"step {level}", level=level) for level in range(4))
    )
    assert measure_load(judged).unclaimed_share["high"] == (0.75, 0.5, 0.25)


def test_the_spread_of_nothing_is_none_and_of_ten_its_middle_and_ends() -> None:
    assert spread([]) is None
    assert spread(range(1, 11)) == Spread(10, 5.5, 10, 10)
