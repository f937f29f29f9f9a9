"""Heartbeats in made-up electrocardiograms: what the detector promises whatever the signal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kanhu.vitals import StateRefused
from kanhu.vitals.beats import Beat, BeatDetector, BeatQuality, BeatSettings, SignalQuality, Window

_RATE_HZ = 130.0


def _heart(at_s: list[float], seconds: float, rate_hz: float = _RATE_HZ) -> NDArray[np.float64]:
    """QRS complexes of 1000 with tall T waves, in microvolts, over noise of 10."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    signal = np.random.default_rng(1).normal(0, 10, len(time_s))
    for one in at_s:
        signal += 1000 * np.exp(-(((time_s - one) / 0.012) ** 2)) + 700 * np.exp(-(((time_s - one - 0.3) / 0.06) ** 2))
    return signal


_EVERY_0_8_S = [0.6 + 0.8 * beat for beat in range(36)]


def _heard(
    signal: NDArray[np.float64], frame: int | None = None, rate_hz: float = _RATE_HZ
) -> tuple[list[Beat], list[Window]]:
    detector = BeatDetector(BeatSettings(), rate_hz)
    frame = frame or len(signal)
    answers = [detector.update(signal[first : first + frame], first) for first in range(0, len(signal), frame)]
    answers.append(detector.close())
    return [one for answer in answers for one in answer.beats], [one for answer in answers for one in answer.windows]


@pytest.mark.parametrize("rate_hz", [100.0, 130.0, 250.0, 360.0, 500.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_beat_is_found_once_at_any_rate_and_polarity_despite_tall_t_waves(rate_hz: float, sign: int) -> None:
    signal = sign * _heart(_EVERY_0_8_S, 30, rate_hz)
    beats, _ = _heard(signal + 1500 * np.sin(np.arange(len(signal)) / rate_hz * 2), rate_hz=rate_hz)
    assert len(beats) == len(_EVERY_0_8_S)
    assert np.allclose([beat.sample / rate_hz for beat in beats], _EVERY_0_8_S, atol=0.02)
    assert beats[0].quality is BeatQuality.FIRST


def test_a_pause_of_six_seconds_holds_no_beat() -> None:
    at_s = [one for one in _EVERY_0_8_S if not 12 < one < 18]
    beats, _ = _heard(_heart(at_s, 30))
    assert len(beats) == len(at_s)


def test_p_waves_that_lead_to_no_beat_are_none() -> None:
    """As in a block: the upper chambers go on, and nothing follows."""
    at_s = [one for one in _EVERY_0_8_S if not 12 < one < 18]
    signal = _heart(at_s, 30)
    time_s = np.arange(len(signal)) / _RATE_HZ
    for one in _EVERY_0_8_S:
        signal += 250 * np.exp(-(((time_s - one + 0.17) / 0.03) ** 2))
    assert len(_heard(signal)[0]) == len(at_s)


@pytest.mark.parametrize("frame", [1, 7, 73])
def test_blocks_do_not_matter(frame: int) -> None:
    signal = _heart(_EVERY_0_8_S, 30)
    assert _heard(signal, frame) == _heard(signal)


def test_a_state_goes_on_from_anywhere_and_stays_small() -> None:
    signal = _heart(_EVERY_0_8_S, 30)
    whole = BeatDetector(BeatSettings(), _RATE_HZ)
    state = b""
    for first in range(0, len(signal), 73):
        detector = BeatDetector(BeatSettings(), _RATE_HZ, state)
        block = signal[first : first + 73]
        assert detector.update(block, first) == whole.update(block, first)
        state = detector.state()
        assert len(state) < 40_000


def test_a_gap_begins_a_new_stretch() -> None:
    signal = _heart(_EVERY_0_8_S, 30)
    detector = BeatDetector(BeatSettings(), _RATE_HZ)
    beats = [*detector.update(signal[:1300], 0).beats, *detector.update(signal[1500:], 1500).beats]
    beats += detector.close().beats
    assert [beat.quality for beat in beats].count(BeatQuality.FIRST) == 2


def test_what_came_before_is_not_counted_again() -> None:
    signal = _heart(_EVERY_0_8_S, 30)
    detector = BeatDetector(BeatSettings(), _RATE_HZ)
    detector.update(signal, 0)
    assert detector.update(signal, 0).beats == ()


def test_windows_are_named() -> None:
    length = 5 * 130
    heart = _heart(_EVERY_0_8_S, 30)
    clipped = np.clip(2000 * np.sin(np.arange(length) / 20), -900, 900)
    noise = np.random.default_rng(2).normal(0, 300, length)
    for samples, quality in (
        (heart[:length], SignalQuality.USABLE),
        (np.zeros(length), SignalQuality.FLAT),
        (np.full(length, np.nan), SignalQuality.LOST),
        (clipped, SignalQuality.CLIPPED),
        (noise, SignalQuality.NOISY),
    ):
        assert [window.quality for window in _heard(samples)[1]] == [quality]


@pytest.mark.parametrize("state", [b"", b"\x00", b"\x93\x01\x02\x03"])
def test_a_state_of_something_else_is_refused(state: bytes) -> None:
    other = BeatDetector(BeatSettings(), 250.0).state()
    with pytest.raises(StateRefused):
        BeatDetector(BeatSettings(), _RATE_HZ, state or other)


@given(
    st.lists(
        st.tuples(
            st.integers(-50, 600),
            st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200),
        ),
        max_size=6,
    )
)
def test_absurd_samples_leave_a_state_that_can_be_read(blocks: list[tuple[int, list[float]]]) -> None:
    detector = BeatDetector(BeatSettings(), _RATE_HZ)
    at = 0
    for step, samples in blocks:
        at = max(at + step, 0)
        detector.update(samples, at)
        detector = BeatDetector(BeatSettings(), _RATE_HZ, detector.state())
    detector.close()


@pytest.mark.parametrize("signal", [np.full(5000, np.nan), np.full(5000, 3.0), np.full(5000, 1e300)])
def test_a_signal_without_a_heart_has_no_beats(signal: NDArray[np.float64]) -> None:
    assert _heard(signal)[0] == []
