"""Beats found are held against beats marked, one to one, and marks that are no beats are left out."""

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording
from kanhu.harness.score.beats import compared, reference_beats


def test_a_beat_found_twice_is_false_once_and_a_far_one_is_missed_and_false() -> None:
    marked = np.asarray([1000.0, 2000.0, 3000.0])
    outcome = compared(np.asarray([1000.0, 1020.0, 2054.0, 3055.0]), marked, 360.0)
    assert (outcome.marked, outcome.missed, outcome.false) == (3, 1, 2)
    assert outcome.apart_ms.tolist() == [0.0, 150.0]


def test_marks_of_rhythm_and_noise_are_no_beats() -> None:
    arrays: dict[str, NDArray[np.generic]] = {
        "beat": np.frombuffer(b"N+V~/", dtype=np.uint8),
        "sample360": np.asarray([1, 2, 3, 4, 5], dtype=np.int32),
    }
    record = Recording("mitdb_beats", "1", "1", {}, arrays)
    assert reference_beats(record).tolist() == [1.0, 3.0, 5.0]
