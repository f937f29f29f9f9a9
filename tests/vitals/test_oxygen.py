"""SPO2-LOW, told as stories."""

from decimal import Decimal

from kanhu.contract import ClockState, Phase, Priority
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Profile
from tests.vitals.story import LOOSE, MOVING, Story


def test_loose_finger_raises_nothing_and_three_good_low_readings_do() -> None:
    story = Story()
    for _ in range(6):
        story.wait(10)
        assert story.oximeter(71, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    story.wait(10)
    assert story.oximeter(91) == [R.CONFIRMING]
    story.wait(10)
    assert story.oximeter(90) == [R.CONFIRMING]
    story.wait(10)
    assert story.oximeter(91) == [R.CONFIRMED]
    [finding] = story.findings
    assert finding.priority is Priority.MEDIUM
    assert finding.phase is Phase.START
    assert [evidence.steps for evidence in finding.evidence] == [910, 900, 910]
    assert finding.params == {"spo2": "91", "spo2_limit": "≤ 92", "count": "3", "minutes": "1"} | {
        "value": "91",
        "limit": "≤ 92",
    }


def test_limit_itself_counts_and_one_above_does_not() -> None:
    story = Story()
    for value in (92, 92, 93, 92, 92):
        story.wait(10)
        story.oximeter(value)
    assert story.findings == []
    story.wait(10)
    assert story.oximeter(92) == [R.CONFIRMED]


def test_good_reading_inside_breaks_the_row_and_a_questionable_one_does_not() -> None:
    story = Story()
    story.oximeter(90)
    story.wait(10)
    assert story.oximeter(95) == [R.NOT_CONFIRMED]
    for value in (90, 90):
        story.wait(10)
        assert story.oximeter(value) == [R.CONFIRMING]
    story.wait(10)
    assert story.oximeter(99, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    story.wait(10)
    assert story.oximeter(90, context=MOVING) == [R.QUALITY_QUESTIONABLE]
    story.wait(10)
    assert story.oximeter(90) == [R.CONFIRMED]


def test_three_readings_further_apart_than_five_minutes_do_not_confirm() -> None:
    story = Story()
    story.oximeter(90)
    story.wait(151)
    story.oximeter(90)
    story.wait(150)
    assert story.oximeter(90) == [R.WINDOW_EXPIRED, R.CONFIRMING]
    story.wait(150)
    assert story.oximeter(90) == [R.CONFIRMED]


def test_high_from_85_and_only_for_three_in_a_row() -> None:
    story = Story()
    for value in (85, 85, 86):
        story.wait(10)
        story.oximeter(value)
    assert [finding.priority for finding in story.findings] == [Priority.MEDIUM]
    for value, answer in ((85, R.ALREADY_RAISED), (84, R.ALREADY_RAISED), (85, R.LEVEL_RAISED), (80, R.ALREADY_RAISED)):
        story.wait(10)
        assert story.oximeter(value) == [answer]
    first, second = story.findings
    assert second.alert_id == first.alert_id
    assert (second.phase, second.priority) == (Phase.CONTINUE, Priority.HIGH)
    assert [evidence.steps for evidence in second.evidence] == [850, 840, 850]
    assert (second.params["count"], second.params["minutes"]) == ("3", "1")


def test_three_at_85_are_high_at_once() -> None:
    story = Story()
    for _ in range(3):
        story.wait(10)
        story.oximeter(85)
    assert [finding.priority for finding in story.findings] == [Priority.HIGH]


def test_clears_two_points_above_twice_and_not_before() -> None:
    story = Story()
    for _ in range(3):
        story.wait(10)
        story.oximeter(90)
    answers = []
    for value, quality in ((94, None), (93, None), (94, None), (99, LOOSE), (94, None)):
        story.wait(10)
        answers += story.oximeter(value) if quality is None else story.oximeter(value, quality=quality)
    assert answers == [R.CLEARING, R.HOLDING, R.CLEARING, R.QUALITY_QUESTIONABLE, R.CLEARED]
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.END]


def test_episode_soon_after_continues_the_alert_and_a_later_one_is_new() -> None:
    story = Story()

    def episode() -> None:
        for value in (90, 90, 90, 96, 96):
            story.wait(10)
            story.oximeter(value)

    episode()
    episode()
    story.wait(900)
    episode()
    starts = [finding for finding in story.findings if finding.phase is not Phase.END]
    assert [finding.phase for finding in starts] == [Phase.START, Phase.CONTINUE, Phase.START]
    assert starts[0].alert_id == starts[1].alert_id != starts[2].alert_id
    assert starts[1].reason == R.RECURRED


def test_alert_that_nothing_cleared_does_not_swallow_the_next_day() -> None:
    story = Story()
    for _ in range(3):
        story.wait(10)
        story.oximeter(90)
    story.wait(24 * 3600)
    assert story.oximeter(90) == [R.LAPSED, R.CONFIRMING]
    story.wait(10)
    story.oximeter(90)
    story.wait(10)
    assert story.oximeter(90) == [R.CONFIRMED]
    assert len({finding.alert_id for finding in story.findings}) == 2


def test_next_mornings_good_readings_end_yesterdays_alert() -> None:
    story = Story()
    for _ in range(3):
        story.wait(10)
        story.oximeter(90)
    story.wait(24 * 3600)
    assert story.oximeter(96) == [R.CLEARING]
    story.wait(10)
    assert story.oximeter(96) == [R.CLEARED]


def test_limit_reached_for_days_is_said_once_a_day() -> None:
    story = Story()
    for _ in range(3 * 24 * 12):
        story.wait(100)
        story.oximeter(90)
        story.wait(100)
        story.oximeter(93)
        story.wait(100)
        story.oximeter(90)
        story.wait(0.1)
        story.oximeter(90)
    assert [finding.phase for finding in story.findings] == [Phase.START] * 3
    assert len({finding.alert_id for finding in story.findings}) == 3


def test_chronic_lung_disease_and_personal_limits_have_their_own_line() -> None:
    lung = Story(Profile(subject="r-0003", chronic_lung=True))
    for value in (88, 88, 88, 88):
        lung.wait(10)
        assert lung.oximeter(value) == [R.WITHIN_LIMIT]
    for below in (87.5, 87, 87):
        lung.wait(10)
        lung.oximeter(below)
    assert [finding.params["spo2_limit"] for finding in lung.findings] == ["< 88"]
    for value, answer in ((89, R.HOLDING), (90, R.CLEARING), (90, R.CLEARED)):
        lung.wait(10)
        assert lung.oximeter(value) == [answer]

    own = Story(Profile(subject="r-0003", chronic_lung=True, spo2_limit_percent=Decimal("86")))
    for value in (86, 86, 86):
        own.wait(10)
        assert own.oximeter(value) == [R.WITHIN_LIMIT]


def test_personal_limit_at_the_top_of_the_scale_can_still_clear() -> None:
    story = Story(Profile(subject="r-0003", spo2_limit_percent=Decimal(99)))
    for value in (98, 98, 98, 100, 100):
        story.wait(10)
        story.oximeter(value)
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.END]


def test_restart_in_the_middle_of_confirming_changes_nothing() -> None:
    told, restarted = Story(), Story()
    for value in (90, 84, 83, 82, 81, 93, 95, 96, 90, 90, 90):
        for story in (told, restarted):
            story.wait(10)
        assert told.oximeter(value) == restarted.oximeter(value)
        restarted.restart()
    assert told.findings == restarted.findings != []


def test_reboot_is_bridged_by_the_wall_clock_where_it_can_be_trusted() -> None:
    story = Story()
    story.oximeter(90)
    story.wait(10)
    story.oximeter(90)
    story.reboot("boot-2", dark_s=60)
    assert story.oximeter(90) == [R.CONFIRMED]


def test_clock_that_was_never_set_bridges_no_reboot() -> None:
    story = Story()
    story.oximeter(90)
    story.wait(10)
    story.oximeter(90)
    story.reboot("boot-2", dark_s=60, clock=ClockState.UNSET)
    assert story.oximeter(90) == [R.WINDOW_EXPIRED, R.CONFIRMING]


def test_step_of_the_wall_clock_within_a_boot_changes_nothing() -> None:
    story = Story()
    for step_s in (0, 315_360_000, -315_360_000):
        story.clock.step_wall(step_s)
        story.wait(10)
        story.oximeter(90)
    assert [finding.reason for finding in story.findings] == ["confirmed"]
