"""Falls: stages of made-up falls, frames of any length, states that go on, and samples that are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kanhu.vitals.errors import StateRefused
from kanhu.vitals.falls import FallDetector, FallEvent, FallStage, Site
from kanhu.vitals.models import model_named

_Samples = tuple[NDArray[np.int64], NDArray[np.float64]]


def _fall(*, lying_s: float, standing_s: float = 0.0, seed: int = 1) -> _Samples:
    """Standing, a short free fall, a hard impact, lying on the back; perhaps standing again."""
    parts = [
        np.tile([0.0, -1.0, 0.0], (500, 1)),
        np.tile([0.0, -0.3, 0.1], (20, 1)),
        np.asarray([[1.5, -4.0, 3.5], [1.0, -2.5, 3.0], [-0.5, 0.5, 2.0], [0.5, -0.2, 1.6], [0.2, 0.1, 0.6]]),
        np.tile([0.05, -0.1, 0.98], (int(lying_s * 50), 1)),
        np.tile([0.0, -1.0, 0.0], (int(standing_s * 50), 1)),
    ]
    rows = np.concatenate(parts)
    rows += np.random.default_rng(seed).normal(0, 0.01, rows.shape)
    return np.arange(1, len(rows) + 1, dtype=np.int64) * 20, rows


def _detector(site: Site = Site.WAIST, state: bytes = b"") -> FallDetector:
    return FallDetector(model_named(f"falls-{site}"), site, state)


def _stages(samples: _Samples) -> list[FallStage]:
    return [event.stage for event in _detector().update(*samples)]


def test_a_fall_that_nobody_answers_is_told_stage_by_stage() -> None:
    assert _stages(_fall(lying_s=3700)) == [
        FallStage.IMPACT_SUSPECTED,
        FallStage.FALL_LIKELY,
        FallStage.FALL_UNANSWERED,
        FallStage.LONG_LIE,
    ]


def test_an_answer_calls_nobody_but_lying_on_is_a_long_lie() -> None:
    times, rows = _fall(lying_s=3700)
    detector = _detector()
    detector.update(times[:1000], rows[:1000])
    detector.answered()
    stages = [event.stage for event in detector.update(times[1000:], rows[1000:])]
    assert stages == [FallStage.LONG_LIE]


def test_who_stands_up_again_is_recovered_and_the_next_fall_is_seen() -> None:
    assert _stages(_fall(lying_s=20, standing_s=40))[-1] is FallStage.RECOVERED


def test_standing_and_lying_still_alarm_nobody() -> None:
    still = np.tile([0.0, -1.0, 0.0], (5000, 1))
    assert _stages((np.arange(5000, dtype=np.int64) * 20, still)) == []


@pytest.mark.parametrize("frame", [1, 73, 100_000])
def test_frames_of_any_length_tell_the_same_and_a_stored_state_goes_on(frame: int) -> None:
    times, rows = _fall(lying_s=45)
    whole, state, told = _detector().update(times, rows), b"", list[FallEvent]()
    for first in range(0, len(times), frame):
        detector = _detector(state=state)
        told += detector.update(times[first : first + frame], rows[first : first + frame])
        state = detector.state()
    assert tuple(told) == whole


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), *[st.floats(allow_nan=True, allow_infinity=True)] * 3),
        min_size=1,
        max_size=60,
    )
)
def test_samples_that_are_none_break_nothing(samples: list[tuple[int, float, float, float]]) -> None:
    detector = _detector()
    detector.update(np.asarray([one[0] for one in samples], dtype=np.int64), np.asarray([one[1:] for one in samples]))
    _detector(state=detector.state())


@pytest.mark.parametrize("state", [b"\x00", b"\x93\x01\xa5waist\xc0", _detector(Site.WRIST).state()])
def test_a_state_of_something_else_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        _detector(state=state)


def test_a_clock_set_back_is_heard_again_after_a_second() -> None:
    times, rows = _fall(lying_s=45)
    for ahead_ms in (3_600_000, 10**12):
        detector = _detector()
        detector.update(times[:100] + ahead_ms, rows[:100])
        assert FallStage.FALL_UNANSWERED in [event.stage for event in detector.update(times, rows)]


def test_one_stamp_far_ahead_costs_a_second() -> None:
    times, rows = _fall(lying_s=45)
    times = times.copy()
    times[100] += 10**12
    assert FallStage.FALL_UNANSWERED in _stages((times, rows))


@pytest.mark.parametrize("frame", [1, 7, 73])
def test_frames_of_any_length_tell_the_same_over_gaps_and_late_samples(frame: int) -> None:
    times, rows = _fall(lying_s=45)
    times = times.copy()
    times[200:] += 5_000
    times[300:310] -= 4_000
    times[400:] -= 60_000
    whole, detector, told = _detector().update(times, rows), _detector(), list[FallEvent]()
    for first in range(0, len(times), frame):
        told += detector.update(times[first : first + frame], rows[first : first + frame])
        detector = _detector(state=detector.state())
    assert tuple(told) == whole


def test_an_impact_that_a_gap_cuts_off_is_judged_by_what_was_seen() -> None:
    times, rows = _fall(lying_s=45)
    seen = 526 + 60  # the impact, and a second of lying
    gap_ms = np.where(np.arange(len(times)) < seen, 0, 20_000)
    assert FallStage.FALL_LIKELY in _stages((times + gap_ms, rows))


def test_a_second_fall_is_told_though_nobody_saw_the_person_stand() -> None:
    _, rows = _fall(lying_s=60)
    again = np.concatenate((rows, rows[350:]))  # three seconds upright are too few to be recovered
    stages = _stages((np.arange(1, len(again) + 1, dtype=np.int64) * 20, again))
    assert stages.count(FallStage.FALL_LIKELY) == 2
