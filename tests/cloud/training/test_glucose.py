"""The glucose forecast: as scikit-learn answers, within its budget, and lows counted as the docs say."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.glucose import BUDGET_PER_DAY, SET, fit, fit_recordings
from kanhu.cloud.training.glucose_lows import count_lows, false_per_day, warned_share
from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.writing import boosted_arrays, put_together
from kanhu.vitals.glucose.forecast import Forecast
from kanhu.vitals.models import Trees, model_named, read_model

RANDOM = np.random.default_rng(3)
INPUTS = RANDOM.normal(size=(600, 6))


def _person(name: str) -> Recording:
    """Four days, with a dip below 70 twice a day, deeper or not."""
    hours = np.arange(0, 96, 0.25)
    dips = sum(np.exp(-(((hours - at) % 24 - 2) ** 2) / 0.8) * RANDOM.uniform(30, 62) for at in (1, 13))
    values = np.clip(118 - dips + 12 * np.sin(hours / 5) + RANDOM.normal(0, 2, len(hours)), 40, 400)
    arrays: dict[str, np.ndarray] = {
        "unix_min": 27_000_000 + np.arange(len(hours)) * 15,
        "cgm_dmgdl": np.round(values * 10).astype(np.uint16),
        "cbg_dmgdl": np.zeros(len(hours), dtype=np.uint16),
    }
    return Recording(SET, name, name, {}, arrays)


def _trees(arrays: dict[str, np.ndarray], prefix: str) -> Trees:
    model = put_together("trial", version="1", numbers=arrays, recordings=[_person("p")], seed=1, limits=["None."])
    return Trees(read_model(model.encoded()), prefix, inputs="float64")


def test_boosted_trees_answer_as_scikit_learn_does() -> None:
    change = HistGradientBoostingRegressor(max_iter=30, random_state=1).fit(INPUTS, INPUTS[:, 0] * INPUTS[:, 1])
    arrays = boosted_arrays(change, "change_")
    trees = _trees(arrays, "change_")
    ours = [trees.values(row).sum() + arrays["change_base"][0] for row in INPUTS]
    assert np.abs(np.asarray(ours) - change.predict(INPUTS)).max() < 1e-9


def test_boosted_classes_answer_as_scikit_learn_does() -> None:
    low = HistGradientBoostingClassifier(max_iter=30, random_state=1).fit(INPUTS, INPUTS[:, 0] * INPUTS[:, 1] > 0)
    arrays = boosted_arrays(low, "low_")
    trees = _trees(arrays, "low_")
    ours = [trees.values(row).sum() + arrays["low_base"][0] for row in INPUTS]
    assert np.abs(np.asarray(ours) - low.decision_function(INPUTS)).max() < 1e-9


def test_a_fit_is_repeated_to_the_byte_and_its_limit_keeps_to_the_budget() -> None:
    said: list[str] = []
    people = [_person(f"p{index}") for index in range(10)]
    model = fit_recordings(people, 1, said.append)
    assert model.encoded() == fit_recordings(people, 1, said.append).encoded()
    assert model.has_seen(SET, "p3")
    assert not model.has_seen(SET, "p99")
    assert Forecast(read_model(model.encoded())).warn_at == model.number("warn_at")
    assert model.number("budget_per_day") == BUDGET_PER_DAY


def test_a_folder_without_the_set_is_refused() -> None:
    with pytest.raises(RecordingsRefused, match=SET):
        fit({}, 1, print)


def test_people_without_a_low_teach_none() -> None:
    flat = _person("flat")
    flat.arrays["cgm_dmgdl"][:] = 1200
    with pytest.raises(RecordingsRefused, match="no low"):
        fit_recordings([flat, flat], 1, print)


def test_the_shipped_model_says_what_it_cannot_tell_and_is_small() -> None:
    shipped = model_named("glucose")
    assert len(shipped.limits) >= 4
    assert len(shipped.encoded()) < 300_000


MINUTES = np.arange(0, 300, 15.0)


def _low_at(*minutes: float) -> np.ndarray:
    return np.where(np.isin(MINUTES, minutes), 66.0, 100.0)


def test_a_warning_counts_in_the_hour_before_a_low_and_not_at_it() -> None:
    values = _low_at(150, 165)
    assert [warned_share([count_lows(MINUTES, values, [at])]) for at in (75, 90, 135, 150)] == [0, 1, 1, 0]
    assert count_lows(MINUTES, values, [90, 135]).leads_min == (60,)


def test_a_dip_within_half_an_hour_is_the_same_low() -> None:
    assert count_lows(MINUTES, _low_at(150, 180), ()).onsets_min == (150,)
    assert count_lows(MINUTES, _low_at(150, 195), ()).onsets_min == (150, 195)


def test_a_low_that_begins_with_the_recording_cannot_be_warned_of_and_is_left_out() -> None:
    assert count_lows(MINUTES, _low_at(45, 240), ()).onsets_min == (240,)


def test_a_warning_is_false_where_no_low_follows_within_the_hour_and_the_hour_was_recorded() -> None:
    values = _low_at(150)
    assert [count_lows(MINUTES, values, [at]).false for at in (75, 90, 150, 225, 270)] == [1, 0, 1, 1, 0]
    assert false_per_day([count_lows(MINUTES, values, [75])]) == pytest.approx(1440 / 285)


def test_a_low_of_one_value_does_not_last() -> None:
    assert count_lows(MINUTES, _low_at(150), [135]).lasting == 0
    assert count_lows(MINUTES, _low_at(150, 165), [135]).lasting_warned == 1


def test_silence_is_not_time_watched() -> None:
    assert count_lows(np.array([0.0, 15, 600, 615]), np.full(4, 100.0), ()).days == pytest.approx(30 / 1440)
