"""Glucose, temperature, low pressure, breathing: each limit told as a story, and what it must not say."""

import pytest

from kanhu.contract import Observation, Part, Phase, Priority, Quality
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Language, render
from tests.vitals.story import GOOD, LOOSE, RESIDENT, Story


def say(story: Story, metric: str, value: float, *, per_unit: int = 100, quality: Quality = GOOD) -> list[R]:
    """One reading of one metric; the answers of all rules that hear it."""
    parts = (Part(metric, (round(value * per_unit),)),)
    decisions = story.take(Observation(metric, parts, RESIDENT, "device-03", story.times(), quality))
    return [decision.reason for decision in decisions]


@pytest.mark.parametrize("metric", ["glucose_capillary", "glucose_plasma"])
def test_one_low_stick_raises_and_a_very_low_one_is_high(metric: str) -> None:
    for value, priority in ((3.9, Priority.MEDIUM), (3.0, Priority.MEDIUM), (2.99, Priority.HIGH)):
        story = Story()
        say(story, metric, value)
        [finding] = story.told("GLU-LOW")
        assert finding.priority is priority
        assert finding.params["value"] == f"{value:g}"
        assert f"{value:g} mmol/L" in render(story.pack, finding, Language.ZH).text


def test_a_stick_above_the_limit_and_a_doubted_one_say_nothing() -> None:
    story = Story()
    say(story, "glucose_capillary", 3.91)
    story.wait(60)
    assert set(say(story, "glucose_capillary", 2.0, quality=LOOSE)) == {R.QUALITY_QUESTIONABLE}
    assert story.findings == []


def test_sugar_ends_it_and_plasma_goes_on_with_what_whole_blood_began() -> None:
    story = Story()
    say(story, "glucose_capillary", 3.2)
    story.wait(900)
    say(story, "glucose_plasma", 4.4)
    story.wait(900)
    say(story, "glucose_plasma", 4.5)
    low = story.told("GLU-LOW")
    assert [finding.phase for finding in low] == [Phase.START, Phase.END]
    assert len({finding.alert_id for finding in low}) == 1


def test_a_sensor_has_to_say_it_twice() -> None:
    story = Story()
    assert say(story, "glucose_interstitial", 3.5) == [R.CONFIRMING]
    story.wait(900)
    assert say(story, "glucose_interstitial", 3.6) == [R.CONFIRMED]
    story.wait(900)
    assert say(story, "glucose_interstitial", 2.9) == [R.ALREADY_RAISED]
    story.wait(900)
    assert say(story, "glucose_interstitial", 2.8) == [R.LEVEL_RAISED]
    assert story.findings[-1].priority is Priority.HIGH


def test_high_glucose_is_repeated_before_anybody_is_told() -> None:
    story = Story()
    say(story, "glucose_capillary", 17.0)
    assert story.findings == []
    story.wait(1800)
    say(story, "glucose_capillary", 16.7)
    assert [finding.rule for finding in story.findings] == ["GLU-HIGH"]


@pytest.mark.parametrize("site", ["temperature", "temperature_oral", "temperature_ear", "temperature_axillary"])
def test_fever_is_low_from_38_1_and_measured_again_medium_from_39_1(site: str) -> None:
    for value, rules in ((38.0, []), (38.1, ["TEMP-MID"]), (39.0, ["TEMP-MID"]), (39.1, ["TEMP-HIGH", "TEMP-MID"])):
        story = Story()
        say(story, site, value)
        assert [finding.rule for finding in story.findings] == [rule for rule in rules if rule == "TEMP-MID"]
        story.wait(600)
        say(story, site, value)
        assert sorted(finding.rule for finding in story.findings) == rules


def test_a_cold_armpit_is_a_thermometer_that_slipped_and_a_cold_mouth_is_not() -> None:
    for site, rules in (("temperature_axillary", []), ("temperature_oral", ["TEMP-LOW"])):
        story = Story()
        say(story, site, 34.8)
        story.wait(600)
        say(story, site, 35.0)
        assert [finding.rule for finding in story.findings] == rules


def test_low_pressure_needs_a_second_reading() -> None:
    story = Story()
    story.cuff(90, 60)
    assert story.findings == []
    story.wait(120)
    story.cuff(88, 58)
    [finding] = story.findings
    assert (finding.rule, finding.priority) == ("BP-LOW", Priority.MEDIUM)


def test_breathing_has_to_stay_beyond_the_limit_for_ten_minutes() -> None:
    story = Story()
    for _ in range(10):
        say(story, "respiration", 26, per_unit=10)
        story.wait(60)
    assert story.findings == []
    say(story, "respiration", 26, per_unit=10)
    assert [finding.rule for finding in story.findings] == ["RR-EXTREME"]


def test_half_an_hour_of_a_fast_pulse_is_an_entry_on_the_worklist() -> None:
    story = Story()
    story.strap_for(1801, 115)
    [finding] = story.findings
    assert (finding.rule, finding.priority) == ("HR-HIGH", Priority.LOW)
