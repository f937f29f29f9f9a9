"""The course of a person's signs: missing is named and never normal, and storing it changes nothing."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.cloud.training.deterioration import course_of, fit_on
from kanhu.cloud.training.recordings import Recording
from kanhu.harness.score.deterioration import auprc, auroc, sensitivity
from kanhu.vitals.deterioration import SIGNS, Course, Taken
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.models import model_named


def test_what_was_never_measured_is_named() -> None:
    course = Course()
    course.update("heart_rate", 80.0)
    score = course.score(model_named("deterioration"), age_years=None)
    assert score.missing == tuple(name for name in SIGNS if name != "heart_rate")
    assert 0.0 < score.value < 1.0


def test_worse_signs_rank_higher() -> None:
    model = model_named("deterioration")
    calm, ill = Course(), Course()
    for sign, usual, bad in (("heart_rate", 75, 130), ("systolic", 125, 75), ("consciousness", 15, 4)):
        calm.update(sign, usual)
        ill.update(sign, bad)
    assert ill.score(model, age_years=80).value > calm.score(model, age_years=80).value


@pytest.mark.parametrize(("sign", "value"), [("temperature", 5.0), ("systolic", 0.0), ("spo2", math.nan)])
def test_an_implausible_value_is_not_taken(sign: str, value: float) -> None:
    course = Course()
    assert course.update(sign, value) is Taken.OUT_OF_RANGE
    assert course.state() == Course().state()
    assert course.update("mood", 1.0) is Taken.UNKNOWN_SIGN


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(SIGNS)), st.floats()), max_size=60))
def test_going_on_from_a_stored_state_changes_nothing(observations: list[tuple[str, float]]) -> None:
    whole, stored = Course(), Course()
    for sign, value in observations:
        whole.update(sign, value)
        stored.update(sign, value)
        stored = Course(stored.state())
    assert stored.state() == whole.state()
    assert len(whole.state()) < 1_000


@pytest.mark.parametrize(
    "state", [b"\xff", msgspec.msgpack.encode([2]), msgspec.msgpack.encode([1, {"systolic": [1, 0.0, 0.0, 0.0, 0.0]}])]
)
def test_a_state_that_is_none_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        Course(state)


def _stay(index: int) -> Recording:
    drawn = np.random.default_rng(index)
    signs = np.asarray(["HR", "GCS", "Temp", "SysABP"])
    values = np.asarray([80 + 40 * (index % 2), 15 - 5 * (index % 2), 37.0, 120.0]) + drawn.normal(0, 0.5, 4)
    return Recording("icu2012", f"{index}", f"{index}", {"age": "70", "died": f"{index % 2}"},
                     {"minute": np.arange(4), "sign": signs, "value": values})  # fmt: skip


def test_the_edge_scores_as_scikit_learn_does() -> None:
    from sklearn.linear_model import LogisticRegression

    stays = [_stay(index) for index in range(40)]
    courses = [course_of(stay) for stay in stays]
    model = fit_on(stays, courses, seed=1)
    rows = np.stack([course.features(model.array("centre"), model.array("spread"), 70.0) for course in courses])
    peer = LogisticRegression(C=0.05, max_iter=2000).fit(rows, [stay.row["died"] == "1" for stay in stays])
    ours = [course.score(model, age_years=70.0).value for course in courses]
    assert np.allclose(ours, peer.predict_proba(rows)[:, 1], rtol=0, atol=1e-9)


def test_figures_of_a_ranking_by_hand() -> None:
    pairs = [(0.9, True), (0.8, False), (0.7, True), (0.1, False)]
    assert auroc(pairs) == 0.75
    assert auprc(pairs) == pytest.approx((1 + 2 / 3) / 2)
    assert auroc([(0.5, True), (0.5, False)]) == 0.5
    assert sensitivity([(1.0, True), *[(0.0, False)] * 19]) == 1.0
    assert auroc([(0.5, True)]) is None
