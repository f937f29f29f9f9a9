"""`./run score glucose`: the forecast 30 minutes ahead and the warnings of lows, value by value as on a Pi."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.glucose import SET, fit_recordings, moments
from kanhu.cloud.training.glucose_lows import LOW_MG_DL, LowsCounted, count_lows, false_per_day, warned_share
from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.glucose_plot import draw
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.harness.score.unseen import each_unseen
from kanhu.vitals.glucose import GlucoseAnswer, GlucoseDetector, GlucoseReason, GlucoseSettings, LowStage, LowWatch
from kanhu.vitals.glucose.forecast import FORECAST_MIN
from kanhu.vitals.glucose.history import LAGS
from kanhu.vitals.models import Model, model_named

__all__ = ["Scored", "main", "score_recording", "warnings_at"]

_WANTED = 0.95
_US_PER_S = 1e6
_SEARCHED = 80  # limits between which the rate at 95 % is read


@dataclass(frozen=True, slots=True)
class Scored:
    """One recording, answered value by value."""

    subject: str
    minutes: NDArray[np.float64]
    values_mg_dl: NDArray[np.float64]
    forecast_mg_dl: NDArray[np.float64]
    """Made at each value, for 30 min later; NaN where none was made."""
    squares: Mapping[str, float]
    """Squared errors added up, ours and of the plain ways beside, over the same forecasts."""
    forecasts: int
    """That have a value exactly 30 min later."""
    over_limit: NDArray[np.float64]
    """Score of a low less the model's limit; minus infinity where there is none."""
    counted: LowsCounted
    plain: LowsCounted
    """The same for the straight line through the last two values, warned of where it is below 70 in 15 min."""
    told_by_onset: int
    warned_min: tuple[float, ...]
    us_per_sample: float
    state_bytes: int


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    about = "Glucose 30 minutes ahead, and warnings of lows before they begin."
    return conduct("glucose", _measure, arguments, about=about, known=(SET,))


def score_recording(recording: Recording, model: Model) -> Scored:
    """Run the detector over one recording."""
    times, minutes, values = moments(recording)
    detector, warn_at = GlucoseDetector(model), model.number("warn_at")
    answers: list[GlucoseAnswer] = []
    rows: list[NDArray[np.float64] | None] = []
    began = perf_counter()
    for at, value in zip(times, values.tolist(), strict=True):
        answers.append(detector.update(value, at))
        rows.append(detector.features)
    took_s = perf_counter() - began
    forecast = np.asarray([np.nan if one.forecast_mg_dl is None else one.forecast_mg_dl for one in answers])
    scores = np.asarray([-np.inf if one.low_score is None else one.low_score for one in answers])
    warned = tuple(_when(minutes, answers, GlucoseReason.LOW_AHEAD))
    said = {*_when(minutes, answers, GlucoseReason.LOW), *_when(minutes, answers, GlucoseReason.LOW_PRESSED)}
    counted = count_lows(minutes, values, warned)
    ahead = count_lows(minutes, values, ())
    told = sum(onset in said or _is_warned(onset, warned) for onset in ahead.onsets_min)
    squares, forecasts = _squares(minutes, values, forecast, rows=rows, model=model)
    return Scored(
        subject=recording.subject,
        minutes=minutes,
        values_mg_dl=values,
        forecast_mg_dl=forecast,
        squares=squares,
        forecasts=forecasts,
        over_limit=scores - warn_at,
        counted=counted,
        plain=count_lows(minutes, values, warnings_at(minutes, values, _straight(rows), -LOW_MG_DL)),
        told_by_onset=told,
        warned_min=warned,
        us_per_sample=took_s / max(len(values), 1) * _US_PER_S,
        state_bytes=len(detector.state()),
    )


def _measure(run: Run) -> Measured:
    sets = find_sets(run.data)
    if SET not in sets:
        raise RecordingsRefused(str(run.data), f"holds no {SET}; name the folder that does")
    recordings = load_set(SET, sets[SET])
    if run.peers:
        run.say("no library of the field is asked for glucose; the plain ways beside are measured in every run")

    def fit(others: Sequence[Recording]) -> Model:
        return fit_recordings(others, run.seed, _silent)

    scored = [
        score_recording(recording, model)
        for recording, model in each_unseen(recordings, model_named("glucose"), fit, run)
        if len(recording.arrays["unix_min"]) > 1
    ]
    curve = _curve(scored)
    figures = _figures(scored, curve, run.seed)
    if run.plot is not None:
        _draw(scored, curve, run.plot)
    return Measured(figures, frozenset({SET}))


def _figures(scored: Sequence[Scored], curve: Sequence[tuple[float, float]], seed: int) -> dict[str, Value]:
    people: dict[str, list[Scored]] = {}
    for one in scored:
        people.setdefault(one.subject, []).append(one)
    figures: dict[str, Value] = {
        "people": len(people),
        "recordings": len(scored),
        "days": round(sum(one.counted.days for one in scored), 1),
        "forecasts": sum(one.forecasts for one in scored),
        "lows": sum(len(one.counted.onsets_min) for one in scored),
    }
    whole: dict[str, tuple[Callable[[Sequence[Scored]], float | None], int]] = {
        "rmse_mg_dl": (_rmse_of("ours"), 2),
        "warned": (lambda some: warned_share([one.counted for one in some]), 3),
        "false_per_day": (lambda some: false_per_day([one.counted for one in some]), 3),
        "lead_time_min": (_lead_min, 1),
        "precision": (_precision, 3),
    }
    for name, (figure, digits) in whole.items():
        value = figure(scored)
        if value is None:
            continue
        figures |= with_interval(name, value, by_person(people, _of_people(figure), seed=seed), digits=digits)
    by_each = [_rmse_of("ours")(recordings) for recordings in people.values()]
    known = [value for value in by_each if value is not None]
    beside: dict[str, float | None] = {
        "rmse_median_person_mg_dl": float(np.median(known)) if known else None,
        "persistence_rmse_mg_dl": _rmse_of("persistence")(scored),
        "linear_rmse_mg_dl": _rmse_of("linear")(scored),
        "ridge_rmse_mg_dl": _rmse_of("ridge")(scored),
        "told_by_onset": _share(sum(one.told_by_onset for one in scored), figures["lows"]),
        "lasting_warned": _share(
            sum(one.counted.lasting_warned for one in scored), sum(one.counted.lasting for one in scored)
        ),
        "false_per_day_at_95": min((false for share, false in curve if share >= _WANTED), default=None),
        "linear_warned": warned_share([one.plain for one in scored]),
        "linear_false_per_day": false_per_day([one.plain for one in scored]),
    }
    figures |= {name: round(value, 3) for name, value in beside.items() if value is not None}
    samples = sum(len(one.minutes) for one in scored)
    if samples:
        figures["us_per_sample"] = round(sum(one.us_per_sample * len(one.minutes) for one in scored) / samples, 1)
        figures["state_bytes"] = max(one.state_bytes for one in scored)
    return figures


def _draw(scored: Sequence[Scored], curve: Sequence[tuple[float, float]], to: Path) -> None:
    """The recording with the most lows that were warned of."""
    shown = max(scored, key=lambda one: len(one.counted.leads_min))
    ours, plain = ([getattr(one, of) for one in scored] for of in ("counted", "plain"))
    draw(
        shown.minutes.tolist(),
        shown.values_mg_dl.tolist(),
        shown.forecast_mg_dl.tolist(),
        warned_min=shown.warned_min,
        curve=curve,
        ours=(warned_share(ours) or 0.0, false_per_day(ours) or 0.0),
        plain=(warned_share(plain) or 0.0, false_per_day(plain) or 0.0),
        to=to,
    )


def _squares(
    minutes: NDArray[np.float64],
    values: NDArray[np.float64],
    forecast: NDArray[np.float64],
    *,
    rows: Sequence[NDArray[np.float64] | None],
    model: Model,
) -> tuple[dict[str, float], int]:
    later = np.searchsorted(minutes, minutes + FORECAST_MIN).clip(max=len(minutes) - 1)
    known = np.isfinite(forecast) & (minutes[later] - minutes == FORECAST_MIN)
    where = np.flatnonzero(known)
    lags = np.asarray([row[:LAGS] for index in where.tolist() if (row := rows[index]) is not None]).reshape(-1, LAGS)
    change = values[later[where]] - values[where]
    ridge = lags @ model.array("ridge_weight") + model.number("ridge_base")
    made = {"ours": forecast[where] - values[where], "persistence": 0.0, "linear": 2 * lags[:, 1], "ridge": ridge}
    return {name: float(((change - one) ** 2).sum()) for name, one in made.items()}, len(where)


def _rmse_of(way: str) -> Callable[[Sequence[Scored]], float | None]:
    def rmse(scored: Sequence[Scored]) -> float | None:
        forecasts = sum(one.forecasts for one in scored)
        return float(np.sqrt(sum(one.squares[way] for one in scored) / forecasts)) if forecasts else None

    return rmse


def _of_people(
    figure: Callable[[Sequence[Scored]], float | None],
) -> Callable[[Sequence[Sequence[Scored]]], float | None]:
    return lambda people: figure([one for person in people for one in person])


def _lead_min(scored: Sequence[Scored]) -> float | None:
    leads = [lead for one in scored for lead in one.counted.leads_min]
    return float(np.median(leads)) if leads else None


def _precision(scored: Sequence[Scored]) -> float | None:
    true = sum(one.counted.true for one in scored)
    return _share(true, true + sum(one.counted.false for one in scored))


def _share(part: int, whole: Value) -> float | None:
    return part / whole if isinstance(whole, int) and whole else None


def _curve(scored: Sequence[Scored]) -> list[tuple[float, float]]:
    """Share of lows warned of, and false warnings a day, as the limit moves."""
    over = np.concatenate([one.over_limit for one in scored]) if scored else np.zeros(0)
    over = over[np.isfinite(over)]
    if not len(over):
        return []
    curve = []
    for limit in np.unique(np.quantile(over, 1 - np.geomspace(0.003, 0.3, _SEARCHED))):
        counted = [
            count_lows(one.minutes, one.values_mg_dl, warnings_at(one.minutes, one.values_mg_dl, one.over_limit, limit))
            for one in scored
        ]
        share, false = warned_share(counted), false_per_day(counted)
        if share is not None and false is not None:
            curve.append((share, false))
    return curve


def warnings_at(
    minutes: NDArray[np.float64], values: NDArray[np.float64], scores: NDArray[np.float64], warn_at: float
) -> list[float]:
    """Minutes at which a low would have been warned of, had the limit been `warn_at`."""
    watch, settings = LowWatch(), GlucoseSettings()
    return [
        minute
        for minute, value, score in zip(minutes.tolist(), values.tolist(), scores.tolist(), strict=True)
        if watch.update(value, minute, score=score, warn_at=warn_at, settings=settings) is LowStage.AHEAD
    ]


def _straight(rows: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64]:
    return np.asarray([-np.inf if row is None else -float(row[0] + row[1]) for row in rows])


def _when(minutes: NDArray[np.float64], answers: Sequence[GlucoseAnswer], reason: GlucoseReason) -> list[float]:
    return [minute for minute, answer in zip(minutes.tolist(), answers, strict=True) if answer.reason is reason]


def _is_warned(onset_min: float, warned_min: Sequence[float]) -> bool:
    return any(onset_min - 60 <= warning < onset_min for warning in warned_min)


def _silent(_text: str) -> None:
    """The parts tell how far it is."""
