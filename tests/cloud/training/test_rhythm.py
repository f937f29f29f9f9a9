"""The rhythm model: the edge scores what scikit-learn fitted, and fits nothing that it cannot."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.rhythm import BOOSTING, STRIPS, beats_of, fit_recordings, gathered
from kanhu.vitals.rhythm.detector import RhythmDetector
from kanhu.vitals.rhythm.scoring import inputs_of
from kanhu.vitals.rhythm.strip import STRIP_FEATURES, RhythmStrip

RANDOM = np.random.default_rng(1)


def _strip(name: str, label: str) -> Recording:
    low, high = (400, 1100) if label == "A" else (780, 830)
    beats = RANDOM.integers(low, high, 40).astype(np.uint16)
    return Recording(STRIPS, name, name, {"record": name, "label": label}, {"rr_ms": beats})


STRIPS_OF_MANY = [_strip(f"s{number}", "A" if number % 3 == 0 else "N") for number in range(60)]


def test_the_edge_scores_as_scikit_learn_does() -> None:
    rows = gathered(STRIPS_OF_MANY)
    model = fit_recordings(STRIPS_OF_MANY, rows, 1)
    inputs, marks, _ = (np.concatenate(parts) for parts in zip(*(both[1] for both in rows.values()), strict=True))
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    line = LogisticRegression(C=0.1, max_iter=1000, tol=1e-3).fit((inputs - centre) / scale, marks)
    trees = HistGradientBoostingClassifier(random_state=1, **BOOSTING).fit(inputs[:, : len(STRIP_FEATURES)], marks)
    theirs = line.decision_function((inputs - centre) / scale)
    theirs = (theirs + trees.decision_function(inputs[:, : len(STRIP_FEATURES)])) / 2
    assert len(set(theirs.tolist())) > 20
    for strip, odds in zip(STRIPS_OF_MANY, theirs.tolist(), strict=True):
        heard = RhythmStrip(model).judge(strip.arrays["rr_ms"].tolist())
        assert heard.log_odds == pytest.approx(odds, abs=1e-9)
    RhythmDetector(model)


def test_the_same_training_gives_the_same_bytes() -> None:
    once, again = (fit_recordings(STRIPS_OF_MANY, gathered(STRIPS_OF_MANY), 1).encoded() for _ in range(2))
    assert once == again


def test_people_of_one_kind_cannot_be_fitted() -> None:
    regular = [one for one in STRIPS_OF_MANY if one.row["label"] == "N"]
    with pytest.raises(RecordingsRefused, match="both are needed"):
        fit_recordings(regular, gathered(regular), 1)


def test_every_feature_goes_in_as_it_is_and_by_ratio() -> None:
    assert inputs_of([0.0, 0.99]) == pytest.approx([0.0, 0.99, np.log(0.01), 0.0])


def test_beats_of_a_set_are_in_milliseconds() -> None:
    samples = Recording(
        "mitdb_beats", "1", "1", {}, {"sample360": np.array([0, 360, 540]), "rhythm": np.array([0, 1, 2])}
    )
    intervals, marks = beats_of(samples)
    assert intervals.tolist() == pytest.approx([1000, 500])
    assert marks.tolist() == [1, 2]
