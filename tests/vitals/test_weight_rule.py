"""WEIGHT-HF, told as stories of mornings on a scale."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import ClockState, Observation, Part, Priority, Quality
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Language, Profile, StateRefused, core_pack, profile_from_tags, render
from kanhu.vitals.rules.gain import GainState, judge_gain
from kanhu.vitals.rules.records import GainTrigger
from kanhu.vitals.rules.resuming import after_gap, joined
from tests.vitals.story import GOOD, LOOSE, RESIDENT, SHANGHAI, Story

DAY_S = 86_400


def story(*tags: str) -> Story:
    profile: Profile = profile_from_tags(RESIDENT.id, tags)
    return Story(profile)


def weigh(home: Story, kg: float, *, scale: str = "scale-03", quality: Quality = GOOD) -> list[R]:
    parts = (Part("weight", (round(kg * 1000),)),)
    observation = Observation("weight", parts, RESIDENT, scale, home.times(), quality)
    return [decision.reason for decision in home.take(observation) if decision.rule == "WEIGHT-HF"]


def mornings(home: Story, *weights: float) -> list[R]:
    """One a day, a few minutes apart from the same hour; the last answers."""
    answers: list[R] = []
    for kg in weights:
        answers = weigh(home, kg)
        home.wait(DAY_S)
    return answers


def test_more_than_two_kilograms_in_three_days_are_one_low_alert_with_its_numbers() -> None:
    home = story("heart_failure")
    assert mornings(home, 62.0, 62.3, 63.1) == [R.AS_USUAL]
    assert mornings(home, 64.2) == [R.CONFIRMED]
    assert mornings(home, 64.3) == [R.AS_USUAL], "two days before it was 63.1, and three days before 62.3"
    [finding] = home.told("WEIGHT-HF")
    assert finding.priority is Priority.LOW
    assert finding.params == {"value": "64.2", "before": "62", "gain": "2.2", "limit": "2", "days": "3"}
    rule = core_pack().rule("WEIGHT-HF")
    assert rule is not None
    said = render(core_pack(), finding, Language.EN)
    assert "2.2 kg more than 62 kg within the last 3 days" in said.text


def test_two_kilograms_and_no_more_are_as_usual() -> None:
    home = story("heart_failure")
    assert mornings(home, 62.0, 63.0, 64.0) == [R.AS_USUAL]


def test_only_people_with_heart_failure_are_heard() -> None:
    home = story("hypertension")
    assert mornings(home, 62.0, 63.0, 64.5) == [R.NOT_APPLICABLE]


@pytest.mark.parametrize("quality", [LOOSE])
def test_a_doubted_weighing_raises_nothing_and_is_no_morning(quality: Quality) -> None:
    home = story("heart_failure")
    mornings(home, 62.0, 62.1)
    assert weigh(home, 65.0, quality=quality) == [R.QUALITY_QUESTIONABLE]
    home.wait(60)
    assert weigh(home, 62.2) == [R.AS_USUAL]


def test_another_scale_has_mornings_of_its_own() -> None:
    home = story("heart_failure")
    mornings(home, 62.0, 62.1)
    assert weigh(home, 65.0, scale="clinic") == [R.LEARNING]


def test_without_a_set_clock_there_is_no_morning() -> None:
    home = story("heart_failure")
    mornings(home, 62.0)
    home.reboot("boot-2", clock=ClockState.UNSET)
    assert weigh(home, 65.0) == [R.CLOCK_UNSET]


def test_a_restart_between_mornings_changes_nothing() -> None:
    home = story("heart_failure")
    for kg in (62.0, 62.3, 63.1):
        mornings(home, kg)
        home.restart()
    assert mornings(home, 64.2) == [R.CONFIRMED]


def test_a_state_taken_elsewhere_keeps_its_mornings() -> None:
    home = story("heart_failure")
    mornings(home, 62.0, 62.3, 63.1, 64.2)
    before = after_gap(GainState(b"x", None), ended=frozenset(), unknown=frozenset())
    assert joined(before, GainState(b"y", None)) == GainState(b"x", None)


def test_mornings_that_cannot_be_read_do_not_stop_a_weighing() -> None:
    home = story("heart_failure")
    rule = core_pack().rule("WEIGHT-HF")
    assert rule is not None
    assert isinstance(rule.trigger, GainTrigger)
    observation = Observation("weight", (Part("weight", (62_000,)),), RESIDENT, "scale-03", home.times())
    state = GainState(b"\xff\x00")
    after, [decision] = judge_gain(rule, rule.trigger, state=state, observation=observation, timezone=SHANGHAI)
    assert decision.reason is R.LEARNING
    assert after.mornings != state.mornings


@given(st.binary(max_size=80), st.floats(20, 250))
def test_damaged_mornings_are_gathered_anew(mornings_kept: bytes, kg: float) -> None:
    home = story("heart_failure")
    weigh(home, kg)
    state = home.judge.state(RESIDENT.id)
    with suppress(StateRefused):
        home.judge.restore(RESIDENT.id, state[:-4] + mornings_kept)
    home.wait(1)
    weigh(home, kg)
