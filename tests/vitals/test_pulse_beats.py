"""Pulse waves in made-up snippets of light."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kanhu.vitals.beats import pulse_beats


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 130.0])
@pytest.mark.parametrize("beat_s", [0.5, 0.8, 1.2])
def test_every_wave_is_found_once_despite_its_second_hump_and_wander(rate_hz: float, beat_s: float) -> None:
    time_s = np.arange(round(20 * rate_hz)) / rate_hz
    at_s = np.arange(1, 19, beat_s)
    light = 0.8 * np.sin(time_s)
    for one in at_s:
        light += np.exp(-(((time_s - one) / 0.09) ** 2)) + 0.3 * np.exp(-(((time_s - one - 0.28) / 0.08) ** 2))
    found_s = np.asarray(pulse_beats(light, rate_hz)) / rate_hz
    assert len(found_s) == len(at_s)
    assert np.allclose(found_s, at_s, atol=0.06)


@pytest.mark.parametrize(
    "light", [np.zeros(500), np.full(500, np.nan), np.arange(10.0), np.empty(0), np.geomspace(1, 1e308, 500)]
)
def test_a_snippet_that_says_nothing_has_no_waves(light: NDArray[np.float64]) -> None:
    assert pulse_beats(light, 50) == ()
