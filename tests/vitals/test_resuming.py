"""A card was replaced: the judge on the new one goes on from a state kept elsewhere, over a time unmeasured."""

import pytest

from kanhu.contract import Phase
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Judge, Runs, StateRefused, alerts_in
from tests.vitals.story import RESIDENT, SHANGHAI, Story, intervals

NOTHING: frozenset[str] = frozenset()
DAY_S = 86_400
FIBRILLATION = intervals("afdb_06995_fibrillation")


def fresh_card(story: Story, boot: str = "boot-2", *, dark_s: float = 600) -> bytes:
    """Another card in the same box; returns what the old one had kept elsewhere."""
    kept = story.judge.state(RESIDENT.id)
    story.clock.advance(dark_s)
    story.clock.reboot(boot)
    story.judge = Judge(story.pack, Runs.GATEWAY, story.profiles, SHANGHAI)
    return kept


def resume(
    story: Story,
    kept: bytes,
    *,
    name: str = "card-1",
    ended: frozenset[str] = NOTHING,
    unknown: frozenset[str] = NOTHING,
) -> tuple[str, ...]:
    return story.judge.resume(RESIDENT.id, kept, name=name, ended=ended, unknown=unknown)


def open_oxygen(story: Story) -> str:
    """Oxygen below the limit, raised; returns the alert's id."""
    for _ in range(3):
        story.oximeter(84)
        story.wait(60)
    return story.findings[-1].alert_id


@pytest.mark.parametrize("restored", [True, False])
def test_two_days_of_an_irregular_pulse_end_in_their_finding_only_with_the_state(*, restored: bool) -> None:
    story = Story()
    story.beats(FIBRILLATION)
    kept = fresh_card(story, dark_s=DAY_S)
    if restored:
        resume(story, kept)
    story.beats(FIBRILLATION)
    assert [finding.rule for finding in story.findings] == (["RHYTHM"] if restored else [])


def test_an_irregular_day_before_the_state_came_counts_and_is_weighed_with_the_next_beats() -> None:
    story = Story()
    story.beats(FIBRILLATION)
    kept = fresh_card(story, dark_s=DAY_S)
    story.beats(FIBRILLATION)
    assert story.findings == []
    resume(story, kept)
    story.beats(intervals("afdb_06995_regular")[:8])
    [finding] = story.findings
    assert finding.params["days"] == "2"


def test_a_state_is_joined_once_however_often_it_comes() -> None:
    story = Story()
    story.beats(FIBRILLATION[:150])
    kept = fresh_card(story, dark_s=60)
    for _ in range(5):
        resume(story, kept)
        story.restart()
    once = story.judge.state(RESIDENT.id)
    other = Story()
    other.judge.restore(RESIDENT.id, once)
    resume(other, kept)
    assert other.judge.state(RESIDENT.id) == once


def test_an_open_finding_is_still_open_and_not_raised_again() -> None:
    story = Story()
    alert = open_oxygen(story)
    kept = fresh_card(story)
    assert alerts_in(kept) == (alert,)
    resume(story, kept)
    for _ in range(3):
        assert R.CONFIRMED not in story.oximeter(84)
        story.wait(60)
    assert {finding.alert_id for finding in story.findings} == {alert}
    assert [finding.phase for finding in story.findings].count(Phase.START) == 1


def test_nothing_came_nearer_to_being_clear_while_nothing_was_measured() -> None:
    def clear_readings_needed(story: Story) -> int:
        for count in range(1, 20):
            if R.CLEARED in story.oximeter(97):
                return count
            story.wait(60)
        raise AssertionError("never clear")

    whole = Story()
    open_oxygen(whole)
    needed = clear_readings_needed(whole)
    story = Story()
    open_oxygen(story)
    for _ in range(needed - 1):
        story.oximeter(97)
        story.wait(60)
    resume(story, fresh_card(story))
    assert clear_readings_needed(story) == needed


def test_what_ended_meanwhile_is_no_longer_open_and_a_new_episode_is_heard() -> None:
    story = Story()
    alert = open_oxygen(story)
    resume(story, fresh_card(story), ended=frozenset({alert}))
    before = len(story.findings)
    for _ in range(3):
        story.oximeter(84)
        story.wait(60)
    assert len(story.findings) > before


def test_what_nobody_ever_got_is_raised_anew() -> None:
    story = Story()
    lost = open_oxygen(story)
    resume(story, fresh_card(story), unknown=frozenset({lost}))
    story.findings.clear()
    open_oxygen(story)
    assert [finding.phase for finding in story.findings][:1] == [Phase.START]
    assert lost not in {finding.alert_id for finding in story.findings}


def test_a_call_after_one_that_was_called_off_meanwhile_is_a_new_call() -> None:
    story = Story()
    story.press()
    [called] = story.findings
    resume(story, fresh_card(story, dark_s=30), ended=frozenset({called.alert_id}))
    story.press()
    assert story.findings[-1].phase is Phase.START


def test_a_press_before_the_state_came_keeps_its_own_alert() -> None:
    story = Story()
    story.press()
    kept = fresh_card(story, dark_s=30)
    story.press()
    own = story.findings[-1].alert_id
    resume(story, kept)
    story.wait(10)
    story.press()
    assert story.findings[-1].alert_id == own


def test_readings_that_came_first_do_not_hide_a_finding_that_was_open() -> None:
    story = Story()
    alert = open_oxygen(story)
    kept = fresh_card(story)
    story.oximeter(97)
    resume(story, kept)
    story.wait(60)
    for _ in range(10):
        story.oximeter(97)
        story.wait(60)
    assert (story.findings[-1].alert_id, story.findings[-1].phase) == (alert, Phase.END)


def test_a_state_of_another_version_is_refused_in_words_and_changes_nothing() -> None:
    story = Story()
    story.oximeter(84)
    before = story.judge.state(RESIDENT.id)
    newer = bytes([before[0], 9]) + before[2:]
    with pytest.raises(StateRefused, match="version 9, this software reads 1"):
        resume(story, newer)
    with pytest.raises(StateRefused):
        alerts_in(b"nonsense")
    assert story.judge.state(RESIDENT.id) == before
