"""Episodes of irregular pulse, told from the beats of real hearts."""

import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.vitals.errors import ModelRefused, StateRefused
from kanhu.vitals.models import model_named
from kanhu.vitals.rhythm.detector import Episode, Heard, Rhythm, RhythmDetector, Windows
from kanhu.vitals.rhythm.features import FEATURES, LEAST_BEATS, window_features
from kanhu.vitals.rhythm.smoothing import forwards, smoothed
from kanhu.vitals.rhythm.strip import RhythmStrip, Strip
from tests.vitals.story import intervals

FIBRILLATION = intervals("afdb_06995_fibrillation")
REGULAR = intervals("afdb_06995_regular")
MODEL = model_named("rhythm")
MAX_STATE_BYTES = 4096


def _heard(beats: Sequence[float], detector: RhythmDetector | None = None) -> list[Heard]:
    """Every answer, with the last one of the end."""
    detector = RhythmDetector(MODEL) if detector is None else detector
    at_ms, answers = 0, []
    for rr_ms in beats:
        at_ms += int(rr_ms)
        answers.append(detector.update(rr_ms, at_ms))
    return [*answers, detector.finish()]


def _episodes(answers: Sequence[Heard]) -> list[Episode]:
    return [episode for answer in answers for episode in answer.episodes]


def test_an_episode_is_told_with_its_begin_and_then_with_its_end() -> None:
    beats = [*REGULAR[:300], *FIBRILLATION[:300], *REGULAR[300:600]]
    began, ended = _episodes(_heard(beats))
    assert began.until_ms is None
    assert ended.since_ms == began.since_ms
    assert ended.until_ms is not None
    margin_ms = 20_000  # about two blocks and a half
    assert abs(began.since_ms - sum(REGULAR[:300])) < margin_ms
    assert abs(ended.until_ms - sum(beats[:600])) < margin_ms


def test_an_episode_is_told_within_three_minutes() -> None:
    answers = _heard([*REGULAR[:300], *FIBRILLATION[:400]])
    place = [answer.reason for answer in answers].index(Rhythm.BEGAN)
    assert place - 300 < 250


@pytest.mark.parametrize("record", ["mitdb_106_extra_beats", "mitdb_119_extra_beats"])
def test_sinus_rhythm_with_a_quarter_of_extra_beats_is_no_episode(record: str) -> None:
    assert _episodes(_heard(intervals(record))) == []


@pytest.mark.parametrize(
    "beats",
    [[800] * 600, [500, 1100] * 300, [800, 800, 500, 1100] * 150, [700, 450, 950] * 200, REGULAR],
    ids=["steady", "bigeminy", "every fourth early", "trigeminy", "a real regular pulse"],
)
def test_order_is_no_episode(beats: Sequence[int]) -> None:
    assert _episodes(_heard(beats)) == []


def test_state_taken_anywhere_and_gone_on_from_changes_nothing() -> None:
    beats = [*REGULAR[:150], *FIBRILLATION[:250], *REGULAR[150:350]]
    whole = _heard(beats)
    detector, at_ms, answers = RhythmDetector(MODEL), 0, []
    for rr_ms in beats:
        at_ms += rr_ms
        detector = RhythmDetector(MODEL, detector.state())
        answers.append(detector.update(rr_ms, at_ms))
        assert len(detector.state()) < MAX_STATE_BYTES
    assert [*answers, detector.finish()] == whole


def test_a_hole_ends_what_runs_and_begins_anew() -> None:
    detector, at_ms = RhythmDetector(MODEL), 0
    for rr_ms in FIBRILLATION[:400]:
        at_ms += rr_ms
        detector.update(rr_ms, at_ms)
    last_ms = at_ms
    after = detector.update(800, at_ms + 60_000)
    assert after.reason is Rhythm.ENDED
    assert after.episodes[-1].until_ms == last_ms
    assert detector.update(800, at_ms + 60_800).reason is Rhythm.COLLECTING


def test_beats_twice_and_time_going_back_do_not_count() -> None:
    detector = RhythmDetector(MODEL)
    detector.update(800, 10_000)
    before = detector.state()
    assert detector.update(800, 10_000).reason is Rhythm.OUT_OF_ORDER
    assert detector.update(800, 9_000).reason is Rhythm.OUT_OF_ORDER
    assert detector.update(float("nan"), 11_000).reason is Rhythm.NO_INTERVAL
    assert detector.update(-5, 11_000).reason is Rhythm.NO_INTERVAL
    assert detector.state() == before


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(), st.sampled_from([0.0, -1.0, 1e308, 800.0])),
            st.integers(min_value=-(2**62), max_value=2**62),
        ),
        max_size=60,
    )
)
def test_absurd_beats_among_steady_ones_raise_nothing_and_leave_a_state(absurd: list[tuple[float, int]]) -> None:
    detector = RhythmDetector(MODEL)
    told: list[Episode] = []
    for index, (rr_ms, at_ms) in enumerate(absurd):
        told += detector.update(rr_ms, at_ms).episodes
        for beat in range(3):
            told += detector.update(800.0, index * 2400 + beat * 800).episodes
        detector = RhythmDetector(MODEL, detector.state())
    assert [*told, *detector.finish().episodes] == []


@given(st.binary(max_size=60))
def test_any_bytes_are_a_state_or_are_refused(state: bytes) -> None:
    try:
        detector = RhythmDetector(MODEL, state)
    except StateRefused:
        return
    detector.update(800, 800)


def test_a_state_of_another_version_is_refused() -> None:
    fields = msgspec.msgpack.decode(RhythmDetector(MODEL).state())
    with pytest.raises(StateRefused, match="version 99"):
        RhythmDetector(MODEL, msgspec.msgpack.encode([99, *fields[1:]]))


def test_a_model_of_something_else_is_refused() -> None:
    with pytest.raises(ModelRefused):
        RhythmDetector(msgspec.structs.replace(MODEL, numbers={}))


def test_windows_stay_inside_the_beats() -> None:
    windows = Windows(MODEL)
    for size in (LEAST_BEATS, 40, 64):
        for centre in range(4, size, 8):
            assert len(windows.features(FIBRILLATION[:size], centre=centre)) == len(windows) * len(FEATURES)


@given(st.lists(st.integers(min_value=1, max_value=5000), min_size=LEAST_BEATS, max_size=80))
def test_features_are_numbers_whatever_the_beats(beats: list[int]) -> None:
    features = window_features(beats)
    assert len(features) == len(FEATURES)
    assert all(abs(feature) < 100 for feature in features)


def test_features_do_not_depend_on_the_rate_but_for_words() -> None:
    slow = window_features([2 * beat for beat in FIBRILLATION[:64]])
    assert window_features(FIBRILLATION[:64])[:-2] == pytest.approx(slow[:-2])


def test_look_ahead_outweighs_a_single_piece_of_evidence_and_not_a_change() -> None:
    odds = forwards(forwards(None, -3.0, switching=0.001), 2.0, switching=0.001)
    assert smoothed(odds, [-3.0] * 4, switching=0.001) < 0
    assert smoothed(odds, [3.0] * 16, switching=0.001) > 0


def test_a_strip_is_told_apart() -> None:
    strip = RhythmStrip(MODEL)
    assert strip.judge(FIBRILLATION[:45]).reason is Strip.IRREGULAR
    assert strip.judge(REGULAR[:45]).reason is Strip.REGULAR
    assert strip.judge([500, 1100] * 20).reason is Strip.REGULAR
    assert strip.judge([float("nan"), 0, -1, *REGULAR[:5]]).reason is Strip.TOO_SHORT


def test_disorder_made_by_hand_is_an_episode() -> None:
    drawn = random.Random(1)
    assert _episodes(_heard([drawn.randint(400, 1100) for _ in range(300)])) != []
