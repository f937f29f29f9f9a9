"""BP-SEVERE, told as stories."""

import pytest

from kanhu.contract import Phase, Priority
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Profile
from tests.vitals.story import LOOSE, Story


@pytest.mark.parametrize(
    ("rest_s", "answers"),
    [
        (54, [R.TOO_SOON]),
        (55, [R.CONFIRMED]),
        (60, [R.CONFIRMED]),
        (330, [R.CONFIRMED]),
        (331, [R.WINDOW_EXPIRED, R.CONFIRMING]),
        (360, [R.WINDOW_EXPIRED, R.CONFIRMING]),
    ],
)
def test_second_reading_counts_after_one_to_five_minutes(rest_s: int, answers: list[R]) -> None:
    story = Story()
    assert story.cuff(186, 100) == [R.CONFIRMING]
    story.wait(rest_s)
    assert story.cuff(184, 98) == answers
    assert len(story.findings) == answers.count(R.CONFIRMED)


def test_finding_names_the_mean_and_both_readings() -> None:
    story = Story()
    story.cuff(186, 101)
    story.wait(120)
    story.cuff(179, 98)
    [finding] = story.findings
    assert finding.priority is Priority.MEDIUM
    assert finding.params == {
        "systolic": "182.5",
        "diastolic": "99.5",
        "systolic_limit": "≥ 180",
        "diastolic_limit": "≥ 110",
        "count": "2",
        "minutes": "2",
        "value": "182.5",
        "limit": "≥ 180",
    }
    assert [(piece.metric, piece.steps) for piece in finding.evidence] == [
        ("systolic", 18600),
        ("diastolic", 10100),
        ("systolic", 17900),
        ("diastolic", 9800),
    ]


def test_mean_under_the_limit_raises_nothing() -> None:
    story = Story()
    story.cuff(182, 100)
    story.wait(120)
    assert story.cuff(176, 98) == [R.NOT_CONFIRMED]
    assert story.findings == []


def test_second_reading_over_with_mean_under_begins_anew() -> None:
    story = Story()
    story.cuff(181, 80)
    story.wait(120)
    assert story.cuff(150, 112) == [R.NOT_CONFIRMED, R.CONFIRMING]
    story.wait(120)
    assert story.cuff(150, 110) == [R.CONFIRMED]


def test_diastolic_alone_is_enough() -> None:
    story = Story()
    story.cuff(150, 110)
    story.wait(60)
    assert story.cuff(150, 110) == [R.CONFIRMED]


def test_reading_too_soon_leaves_the_first_waiting() -> None:
    story = Story()
    story.cuff(190, 100)
    story.wait(30)
    assert story.cuff(120, 70) == [R.TOO_SOON]
    story.wait(40)
    assert story.cuff(188, 100) == [R.CONFIRMED]


def test_readings_that_differ_widely_still_decide_by_their_mean() -> None:
    story = Story()
    story.cuff(212, 104)
    story.wait(90)
    assert story.cuff(185, 101) == [R.CONFIRMED]


def test_questionable_second_reading_neither_confirms_nor_breaks() -> None:
    story = Story()
    story.cuff(190, 100)
    story.wait(60)
    assert story.cuff(100, 60, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    story.wait(60)
    assert story.cuff(190, 100) == [R.CONFIRMED]


def test_clears_below_170_and_105_twice() -> None:
    story = Story(Profile(subject="r-0003"))
    story.cuff(190, 112)
    story.wait(60)
    story.cuff(190, 112)
    for systolic, diastolic, answer in (
        (169, 105, R.HOLDING),
        (170, 90, R.HOLDING),
        (169.5, 104, R.CLEARING),
        (185, 100, R.ALREADY_RAISED),
        (160, 90, R.CLEARING),
        (160, 90, R.CLEARED),
    ):
        story.wait(60)
        assert story.cuff(systolic, diastolic) == [answer]
    assert [finding.phase for finding in story.findings] == [Phase.START, Phase.END]


def test_diastolic_above_systolic_is_no_reading() -> None:
    story = Story()
    assert story.cuff(100, 190) == [R.QUALITY_QUESTIONABLE]
    story.wait(60)
    assert story.cuff(100, 190) == [R.QUALITY_QUESTIONABLE]


def test_restart_between_the_two_readings_changes_nothing() -> None:
    story = Story()
    story.cuff(190, 100)
    story.restart()
    story.wait(60)
    assert story.cuff(190, 100) == [R.CONFIRMED]
