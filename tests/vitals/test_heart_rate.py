"""HR-EXTREME, told as stories."""

from kanhu.contract import ClockState, Phase, Priority
from kanhu.vitals import DecisionReason as R
from tests.vitals.story import LOOSE, MOVING, Story


def test_ten_minutes_over_the_limit_raise_and_a_second_less_does_not() -> None:
    story = Story()
    story.strap(131)
    assert story.strap_for(599, 131) == [R.CONFIRMING]
    assert story.strap_for(1, 131) == [R.CONFIRMED]
    [finding] = story.findings
    assert finding.priority is Priority.MEDIUM
    assert finding.params["minutes"] == "10"
    assert finding.params["heart_rate_limit"] == "≤ 40 / ≥ 131"


def test_low_side_raises_too_and_sides_do_not_add_up() -> None:
    story = Story()
    story.strap_for(400, 131)
    story.strap_for(400, 40)
    assert story.findings == []
    assert story.strap_for(201, 40) == [R.CONFIRMED]


def test_one_good_reading_inside_begins_anew() -> None:
    story = Story()
    story.strap_for(590, 140)
    story.wait(1)
    assert story.strap(130) == [R.NOT_CONFIRMED]
    story.strap_for(590, 140)
    assert story.findings == []


def test_questionable_readings_in_between_neither_count_nor_break() -> None:
    story = Story()
    story.strap_for(300, 140)
    assert story.strap_for(60, 200, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    assert story.strap_for(241, 140) == [R.CONFIRMED]


def test_hole_longer_than_two_minutes_begins_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.strap_for(120, 60, quality=LOOSE)
    story.wait(1)
    assert story.strap(140) == [R.WINDOW_EXPIRED, R.CONFIRMING]
    story.strap_for(500, 140)
    assert story.findings == []


def test_ten_questionable_minutes_raise_nothing() -> None:
    story = Story()
    story.strap(140)
    story.strap_for(700, 180, quality=LOOSE)
    assert story.findings == []


def test_exercise_does_not_count() -> None:
    story = Story()
    for _ in range(700):
        story.wait(1)
        assert story.strap(150, context=MOVING) == [R.MOVING]


def test_short_reboot_of_the_gateway_does_not_begin_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.reboot("boot-2", dark_s=60)
    assert story.strap_for(240, 140) == [R.CONFIRMING]
    assert story.strap_for(1, 140) == [R.CONFIRMED]


def test_reboot_without_a_set_clock_begins_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.reboot("boot-2", dark_s=60, clock=ClockState.UNSET)
    story.strap_for(400, 140)
    assert story.findings == []
    assert story.strap_for(201, 140) == [R.CONFIRMED]


def test_clears_five_inside_for_ten_minutes() -> None:
    story = Story()
    story.strap_for(601, 135)
    assert story.strap_for(700, 127) == [R.HOLDING]
    assert story.strap_for(600, 126) == [R.CLEARING]
    assert story.strap_for(1, 126) == [R.CLEARED]
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.END]
