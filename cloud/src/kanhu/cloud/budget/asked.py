"""What follows from a budget: the limit, the alerts to expect, the real ones that would be missed, changes found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.budget.history import Person, Scores, Summaries, scores_of
from kanhu.cloud.errors import BudgetRefused
from kanhu.vitals import Rule
from kanhu.vitals.calibration import alerts_by_limit, limit_within
from kanhu.vitals.rules.records import TrendTrigger, Vital

__all__ = ["Asked", "Changed", "budgeted"]

_S_PER_DAY = 86_400
_FOUND_WITHIN_DAYS = 14
_SPREADS = 2
"""Of the population between days: the change that is tried, project choice."""
_TRIED_PEOPLE = 100
_STEPS = 240


@dataclass(frozen=True, slots=True)
class Changed:
    """One vital changed by so much from one day on, tried on days that people lived: how often that is found."""

    vital: str
    by: Decimal
    unit: str
    people: int
    found: Mapping[str, float]
    """Share found within 14 days, by the name of the limit."""
    median_days: Mapping[str, float | None]
    """Of those found; None where nobody was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to a budget."""

    people: int
    person_days: int
    budget_per_day: float
    limits: Mapping[str, float]
    """`as_set`, and `by_budget` where there is one."""
    reason: str
    """Why there is a limit by the budget, or none."""
    alerts_per_day: Mapping[str, float]
    """A person-day, by the name of the limit."""
    real: int
    """Alerts of the rule that people closed as real."""
    missed: Mapping[str, int]
    """Of those, by the name of the limit."""
    changes: Sequence[Changed]


def budgeted(
    people: Iterable[Person],
    rule: Rule,
    trigger: TrendTrigger,
    *,
    real: Mapping[str, Sequence[date]],
    budget_per_day: float,
    say: Callable[[int], None],
) -> Asked:
    """Walk everybody once through the shipped detector; days about a real alert are no false ones and do not count.

    `say` hears how many people are done.

    Raises:
        BudgetRefused: nobody has a day with a score.
    """
    quiet_days = rule.dedupe_s / _S_PER_DAY
    steps = np.linspace(0, trigger.signal_at_learning + trigger.clip_sd, _STEPS)
    limits = np.append(steps, trigger.signal_at)
    rates: list[NDArray[np.float64]] = []
    tried: list[Summaries] = []
    told: list[float] = []
    person_days = 0
    for done, person in enumerate(people, start=1):
        scores = scores_of(person.summaries, rule)
        say(done)
        if scores is None:
            continue
        about = real.get(person.subject, ())
        told += [_at(scores, day) for day in about]
        calm = _without(scores, about, quiet_days)
        days = int(np.isfinite(calm).sum())
        if days:
            rates.append(alerts_by_limit(calm, limits, quiet_days=quiet_days) / days)
            person_days += days
            tried.append(person.summaries)
    if not rates:
        days_needed = trigger.least_readings + 1
        raise BudgetRefused(f"nobody has the {days_needed} days that a baseline needs; ask again when they have")
    together = np.asarray(rates)
    found = limit_within(together[:, :-1], steps, budget_per_day=budget_per_day, most_per_day=1 / quiet_days)
    named = {"as_set": trigger.signal_at} | ({} if found.score is None else {"by_budget": found.score})
    changes = (_changed(tried[:_TRIED_PEOPLE], rule, vital, named) for vital in trigger.vitals)
    return Asked(
        people=len(rates),
        person_days=person_days,
        budget_per_day=budget_per_day,
        limits=named,
        reason=found.reason.value,
        alerts_per_day={name: float(together[:, limits == limit][:, 0].mean()) for name, limit in named.items()},
        real=len(told),
        missed={name: sum(not score > limit for score in told) for name, limit in named.items()},
        changes=[change for change in changes if change is not None],
    )


def _at(scores: Scores, day: date) -> float:
    index = (day - scores.first).days
    return float(scores.values[index]) if 0 <= index < len(scores.values) else float("nan")


def _without(scores: Scores, about: Sequence[date], quiet_days: float) -> NDArray[np.float64]:
    calm = scores.values.copy()
    for day in about:
        index, reach = (day - scores.first).days, int(quiet_days)
        calm[max(index - reach, 0) : max(index + reach + 1, 0)] = np.nan
    return calm


def _changed(tried: Sequence[Summaries], rule: Rule, vital: Vital, limits: Mapping[str, float]) -> Changed | None:
    by = _SPREADS * vital.population_sd
    delays: dict[str, list[float]] = {name: [] for name in limits}
    people = 0
    for summaries in tried:
        days = sorted(day for day, vitals in summaries.items() if vital.metric in vitals)
        if len(days) < 3 * _FOUND_WITHIN_DAYS:
            continue
        people += 1
        begins = days[-_FOUND_WITHIN_DAYS]
        scores = scores_of(_shifted(summaries, vital.metric, by, begins), rule)
        if scores is None:
            continue
        for name, limit in limits.items():
            delays[name] += _delay(scores, begins, limit)
    if not people:
        return None
    return Changed(
        vital=vital.metric,
        by=by,
        unit=vital.unit,
        people=people,
        found={name: len(each) / people for name, each in delays.items()},
        median_days={name: float(np.median(each)) if each else None for name, each in delays.items()},
    )


def _shifted(summaries: Summaries, code: str, by: Decimal, begins: date) -> Summaries:
    return {
        day: {name: value + by if name == code and day >= begins else value for name, value in vitals.items()}
        for day, vitals in summaries.items()
    }


def _delay(scores: Scores, begins: date, limit: float) -> list[float]:
    """Days until the first score above the limit; nothing where none was, or one was on the day before already."""
    if _at(scores, begins - timedelta(days=1)) > limit:
        return []
    for passed in range(_FOUND_WITHIN_DAYS):
        if _at(scores, begins + timedelta(days=passed)) > limit:
            return [float(passed + 1)]
    return []
