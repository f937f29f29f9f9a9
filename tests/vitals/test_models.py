"""Models: a table of numbers, written and read back, and trees that reach scikit-learn's own leaves."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest, RandomForestClassifier

from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.writing import forest_arrays, put_together
from kanhu.vitals.errors import ModelRefused
from kanhu.vitals.models import Model, Numbers, Trees, model_named, read_model

RANDOM = np.random.default_rng(1)
INPUTS = RANDOM.normal(size=(400, 5))
ANSWERS = (INPUTS[:, 0] * INPUTS[:, 1] + 0.3 * RANDOM.normal(size=400) > 0).astype(int)


def _recording() -> Recording:
    return Recording("nab", "one", "anna", {}, {"value": np.arange(3)})


def _model(numbers: dict[str, np.ndarray]) -> Model:
    return put_together(
        "trial", version="1", numbers=numbers, recordings=[_recording()], seed=1, limits=["Of no use to anybody."]
    )


def _forest(classifier: RandomForestClassifier) -> dict[str, np.ndarray]:
    return forest_arrays(
        (one.tree_ for one in classifier.estimators_),
        value_of=lambda tree: tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1),
    )


def test_a_forest_answers_as_scikit_learn_does() -> None:
    classifier = RandomForestClassifier(20, max_depth=6, random_state=1).fit(INPUTS, ANSWERS)
    trees = Trees(read_model(_model(_forest(classifier)).encoded()))
    ours = np.array([trees.values(row).mean() for row in INPUTS])
    assert trees.count == 20
    assert np.abs(ours - classifier.predict_proba(INPUTS)[:, 1]).max() < 1e-9


def test_leaves_of_an_isolation_forest_are_those_of_scikit_learn() -> None:
    forest = IsolationForest(n_estimators=10, max_samples=64, random_state=1).fit(INPUTS)
    numbers = forest_arrays(
        (one.tree_ for one in forest.estimators_), value_of=lambda tree: np.arange(tree.node_count, dtype=float)
    )
    trees = Trees(_model(numbers))
    theirs = np.stack([one.tree_.apply(INPUTS.astype(np.float32)) for one in forest.estimators_], axis=1)
    assert np.array_equal(np.stack([trees.values(row) for row in INPUTS]), theirs)


def test_a_model_is_read_back_as_it_was_written_and_twice_to_the_same_bytes() -> None:
    model = _model({"weights": np.array([[1.0, -0.1], [1e-9, 3.0]]), "count": np.array(7)})
    assert read_model(model.encoded()) == model
    assert read_model(model.encoded()).encoded() == model.encoded()
    assert model.number("count") == 7
    assert model.array("weights").shape == (2, 2)


def test_a_model_knows_whom_it_has_seen_and_holds_no_name() -> None:
    model = _model({"count": np.array(7)})
    assert model.has_seen("nab", "anna")
    assert not model.has_seen("sisfall", "anna")
    assert b"anna" not in model.encoded()


def test_an_array_that_is_missing_and_a_model_that_is_unknown_are_named() -> None:
    with pytest.raises(ModelRefused, match="has no 'weights'"):
        _model({"count": np.array(7)}).array("weights")
    with pytest.raises(ModelRefused, match="nobody"):
        model_named("nobody")


@pytest.mark.parametrize(
    "damage",
    [
        {"left": 0.0},  # a branch to itself: a walk without end
        {"right": 1e9},
        {"root": -1.0},
    ],
)
def test_a_damaged_tree_is_refused(damage: dict[str, float]) -> None:
    numbers = _forest(RandomForestClassifier(2, max_depth=3, random_state=1).fit(INPUTS, ANSWERS))
    for name, value in damage.items():
        numbers[name] = numbers[name].astype(float)
        numbers[name][0] = value
    with pytest.raises(ModelRefused, match="branch"):
        Trees(_model(numbers))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_refused(content: bytes) -> None:
    with pytest.raises(ModelRefused):
        read_model(content)


def test_numbers_that_do_not_fill_their_shape_or_are_none_are_refused() -> None:
    whole = msgspec.json.decode(_model({"weights": np.array([1.0, 2.0])}).encoded())
    for broken in ({"shape": [3], "values": [1, 2]}, {"shape": [-1, -2], "values": [1, 2]}):
        whole["numbers"]["weights"] = broken
        with pytest.raises(ModelRefused):
            read_model(msgspec.json.encode(whole))
    with pytest.raises(ValueError, match="no number"):
        Numbers((1,), (float("nan"),))
