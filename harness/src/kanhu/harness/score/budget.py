"""`./run score budget`: a limit is set by a budget of false alerts on some people, and held to it on others.

Simulated people go through the shipped detector of TREND, day by day; their first days are learned from. With `--data`
the warnings of lows of real people are held to a budget as well. Every alert is false: nobody has an event.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.glucose import SET, fit_recordings
from kanhu.cloud.training.glucose_lows import count_lows
from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.report import Value
from kanhu.harness.score.budget_plot import draw
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.glucose import Scored, score_recording, warnings_at
from kanhu.harness.score.intervals import by_person, folds, with_interval
from kanhu.harness.score.simulated_people import Days, readings_of
from kanhu.harness.score.unseen import PARTS, each_unseen
from kanhu.vitals import Rule, core_pack
from kanhu.vitals.baselines import AgreedScore, TrendDetector, TrendScore
from kanhu.vitals.calibration import ConformalTail, ParetoTail, alerts_by_limit, limit_within
from kanhu.vitals.models import Model, model_named
from kanhu.vitals.rules.records import TrendTrigger

__all__ = ["main"]

Array = NDArray[np.float64]

_BUDGET = 0.01
"""Of the figure that has a limit: one false alert in 100 person-days."""
_BUDGETS = (0.002, 0.005, _BUDGET, 0.02)
_KNOWN, _OTHERS = 200, 400
_WATCHED_DAYS = 240
_S_PER_DAY = 86_400
# One vital of each of three groups; the middle of the population, in the unit of the pack.
_VITALS = {"systolic": 130.0, "heart_rate": 70.0, "weight": 62.0}
_ROBUST_OF_SD = 0.777  # scaled median absolute deviation of Student's t(4) with a standard deviation of 1
_LIMITS = np.linspace(0.1, 12.0, 240)
_LOW_BUDGETS = (0.1, 0.5)
_LOW_LIMITS = 60
_MOST_LOWS = 4.0  # false warnings a day that nobody passes, project choice: one in six hours

Way = Callable[[Sequence[Array], float, float], float | None]
"""Scores of known people day by day, budget, quiet days; the limit."""


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    about = "A limit from a budget of false alerts, held to it on people it was not set on."
    return conduct("budget", _measure, arguments, about=about, known=(SET,), simulates=True)


def by_people(people: Sequence[Array], budget: float, quiet_days: float) -> float | None:
    """What is shipped: alerts counted as the rule raises them, the budget held by people."""
    rates = np.asarray([alerts_by_limit(days, _LIMITS, quiet_days=quiet_days) / len(days) for days in people])
    return limit_within(rates, _LIMITS, budget_per_day=budget, most_per_day=1 / quiet_days).score


def by_days(people: Sequence[Array], budget: float, _quiet_days: float) -> float | None:
    """The usual way: every day a look, every look a stranger to the one before; by rank."""
    scores = np.concatenate(people).tolist()
    tail = ConformalTail(keep=int(len(scores) * budget) + 2)
    for score in scores:
        tail.update(score)
    return tail.threshold(budget).score


def by_peaks(people: Sequence[Array], budget: float, quiet_days: float) -> float | None:
    """Extremes: the highest score of each quiet time a look, a generalised Pareto tail above nine tenths of them."""
    width = int(quiet_days)
    peaks = np.concatenate([days[: len(days) // width * width].reshape(-1, width).max(axis=1) for days in people])
    tail = ParetoTail(level=float(np.quantile(peaks, 0.9)), keep=len(peaks), least=10)
    for peak in peaks.tolist():
        tail.update(peak)
    return tail.threshold(budget * width).score


_WAYS: Mapping[str, Way] = {"people": by_people, "days": by_days, "peaks": by_peaks}


def _measure(run: Run) -> Measured:
    rule = core_pack().rule("TREND")
    if rule is None or not isinstance(rule.trigger, TrendTrigger):
        raise TypeError("the core pack has no trend rule")
    quiet_days = rule.dedupe_s / _S_PER_DAY
    random = np.random.default_rng(run.seed)
    run.say(f"{_KNOWN} people to set limits on, {_OTHERS} to hold them to")
    known, others = (_scores(rule, rule.trigger, count, random) for count in (_KNOWN, _OTHERS))
    figures: dict[str, Value] = {"budget_people": _KNOWN, "other_people": _OTHERS, "days_each": _WATCHED_DAYS}
    curves: dict[str, list[tuple[float, float]]] = {}
    for name, way in _WAYS.items():
        for budget in _BUDGETS:
            limit = way(known, budget, quiet_days)
            if limit is None:
                continue
            rates = {str(one): _rate(days, limit, quiet_days) for one, days in enumerate(others)}
            rate, (low, high) = _mean(list(rates.values())), by_person(rates, _mean, seed=run.seed)
            curves.setdefault(name, []).append((budget, rate))
            figures[f"{name}_limit_at_{budget:g}"] = round(limit, 2)
            figures |= with_interval(f"{name}_ratio_at_{budget:g}", rate / budget, (low / budget, high / budget))
    for end in ("", "_low", "_high"):
        figures[f"budget_ratio{end}"] = figures[f"people_ratio_at_{_BUDGET:g}{end}"]
    sets = find_sets(run.data) if run.has_data else {}
    if SET in sets:
        lows, curve = _lows(load_set(SET, sets[SET]), run)
        figures |= lows
        curves["lows of real people"] = curve
    if run.plot is not None:
        draw(curves, to=run.plot)
    return Measured(figures, frozenset({SET}))


def _scores(rule: Rule, trigger: TrendTrigger, people: int, random: np.random.Generator) -> list[Array]:
    """Of each person the score of every day after the baseline is complete, by the shipped detector."""
    calm = trigger.baseline_readings + 1
    middle = {vital.metric: float(vital.population_sd) / _ROBUST_OF_SD for vital in trigger.vitals}
    lived = {name: readings_of(people, Days(calm, _WATCHED_DAYS), random) for name in _VITALS}
    scores = []
    for person in range(people):
        detectors, agreed = {name: TrendDetector(rule, name) for name in _VITALS}, AgreedScore(rule)
        days = []
        for number in range(calm + _WATCHED_DAYS):
            day, told = date.fromordinal(730_000 + number), dict[str, TrendScore]()
            for name, detector in detectors.items():
                reading = _VITALS[name] + middle[name] * float(lived[name][person, number])
                detector.update(day, Decimal(str(round(reading, 2))))
                if detector.score is not None:
                    told[name] = detector.score
            days.append(agreed.update(day, told))
        scores.append(np.asarray(days[calm:]))
    return scores


def _lows(recordings: Sequence[Recording], run: Run) -> tuple[dict[str, Value], list[tuple[float, float]]]:
    """Warnings of lows: the limit set on four fifths of the people, held to its budget on the last, five times over."""

    def fit(others: Sequence[Recording]) -> Model:
        return fit_recordings(others, run.seed, lambda _: None)

    pairs = each_unseen(recordings, model_named("glucose"), fit, run)
    scored = [score_recording(one, model) for one, model in pairs if len(one.arrays["unix_min"]) > 1]
    over = np.concatenate([one.over_limit for one in scored])
    limits = np.unique(np.quantile(over[np.isfinite(over)], 1 - np.geomspace(0.001, 0.3, _LOW_LIMITS)))
    people = sorted({one.subject for one in scored})
    rates = {person: _low_rates([one for one in scored if one.subject == person], limits) for person in people}
    figures: dict[str, Value] = {"lows_people": len(people)}
    curve = []
    for budget in _LOW_BUDGETS:
        held: dict[str, float] = {}
        for part in folds(people, PARTS, seed=run.seed):
            known = np.asarray([rates[one] for one in people if one not in part])
            limit = limit_within(known, limits, budget_per_day=budget, most_per_day=_MOST_LOWS).score
            if limit is not None:
                held |= {one: float(rates[one][limits == limit][0]) for one in part}
        if held:
            rate, (low, high) = _mean(list(held.values())), by_person(held, _mean, seed=run.seed)
            figures |= with_interval(f"lows_ratio_at_{budget:g}", rate / budget, (low / budget, high / budget))
            curve.append((budget, rate))
    return figures, curve


def _low_rates(scored: Sequence[Scored], limits: Array) -> Array:
    """False warnings a day of one person at each limit."""
    days = sum(one.counted.days for one in scored)
    false = [
        sum(
            count_lows(one.minutes, one.values_mg_dl, warnings_at(one.minutes, one.values_mg_dl, one.over_limit, limit))
            .false for one in scored
        )
        for limit in limits.tolist()
    ]  # fmt: skip  # by limit
    return np.asarray(false) / max(days, 1e-9)


def _rate(days: Array, limit: float, quiet_days: float) -> float:
    return float(alerts_by_limit(days, np.asarray([limit]), quiet_days=quiet_days)[0]) / len(days)


def _mean(rates: Sequence[float]) -> float:
    return float(np.mean(rates))
