"""Sensors of danger, told as stories: believed at once, once an alarm, and less where nobody can prove it."""

import pytest

from kanhu.contract import Phase, Priority, Quality, QualityLevel, QualityReason
from kanhu.vitals import DecisionReason as R
from tests.vitals.story import GOOD, Story

UNPROVEN = Quality(QualityLevel.QUESTIONABLE, (QualityReason.UNPROVEN,))
_RULES = {
    "fall": ("FALL", Priority.MEDIUM, Priority.LOW),
    "smoke": ("SMOKE", Priority.HIGH, Priority.MEDIUM),
    "carbon_monoxide": ("CARBON-MONOXIDE", Priority.HIGH, Priority.MEDIUM),
    "gas": ("GAS", Priority.HIGH, Priority.MEDIUM),
    "water": ("WATER", Priority.LOW, Priority.LOW),
}


def says(story: Story, metric: str, value: int, *, quality: Quality = GOOD) -> list[R]:
    story.wait(1)
    return story.sensor(metric, value, rule=_RULES[metric][0], quality=quality)


@pytest.mark.parametrize("metric", _RULES)
def test_an_alarm_is_raised_at_once_and_its_repeats_are_the_same_alarm(metric: str) -> None:
    rule, priority, _ = _RULES[metric]
    story = Story()
    assert says(story, metric, 1) == [R.PRESSED]
    story.wait(60)
    assert says(story, metric, 1) == [R.REPEATED]
    assert [(one.rule, one.priority, one.phase) for one in story.findings] == [
        (rule, priority, Phase.START),
        (rule, priority, Phase.CONTINUE),
    ]


@pytest.mark.parametrize("metric", _RULES)
def test_a_sensor_that_is_quiet_raises_nothing_and_ends_nothing(metric: str) -> None:
    story = Story()
    assert says(story, metric, 0) == [R.RELEASED]
    says(story, metric, 1)
    says(story, metric, 0)
    assert [one.phase for one in story.findings] == [Phase.START]


@pytest.mark.parametrize("metric", _RULES)
def test_what_nobody_can_prove_is_said_less_urgently_and_never_silently(metric: str) -> None:
    *_, less = _RULES[metric]
    story = Story()
    says(story, metric, 1, quality=UNPROVEN)
    assert [one.priority for one in story.findings] == [less]
