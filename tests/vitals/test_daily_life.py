"""The agreed sign and the temperature of the rooms, told as stories."""

import pytest

from kanhu.contract import ClockState, Phase, Priority, Subject, SubjectKind
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Language, core_pack, render
from tests.vitals.story import LOOSE, RESIDENT, Story

HALF_HOUR = 1800


def hours(story: Story, count: float, celsius: float) -> list[R]:
    """A sensor that speaks every half hour; every answer of both rules that says something."""
    answers = []
    for _ in range(round(count * 2)):
        story.wait(HALF_HOUR)
        answers += story.room(celsius)
    return answers


def test_missing_sign_is_one_medium_alert_and_the_sign_ends_it() -> None:
    story = Story()
    assert story.well_check(1) == [R.CONFIRMED]
    story.wait(60)
    assert story.well_check(1) == [R.ALREADY_RAISED]
    story.wait(3600)
    assert story.well_check(0) == [R.CLEARED]
    story.wait(60)
    assert story.well_check(0) == [R.RELEASED]
    raised, ended = story.findings
    assert (raised.priority, raised.phase, ended.phase) == (Priority.MEDIUM, Phase.START, Phase.END)
    assert raised.alert_id == ended.alert_id
    for language in Language:
        assert "30" in render(core_pack(), raised, language).text


def test_sign_without_an_alert_says_nothing() -> None:
    story = Story()
    assert story.well_check(0) == [R.RELEASED]
    assert story.findings == []


def test_the_next_day_is_an_alert_of_its_own_also_where_nobody_ended_the_first() -> None:
    story = Story()
    story.well_check(1)
    story.wait(24 * 3600)
    assert story.well_check(1) == [R.CONFIRMED]
    assert len({finding.alert_id for finding in story.findings}) == 2


def test_restart_and_reboot_keep_the_alert_that_the_sign_ends() -> None:
    story = Story()
    story.well_check(1)
    story.wait(10)
    story.restart()
    assert story.well_check(1) == [R.ALREADY_RAISED]
    story.reboot("boot-2", clock=ClockState.UNSET)
    assert story.well_check(0) == [R.CLEARED]


def test_doubted_sign_ends_nothing() -> None:
    story = Story()
    story.well_check(1)
    story.wait(10)
    assert story.well_check(0, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]


def test_cold_for_two_hours_is_one_low_alert_for_a_week_and_ends_a_degree_above() -> None:
    story = Story()
    answers = hours(story, 24, 12.5)
    assert answers.count(R.CONFIRMED) == 1
    [finding] = story.findings
    assert (finding.rule, finding.priority, finding.subject.kind) == (
        "ROOM-COLD",
        Priority.LOW,
        SubjectKind.DWELLING,
    )
    assert R.CLEARED not in hours(story, 3, 18.6)
    assert R.CLEARED in hours(story, 2, 19.2)
    again = hours(story, 24, 12.5)  # the next cold night is the same entry
    assert R.CONFIRMED not in again
    assert R.RECURRED in again
    assert len({one.alert_id for one in story.findings}) == 1


def test_airing_the_room_is_no_cold_and_a_hole_in_the_readings_is_no_proof() -> None:
    story = Story()
    hours(story, 2, 21)
    hours(story, 1, 8)
    hours(story, 3, 21)
    for _ in range(4):
        story.wait(5000)
        story.room(8)
    assert story.findings == []


def test_a_heat_wave_is_one_entry_a_dwelling_in_three_days() -> None:
    story = Story()
    for _ in range(3):
        hours(story, 10, 34)
        hours(story, 14, 28)
    assert {one.rule for one in story.findings} == {"ROOM-HEAT"}
    assert [one.phase for one in story.findings].count(Phase.START) == 1
    assert {one.priority for one in story.findings} == {Priority.LOW}
    hours(story, 24, 34)
    assert [one.phase for one in story.findings].count(Phase.START) == 2


@pytest.mark.parametrize("celsius", [18.01, 25, 31.99])
def test_between_the_limits_nothing_is_said(celsius: float) -> None:
    story = Story()
    assert set(hours(story, 12, celsius)) == {R.WITHIN_LIMIT}


def test_absurd_or_doubted_temperature_is_not_judged() -> None:
    story = Story()
    assert set(hours(story, 12, 90)) == {R.QUALITY_QUESTIONABLE}
    story.room(5, quality=LOOSE)
    assert story.findings == []


def test_room_of_a_person_is_judged_and_of_nobody_known_is_not() -> None:
    story = Story()
    for _ in range(12):
        story.wait(HALF_HOUR)
        story.room(10, subject=RESIDENT)
        assert set(story.room(10, subject=Subject(SubjectKind.UNIDENTIFIED, "x"))) == {R.IDENTITY_UNKNOWN}
    assert [one.subject for one in story.findings] == [RESIDENT]
