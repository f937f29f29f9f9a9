"""Readings are lowered in quality where they cannot be true, and never lifted."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import (
    Context,
    Motion,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
)
from kanhu.vitals import Judge, Profile, ProfileMismatch, QualityGate, Runs, assess, core_pack
from kanhu.vitals.profile import profile_from_tags
from tests.contract.strategies import observations
from tests.vitals.story import RESIDENT, SHANGHAI, Story

NOBODY = Profile(subject=RESIDENT.id)
RANK = {QualityLevel.OK: 0, QualityLevel.QUESTIONABLE: 1, QualityLevel.UNUSABLE: 2}


def observed(story: Story, metric: str, **steps: int) -> Observation:
    parts = tuple(Part(code, (value,)) for code, value in steps.items())
    return Observation(metric, parts, RESIDENT, "device", story.times())


def reasons(observation: Observation, previous: Observation | None = None) -> tuple[QualityReason, ...]:
    return assess(observation, previous=previous, profile=NOBODY).quality.reasons


@pytest.mark.parametrize(
    ("metric", "steps", "good"),
    [
        ("bp", {"systolic": 30_000, "diastolic": 20_000}, True),
        ("bp", {"systolic": 30_001, "diastolic": 20_000}, False),
        ("bp", {"systolic": 5_000, "diastolic": 3_000}, True),
        ("bp", {"systolic": 4_999, "diastolic": 3_000}, False),
        ("bp", {"systolic": 12_000, "diastolic": 2_999}, False),
        ("oximetry", {"spo2": 500, "pulse_oximeter": 200}, True),
        ("oximetry", {"spo2": 499}, False),
        ("oximetry", {"spo2": 1001}, False),
        ("heart_rhythm", {"heart_rate": 20}, True),
        ("heart_rhythm", {"heart_rate": 19}, False),
        ("heart_rhythm", {"heart_rate": 300}, True),
        ("heart_rhythm", {"heart_rate": 301}, False),
        ("heart_rhythm", {"heart_rate": 60, "rr_interval": 3000 * 128 + 1}, False),
        ("heart_rhythm", {"heart_rate": 60, "rr_interval": 200 * 128}, True),
        ("temperature", {"temperature": 4400}, True),
        ("temperature", {"temperature": 4401}, False),
        ("glucose_capillary", {"glucose_capillary": 59}, False),
        ("weight", {"weight": 250_001}, False),
    ],
)
def test_values_no_living_person_has_are_questionable(metric: str, steps: dict[str, int], good: bool) -> None:
    found = reasons(observed(Story(), metric, **steps))
    assert found == (() if good else (QualityReason.OUT_OF_RANGE,))


@pytest.mark.parametrize("diastolic", [120, 121])
def test_diastolic_not_under_systolic_is_implausible(diastolic: int) -> None:
    found = reasons(observed(Story(), "bp", systolic=12_000, diastolic=diastolic * 100))
    assert found == (QualityReason.IMPLAUSIBLE_PAIR,)


def test_faster_than_a_body_changes_is_questionable() -> None:
    story = Story()
    before = observed(story, "temperature", temperature=3650)
    story.wait(60)
    assert reasons(observed(story, "temperature", temperature=3750), before) == ()
    assert reasons(observed(story, "temperature", temperature=3751), before) == (QualityReason.RATE_OF_CHANGE,)
    story.wait(120)
    assert reasons(observed(story, "temperature", temperature=3951), before) == (QualityReason.RATE_OF_CHANGE,)
    heavy = observed(story, "weight", weight=70_000)
    story.wait(3600)
    assert reasons(observed(story, "weight", weight=73_001), heavy) == (QualityReason.RATE_OF_CHANGE,)
    story.wait(86_400)
    assert reasons(observed(story, "weight", weight=73_100), heavy) == ()


def test_change_is_not_judged_against_a_doubtful_reading_or_an_unknown_time() -> None:
    story = Story()
    doubtful = msgspec.structs.replace(
        observed(story, "temperature", temperature=3000), quality=Quality(QualityLevel.QUESTIONABLE)
    )
    story.wait(60)
    assert reasons(observed(story, "temperature", temperature=3700), doubtful) == ()
    cold = observed(story, "temperature", temperature=3000)
    story.clock.step_wall(-1000)
    story.clock.reboot("boot-2")
    assert reasons(observed(story, "temperature", temperature=3700), cold) == ()


def test_two_cuff_readings_that_disagree_are_noted_and_both_stay_good() -> None:
    story = Story()
    first = observed(story, "bp", systolic=20_000, diastolic=11_500)
    story.wait(90)
    second = assess(observed(story, "bp", systolic=18_900, diastolic=11_500), previous=first, profile=NOBODY)
    assert second.quality == Quality(QualityLevel.OK, (QualityReason.REPEAT_DISAGREES,))
    agrees = assess(observed(story, "bp", systolic=19_000, diastolic=10_500), previous=first, profile=NOBODY)
    assert agrees.quality == Quality()
    story.wait(600)
    later = assess(observed(story, "bp", systolic=12_000, diastolic=8_000), previous=first, profile=NOBODY)
    assert later.quality == Quality()


def test_motion_spoils_cuff_and_oximeter_and_not_a_strap() -> None:
    story = Story()
    for metric, steps, expected in (
        ("oximetry", {"spo2": 970}, (QualityReason.MOTION,)),
        ("bp", {"systolic": 12_000, "diastolic": 8_000}, (QualityReason.MOTION,)),
        ("heart_rhythm", {"heart_rate": 120}, ()),
    ):
        moved = msgspec.structs.replace(observed(story, metric, **steps), context=Context(motion=Motion.MOVING))
        assert reasons(moved) == expected


def test_reading_of_nobody_and_profile_of_another_are_not_trusted() -> None:
    observation = observed(Story(), "oximetry", spo2=970)
    nobody = msgspec.structs.replace(observation, subject=Subject(SubjectKind.UNIDENTIFIED, "session-1"))
    assert reasons(nobody) == (QualityReason.IDENTITY_UNKNOWN,)
    other = assess(observation, previous=None, profile=Profile(subject="r-0004"))
    assert other.quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)


def test_profiles_under_another_id_are_refused_at_the_start() -> None:
    mixed = {"r-0003": Profile(subject="r-0004")}
    with pytest.raises(ProfileMismatch, match="r-0004"):
        Judge(core_pack(), Runs.GATEWAY, mixed, SHANGHAI)
    with pytest.raises(ProfileMismatch):
        QualityGate(mixed)


def test_cuff_that_repeats_three_numbers_three_times_is_stuck() -> None:
    story, gate = Story(), QualityGate({})
    answers = []
    for _ in range(3):
        story.wait(300)
        reading = observed(story, "bp", systolic=12_000, diastolic=8_000, pulse_cuff=7_000)
        answers.append(gate.assess(reading).quality.reasons)
    assert answers == [(), (), (QualityReason.STUCK,)]
    story.wait(300)
    assert gate.assess(observed(story, "bp", systolic=12_100, diastolic=8_000, pulse_cuff=7_000)).quality == Quality()


def test_two_equal_values_alone_are_not_stuck_and_calm_oximeter_readings_take_long() -> None:
    story, gate = Story(), QualityGate({})
    for _ in range(59):
        story.wait(10)
        assert gate.assess(observed(story, "oximetry", spo2=970, pulse_oximeter=700)).quality == Quality()
        assert gate.assess(observed(story, "bp", systolic=12_000, diastolic=8_000)).quality == Quality()
    story.wait(10)
    stuck = gate.assess(observed(story, "oximetry", spo2=970, pulse_oximeter=700))
    assert stuck.quality.reasons == (QualityReason.STUCK,)


def test_gate_remembers_a_bounded_number_of_devices() -> None:
    story, gate = Story(), QualityGate({})
    for number in range(400):
        gate.assess(msgspec.structs.replace(observed(story, "oximetry", spo2=970), device=f"device-{number}"))
    assert len(gate._last) == 256


def test_reasons_of_the_device_are_kept() -> None:
    loose = msgspec.structs.replace(
        observed(Story(), "bp", systolic=40_000, diastolic=8_000),
        quality=Quality(QualityLevel.UNUSABLE, (QualityReason.CUFF_LOOSE,)),
    )
    assessed = assess(loose, previous=None, profile=NOBODY).quality
    assert assessed == Quality(QualityLevel.UNUSABLE, (QualityReason.CUFF_LOOSE, QualityReason.OUT_OF_RANGE))


@given(observations(), st.none() | observations())
def test_quality_is_never_lifted_and_the_values_never_touched(
    observation: Observation, previous: Observation | None
) -> None:
    assessed = assess(observation, previous=previous, profile=NOBODY)
    assert RANK[assessed.quality.level] >= RANK[observation.quality.level]
    assert set(observation.quality.reasons) <= set(assessed.quality.reasons)
    assert msgspec.structs.replace(assessed, quality=observation.quality) == observation
    assert assess(assessed, previous=previous, profile=NOBODY) == assessed


def test_profile_follows_from_tags() -> None:
    profile = profile_from_tags("r-0003", ["copd", "lives_alone", "hypertension"])
    assert profile == Profile(
        subject="r-0003",
        lives_alone=True,
        chronic_lung=True,
        tags=frozenset({"copd", "lives_alone", "hypertension"}),
    )
    assert profile_from_tags("r-0003", []) == Profile(subject="r-0003")
