"""Fit the glucose forecast: boosted trees for the change in 30 minutes; trees and a logistic line for lows.

The features are those of the detector itself, which is run over every recording. The score from which a low is warned
of follows from a budget of false warnings, met by people who were not fitted on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.glucose_lows import AHEAD_MIN, LOW_MG_DL, count_lows, false_per_day
from kanhu.cloud.training.recordings import Recording, load_set
from kanhu.cloud.training.writing import boosted_arrays, in_the_making, put_together
from kanhu.vitals.glucose import FEATURES, GlucoseDetector, GlucoseSettings, LowStage, LowWatch
from kanhu.vitals.glucose.forecast import FORECAST_MIN, Forecast
from kanhu.vitals.glucose.history import LAGS
from kanhu.vitals.models import Model

__all__ = [
    "BUDGET_PER_DAY", "SET", "Rows", "fit", "fit_change", "fit_low", "fit_recordings",
    "low_scores", "moments", "rows_of",
]  # fmt: skip

Numbered = dict[str, NDArray[np.generic]]

SET = "shanghai_cgm"
BUDGET_PER_DAY = 0.5
"""False warnings of a low that a person is asked to bear in a day."""
_NEVER = 1e9
_FAR_MG_DL = 180.0  # nobody falls from there below 70 within the hour, but for 1 in 2,000 lows
_SPAN_MG_DL = (30.0, 500.0)
_PARTS = 5
_SEARCHED = (0.85, 0.999, 100)  # shares of the scores below the limit, from, to and how many
_BOOSTING: Final[dict[str, Any]] = {
    "min_samples_leaf": 60, "l2_regularization": 20.0, "max_features": 0.5, "early_stopping": False,
}  # fmt: skip  # the shape of both; with `max_iter` times `max_leaf_nodes` what a table of 300 kB holds
_NEXT_MIN = 15
_LIMITS = (
    "Fitted on people with diabetes in one hospital in Shanghai, at most two weeks each; nobody without diabetes.",
    "Values every 15 minutes; a sensor of another pace is interpolated, and none was tried.",
    "Knows nothing of meals, insulin, tablets or exercise: what these do is seen when glucose moves.",
    "A low that begins between two values of a calm quarter of an hour is not warned of.",
    "Sensor values are not blood: a low is checked by a finger-stick where symptoms and sensor disagree.",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Every value of some recordings at which a forecast was made, as the detector saw it."""

    features: NDArray[np.float64]
    change_mg_dl: NDArray[np.float64]
    """To the value 30 min later; NaN where there is none."""
    low_next: NDArray[np.bool_]
    """A low value within 15 min."""
    low_soon: NDArray[np.bool_]
    """A low value within the hour."""
    recording: NDArray[np.intp]
    position: NDArray[np.intp]
    """Which value of that recording."""


def moments(recording: Recording) -> tuple[list[datetime], NDArray[np.float64], NDArray[np.float64]]:
    """Local times, the same as minutes, and glucose in mg/dL."""
    minutes = recording.arrays["unix_min"].astype(np.float64)
    first = datetime(1970, 1, 1, tzinfo=UTC)
    times = [first + timedelta(minutes=int(minute)) for minute in minutes]
    return times, minutes, recording.arrays["cgm_dmgdl"].astype(np.float64) / 10


def rows_of(recordings: Sequence[Recording]) -> Rows:
    """Run the detector over every recording, value by value, and keep what its forecasts are made from."""
    model = in_the_making("glucose", _nothing())
    features: list[NDArray[np.float64]] = []
    change: list[float] = []
    next_low: list[bool] = []
    soon_low: list[bool] = []
    where: list[tuple[int, int]] = []
    for number, recording in enumerate(recordings):
        times, minutes, values = moments(recording)
        detector = GlucoseDetector(model)
        low_min = np.append(minutes[values < LOW_MG_DL], np.inf)
        until_low = low_min[np.searchsorted(low_min, minutes, side="right").clip(max=len(low_min) - 1)] - minutes
        later = np.searchsorted(minutes, minutes + FORECAST_MIN).clip(max=len(minutes) - 1)
        target = np.where(minutes[later] - minutes == FORECAST_MIN, values[later] - values, np.nan)
        for position, (at, value) in enumerate(zip(times, values.tolist(), strict=True)):
            detector.update(value, at)
            if detector.features is None:
                continue
            features.append(detector.features)
            change.append(float(target[position]))
            next_low.append(bool(until_low[position] <= _NEXT_MIN))
            soon_low.append(bool(until_low[position] <= AHEAD_MIN))
            where.append((number, position))
    if not where:
        raise RecordingsRefused(SET, "holds no value that a forecast could be made from")
    numbers, positions = np.asarray(where, dtype=np.intp).T
    return Rows(
        np.asarray(features), np.asarray(change), np.asarray(next_low), np.asarray(soon_low), numbers, positions
    )


def fit_change(rows: Rows, chosen: NDArray[np.bool_], seed: int) -> Numbered:
    """The numbers of the change in 30 min, from some of the rows; beside them a plain line to compare with."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  # slow to import, and needed here alone
    from sklearn.linear_model import Ridge  # noqa: PLC0415

    known = chosen & np.isfinite(rows.change_mg_dl)
    if not known.any():
        raise RecordingsRefused(SET, "holds no value 30 minutes after another")
    inputs, change_mg_dl = rows.features[known], rows.change_mg_dl[known]
    change = HistGradientBoostingRegressor(
        max_iter=160, learning_rate=0.06, max_leaf_nodes=14, random_state=seed, **_BOOSTING
    ).fit(inputs, change_mg_dl)
    line = Ridge(alpha=1.0).fit(inputs[:, :LAGS], change_mg_dl)
    beside = {"ridge_weight": line.coef_, "ridge_base": np.asarray([line.intercept_])}
    return {**boosted_arrays(change, "change_"), **beside, "span_mg_dl": np.asarray(_SPAN_MG_DL)}


def fit_low(rows: Rows, chosen: NDArray[np.bool_], seed: int) -> Numbered:
    """The numbers of the score of a low, from some of the rows, without the limit of warnings."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    near = chosen & (rows.features[:, 0] >= LOW_MG_DL) & (rows.features[:, 0] < _FAR_MG_DL)
    # What decides is the last value before a low, against those that no low follows; between them a warning is welcome.
    near &= rows.low_next | ~rows.low_soon
    inputs, is_low = rows.features[near], rows.low_next[near]
    if is_low.all() or not is_low.any():
        raise RecordingsRefused(SET, "holds no low to learn from")
    low = HistGradientBoostingClassifier(
        max_iter=130, learning_rate=0.05, max_leaf_nodes=8, random_state=seed, **_BOOSTING
    ).fit(inputs, is_low)
    scaler = StandardScaler().fit(inputs)
    line = LogisticRegression(C=0.05, max_iter=1000).fit(scaler.transform(inputs), is_low)
    return {
        **boosted_arrays(low, "low_"),
        "line_centre": scaler.mean_,
        "line_scale": scaler.scale_,
        "line_weight": line.coef_[0],
        "line_base": line.intercept_,
        "far_mg_dl": np.asarray([_FAR_MG_DL]),
    }


def low_scores(rows: Rows, chosen: NDArray[np.bool_], numbers: Numbered) -> NDArray[np.float64]:
    """The score of each chosen row, by the detector's own code; `numbers` are those of `fit_low`."""
    forecast = Forecast(in_the_making("glucose", {**_nothing(), **numbers}))
    return np.asarray([forecast.low_score(row) for row in rows.features[chosen]])


def fit(sets: Mapping[str, Path], seed: int, say: Callable[[str], None]) -> Model:
    """Fit on everybody of the set.

    Raises:
        RecordingsRefused: the set is not there, or holds nothing to learn from.
    """
    if SET not in sets:
        raise RecordingsRefused("kanhu-cloud train glucose", f"{SET} is not in the folder; name one that holds it")
    recordings = load_set(SET, sets[SET])
    return fit_recordings(recordings, seed, say)


def fit_recordings(recordings: Sequence[Recording], seed: int, say: Callable[[str], None]) -> Model:
    """Fit on these recordings: five fits without a fifth of the people set the limit, the sixth is shipped."""
    rows = rows_of(recordings)
    say(f"{len(rows.position)} forecasts of {len(recordings)} recordings")
    everybody = np.ones(len(rows.position), dtype=bool)
    numbers = {**fit_change(rows, everybody, seed), **fit_low(rows, everybody, seed)}
    numbers["warn_at"] = np.asarray([_limit(recordings, rows, seed, say)])
    numbers["budget_per_day"] = np.asarray([BUDGET_PER_DAY])
    return put_together("glucose", version="1", numbers=numbers, recordings=recordings, seed=seed, limits=_LIMITS)


def _limit(recordings: Sequence[Recording], rows: Rows, seed: int, say: Callable[[str], None]) -> float:
    """The lowest score whose warnings keep to the budget on people who were not fitted on."""
    people = np.asarray([recording.subject for recording in recordings])
    order = np.random.default_rng(seed).permutation(np.unique(people))
    scores = np.full(len(rows.position), -np.inf)
    for start in range(min(_PARTS, len(order))):
        held = np.isin(people[rows.recording], order[start::_PARTS])
        if held.all():
            continue
        scores[held] = low_scores(rows, held, fit_low(rows, ~held, seed))
        say(f"part {start + 1} of {_PARTS}")
    candidates = np.unique(np.quantile(scores[np.isfinite(scores)], np.linspace(*_SEARCHED)))
    kept = [limit for limit in candidates if (_false(recordings, rows, scores, limit) or 0.0) <= BUDGET_PER_DAY]
    return float(kept[0] if kept else candidates[-1])


def _false(recordings: Sequence[Recording], rows: Rows, scores: NDArray[np.float64], limit: float) -> float | None:
    counted = []
    settings = GlucoseSettings()
    for number, recording in enumerate(recordings):
        _, minutes, values = moments(recording)
        of_this = rows.recording == number
        score_at = dict(zip(rows.position[of_this].tolist(), scores[of_this].tolist(), strict=True))
        watch, warned = LowWatch(), []
        for position, (minute, value) in enumerate(zip(minutes.tolist(), values.tolist(), strict=True)):
            score = score_at.get(position)
            if watch.update(value, minute, score=score, warn_at=limit, settings=settings) is LowStage.AHEAD:
                warned.append(minute)
        counted.append(count_lows(minutes, values, warned))
    return false_per_day(counted)


def _nothing() -> Numbered:
    """The numbers of no change and no low: enough to run the detector for its features."""
    leaf = {"feature": -1.0, "threshold": 0.0, "left": 0.0, "right": 0.0, "value": 0.0, "root": 0.0, "base": 0.0}
    trees = {f"{prefix}{key}": np.asarray([one]) for prefix in ("change_", "low_") for key, one in leaf.items()}
    line = {"line_centre": np.zeros(len(FEATURES)), "line_scale": np.ones(len(FEATURES))}
    weights = {"line_weight": np.zeros(len(FEATURES)), "line_base": np.zeros(1)}
    span = {"span_mg_dl": np.asarray(_SPAN_MG_DL), "far_mg_dl": np.zeros(1), "warn_at": np.asarray([_NEVER])}
    return {**trees, **line, **weights, **span}
