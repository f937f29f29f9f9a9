"""One source of impacts for detector and training: blocks of any size, and gaps, give the same windows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kanhu.vitals.falls import Candidates, FallDetector, FallStage, Impacts, Resampler, Site, features_of
from kanhu.vitals.models import model_named

_Samples = tuple[NDArray[np.int64], NDArray[np.float64]]


def _cut_off() -> _Samples:
    """Standing, an impact, half a second of lying, and then a gap."""
    rows = np.tile([0.0, -1.0, 0.0], (300, 1))
    rows[200:203] = [1.5, -4.0, 3.5]
    rows[203:] = [0.0, 0.0, 1.0]
    times = np.arange(1, 301, dtype=np.int64) * 20
    times[228:] += 5_000
    return times, rows


def _windows(samples: _Samples, size: int) -> list[NDArray[np.float64]]:
    impacts, (times, rows) = Impacts(Site.WAIST), samples
    return [
        one.window_g
        for first in range(0, len(times), size)
        for heard in impacts.update(times[first : first + size], rows[first : first + size])
        for one in heard.ripe
    ]


@pytest.mark.parametrize("size", [1, 7, 73])
def test_blocks_of_any_size_give_the_same_windows(size: int) -> None:
    whole, parts = _windows(_cut_off(), 300), _windows(_cut_off(), size)
    assert len(whole) == 1
    np.testing.assert_array_equal(np.asarray(parts), np.asarray(whole))


def test_what_the_detector_suspects_before_a_gap_is_a_window_to_train_on() -> None:
    stages = [event.stage for event in FallDetector(model_named("falls-waist"), Site.WAIST).update(*_cut_off())]
    assert stages.count(FallStage.IMPACT_SUSPECTED) == len(_windows(_cut_off(), 300)) == 1


def test_a_walk_of_its_own_that_starts_anew_at_a_gap_would_lose_it() -> None:
    found = [one for _, run in Resampler().update(*_cut_off()) for one in Candidates(Site.WAIST).update(run)[1]]
    assert not found


def test_still_samples_have_numbers_that_are_numbers() -> None:
    for window_g in (np.zeros((226, 3)), np.tile([0.0, -1.0, 0.0], (176, 1))):
        assert np.isfinite(features_of(window_g)).all()
