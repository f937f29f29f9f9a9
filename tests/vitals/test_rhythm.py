"""RHYTHM, told with the beats of real hearts."""

import pytest

from kanhu.contract import ClockState, Phase, Priority
from kanhu.vitals import DecisionReason as R
from kanhu.vitals.rhythm import Irregularity, RhythmLimits, irregularity, rhythm_of
from kanhu.vitals.rules.records import RhythmTrigger
from tests.vitals.story import MOVING, Story, intervals

DAY_S = 86_400
FIBRILLATION = intervals("afdb_06995_fibrillation")
REGULAR = intervals("afdb_06995_regular")


def test_irregular_windows_on_two_days_raise_a_low_finding() -> None:
    story = Story()
    first = story.beats(FIBRILLATION)
    assert R.CONFIRMED not in first
    assert first.count(R.CONFIRMING) == 6
    story.wait(DAY_S)
    second = story.beats(FIBRILLATION)
    assert second.count(R.CONFIRMED) == 1
    assert second.count(R.ALREADY_RAISED) == 3
    [finding] = story.findings
    assert (finding.priority, finding.phase) == (Priority.LOW, Phase.START)
    assert finding.params == {"windows": "9", "days": "2"}


def test_one_day_alone_raises_nothing_however_long() -> None:
    story = Story()
    for _ in range(10):
        story.beats(FIBRILLATION)
    assert story.findings == []


def test_two_days_further_apart_than_two_weeks_raise_nothing() -> None:
    story = Story()
    story.beats(FIBRILLATION)
    story.wait(14 * DAY_S)
    story.beats(FIBRILLATION)
    assert story.findings == []


def test_days_are_those_on_the_wall_of_the_dwelling() -> None:
    story = Story()
    story.wait(13.75 * 3600)  # 23:45 in Shanghai, the same day by UTC
    story.beats(FIBRILLATION)
    story.wait(600)
    story.beats(FIBRILLATION)
    assert len(story.findings) == 1


def test_regular_heart_raises_nothing_on_any_day() -> None:
    story = Story()
    answers = []
    for _ in range(4):
        answers += story.beats(REGULAR)
        story.wait(DAY_S)
    assert answers.count(R.REGULAR) + answers.count(R.EXTRA_BEATS) == 24
    assert story.findings == []


@pytest.mark.parametrize("record", ["mitdb_106_extra_beats", "mitdb_119_extra_beats"])
def test_sinus_rhythm_with_a_quarter_of_extra_beats_raises_nothing(record: str) -> None:
    story = Story()
    for _ in range(2):
        story.beats(intervals(record))
        story.wait(DAY_S)
    assert story.findings == []


def test_filter_takes_most_windows_of_extra_beats_out() -> None:
    # Record 208 is the known worst case: a third of its beats are extra, without order. It is not silenced, only eased.
    limits = _limits()
    unfiltered = RhythmLimits(limits.symbol_bpm, limits.entropy_above, 0)
    beats = intervals("mitdb_208_extra_beats")
    windows = [beats[start : start + 128] for start in range(0, len(beats) - 127, 128)]
    with_filter = [irregularity(window, limits) for window in windows].count(Irregularity.IRREGULAR)
    without = [irregularity(window, unfiltered) for window in windows].count(Irregularity.IRREGULAR)
    assert with_filter * 2 <= without


def test_alternating_beats_and_steady_beats_are_regular() -> None:
    assert irregularity([500, 1000] * 64, _limits()) is Irregularity.REGULAR
    assert irregularity([800] * 128, _limits()) is Irregularity.REGULAR
    assert rhythm_of([], symbol_bpm=5) == (0, 0)
    assert rhythm_of([0, -1, 5, 800], symbol_bpm=5) == (0, 0)


def test_hole_in_the_beats_begins_the_window_anew() -> None:
    story = Story()
    story.beats(FIBRILLATION[:127])
    story.wait(5)
    answers = story.beats(FIBRILLATION[:127])
    assert answers[0] is R.WINDOW_EXPIRED
    assert set(answers[1:]) == {R.COLLECTING}


def test_beats_while_moving_do_not_count() -> None:
    story = Story()
    assert set(story.beats(FIBRILLATION[:200], context=MOVING)) == {R.MOVING}


def test_clock_that_was_never_set_counts_no_day() -> None:
    story = Story()
    story.clock.set_state(ClockState.UNSET)
    for _ in range(2):
        assert R.CLOCK_UNSET in story.beats(FIBRILLATION)
        story.wait(DAY_S)
    assert story.findings == []


def test_restart_within_a_window_changes_nothing() -> None:
    story = Story()
    story.beats(FIBRILLATION)
    story.wait(DAY_S)
    story.beats(FIBRILLATION[:200])
    story.restart()
    story.beats(FIBRILLATION[200:])
    assert len(story.findings) == 1


def test_state_stays_small() -> None:
    story = Story()
    for _ in range(20):
        story.beats(FIBRILLATION[:511])
        story.wait(DAY_S)
    assert len(story.judge.state("r-0003")) < 3000


def _limits() -> RhythmLimits:
    rule = Story().pack.rule("RHYTHM")
    assert rule is not None
    assert isinstance(rule.trigger, RhythmTrigger)
    return RhythmLimits(rule.trigger.symbol_bpm, rule.trigger.entropy_above, rule.trigger.filtered_entropy_above)
