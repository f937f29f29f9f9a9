"""SOS, told as stories."""

from kanhu.contract import (
    ClockState,
    Observation,
    Part,
    Phase,
    Priority,
    Quality,
    QualityLevel,
    Subject,
    SubjectKind,
    alert_id,
)
from kanhu.vitals import DecisionReason as R
from tests.vitals.story import LOOSE, RESIDENT, Story

UNUSABLE = Quality(QualityLevel.UNUSABLE)


def test_press_raises_high_at_once() -> None:
    story = Story()
    assert story.press() == [R.PRESSED]
    [finding] = story.findings
    assert (finding.priority, finding.phase) == (Priority.HIGH, Phase.START)
    assert finding.alert_id == alert_id(RESIDENT, "SOS", finding.evidence[0])


def test_presses_within_ten_minutes_are_one_alert_with_each_as_evidence() -> None:
    story = Story()
    for _ in range(3):
        story.press()
        story.wait(299)
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.CONTINUE, Phase.CONTINUE]
    assert len({finding.alert_id for finding in story.findings}) == 1
    assert len({finding.evidence for finding in story.findings}) == 3
    assert story.findings[-1].params == {"presses": "3"}
    assert story.press() == [R.PRESSED]
    assert story.findings[-1].alert_id != story.findings[0].alert_id


def test_ten_minutes_count_from_the_first_press() -> None:
    story = Story()
    story.press()
    story.wait(600)
    assert story.press() == [R.REPEATED]
    story.wait(1)
    assert story.press() == [R.PRESSED]


def test_release_and_the_same_advertisement_again_are_no_press() -> None:
    story = Story()
    assert story.press(value=0) == [R.RELEASED]
    story.wait(1)
    assert story.press() == [R.PRESSED]
    assert story.press() == [R.DUPLICATE]


def test_doubted_press_is_not_lost_and_not_high() -> None:
    story = Story()
    assert story.press(quality=LOOSE) == [R.PRESSED]
    assert story.findings[0].priority is Priority.MEDIUM
    story.wait(5)
    assert story.press() == [R.REPEATED]
    assert story.findings[1].priority is Priority.HIGH
    story.wait(5)
    assert story.press(quality=LOOSE) == [R.REPEATED]
    assert story.findings[2].priority is Priority.HIGH
    story.wait(5)
    assert story.press(quality=UNUSABLE) == [R.QUALITY_UNUSABLE]


def test_restart_keeps_the_alert_and_a_reboot_with_a_set_clock_does_too() -> None:
    story = Story()
    story.press()
    story.wait(5)
    story.restart()
    assert story.press() == [R.REPEATED]
    story.reboot("boot-2")
    assert story.press() == [R.REPEATED]


def test_button_on_the_wall_speaks_for_the_dwelling_and_an_unknown_person_is_not_judged() -> None:
    story = Story()

    def pressed_by(kind: SubjectKind) -> list[R]:
        story.wait(1)
        subject = Subject(kind, "home-03")
        parts = (Part("help_button", (1,)),)
        observation = Observation("help_button", parts, subject, "button-03", story.times())
        return [decision.reason for decision in story.take(observation)]

    assert pressed_by(SubjectKind.DWELLING) == [R.PRESSED]
    assert pressed_by(SubjectKind.UNIDENTIFIED) == [R.IDENTITY_UNKNOWN]
    assert pressed_by(SubjectKind.RESIDENT) == [R.PRESSED]
    assert len({finding.alert_id for finding in story.findings}) == 2


def test_fine_after_a_call_ends_the_condition_under_the_same_alert() -> None:
    story = Story()
    story.press()
    story.wait(40)
    assert story.press(value=2) == [R.CALLED_OFF]
    called, off = story.findings
    assert (off.alert_id, off.phase, off.priority) == (called.alert_id, Phase.END, Priority.HIGH)
    story.wait(5)
    assert story.press(value=2) == [R.CALLED_OFF]


def test_fine_is_a_call_where_nobody_has_called_or_long_ago() -> None:
    story = Story()
    assert story.press(value=2) == [R.PRESSED]
    story.wait(601)
    assert story.press(value=2) == [R.PRESSED]
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.START]


def test_doubted_fine_does_not_take_a_call_back() -> None:
    story = Story()
    story.press()
    story.wait(5)
    assert story.press(value=2, quality=LOOSE) == [R.REPEATED]


def test_press_after_fine_is_a_new_call_also_after_a_restart() -> None:
    story = Story()
    story.press()
    story.wait(5)
    story.press(value=2)
    story.wait(5)
    story.restart()
    assert story.press() == [R.PRESSED]
    assert story.findings[-1].alert_id != story.findings[0].alert_id


def test_fine_of_another_boot_without_a_clock_is_a_call() -> None:
    story = Story()
    story.press()
    story.reboot("boot-2", clock=ClockState.UNSET)
    assert story.press(value=2) == [R.PRESSED]


def test_fine_said_twice_ends_a_call_once() -> None:
    story = Story()
    story.press()
    for _ in range(2):
        story.wait(5)
        assert story.press(value=2) == [R.CALLED_OFF]
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.END]
    story.wait(5)
    assert story.press() == [R.PRESSED]
