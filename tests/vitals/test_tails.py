"""Thresholds from a budget: the tail asked for is the tail got, and no score breaks the state."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.vitals import StateRefused
from kanhu.vitals.calibration import ConformalTail, ParetoTail, Taken, ThresholdReason, chance_per_look


def tails() -> tuple[ConformalTail, ParetoTail]:
    return ConformalTail(keep=64), ParetoTail(level=1.5, keep=256, least=10)


def test_new_scores_exceed_the_threshold_as_often_as_asked() -> None:
    random = np.random.default_rng(3)
    new = random.standard_t(4, 200_000)
    for tail in tails():
        for score in random.standard_t(4, 3000).tolist():
            tail.update(score)
        found = tail.threshold(0.01).score
        assert found is not None
        assert 1 / 1.5 <= float((new > found).mean()) / 0.01 <= 1.5


def test_few_scores_give_no_threshold_but_a_reason() -> None:
    for tail in tails():
        for score in (1.0, 2.0, 3.0):
            tail.update(score)
        assert tail.threshold(0.01).reason is ThresholdReason.TOO_FEW


@given(st.lists(st.floats(), max_size=60), st.integers(0, 60))
def test_any_scores_leave_a_state_to_go_on_from(scores: list[float], cut: int) -> None:
    for index in (0, 1):
        whole, parted = tails()[index], tails()[index]
        for number, score in enumerate(scores):
            if number == cut:
                parted = _again(parted)
            assert whole.update(score) is parted.update(score)
        assert _again(parted).state() == whole.state()
        assert whole.threshold(0.05) == parted.threshold(0.05)


@given(st.binary(max_size=40))
def test_foreign_state_is_refused(state: bytes) -> None:
    with suppress(StateRefused):
        ConformalTail(64, state or b"\x00").update(1.0)
    with suppress(StateRefused):
        ParetoTail(1.5, 256, 10, state or b"\x00").update(1.0)


def test_not_a_number_is_not_counted() -> None:
    for tail in tails():
        before = tail.state()
        assert tail.update(float("nan")) is Taken.NOT_FINITE
        assert tail.state() == before


def test_budget_is_shared_among_looks() -> None:
    assert chance_per_look(0.01, 4) == 0.0025
    for wrong in (0.0, float("nan"), 5.0):
        with pytest.raises(ValueError, match="looks a day"):
            chance_per_look(wrong, 4)


def _again(tail: ConformalTail | ParetoTail) -> ConformalTail | ParetoTail:
    if isinstance(tail, ConformalTail):
        return ConformalTail(64, tail.state())
    return ParetoTail(1.5, 256, 10, tail.state())
