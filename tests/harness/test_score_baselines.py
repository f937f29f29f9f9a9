"""The score of personal baselines judges the shipped detector, and a bad detector goes red in it."""

import numpy as np

from kanhu.harness.score.baselines import NEVER, personal, single, streamed, textbook
from kanhu.harness.score.simulated_people import Days, readings_of
from kanhu.vitals import core_pack
from kanhu.vitals.rules.records import Rule, TrendTrigger


def test_streamed_detector_finds_a_shift_when_the_arithmetic_of_many_people_does() -> None:
    rule, trigger = _trend()
    calm = trigger.baseline_readings + 1
    readings = readings_of(40, Days(calm, 40, 2.0), np.random.default_rng(5))
    at_once, one_by_one = personal(readings, calm, trigger), streamed(readings, calm, rule)
    assert abs(float(np.median(at_once) - np.median(one_by_one))) <= 2


def test_simpler_detectors_alarm_far_more_calm_people() -> None:
    _, trigger = _trend()
    readings = readings_of(1000, Days(60, 100), np.random.default_rng(5))
    ours = float((personal(readings, 60, trigger) <= 100).mean())
    assert ours <= 0.03
    assert float((textbook(readings, 60) <= 100).mean()) > 0.8
    assert float((single(readings, 60) <= 100).mean()) > 0.5


def test_person_who_never_leaves_the_usual_is_never_named() -> None:
    _, trigger = _trend()
    readings = np.tile([-1.0, 0.0, 1.0, 0.0], (3, 40))
    assert (personal(readings, 60, trigger) == NEVER).all()


def _trend() -> tuple[Rule, TrendTrigger]:
    rule = core_pack().rule("TREND")
    assert rule is not None
    assert isinstance(rule.trigger, TrendTrigger)
    return rule, rule.trigger
