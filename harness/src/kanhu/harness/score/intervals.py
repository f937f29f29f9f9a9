"""How sure a figure is: resampled by person, never by window, because windows of one person resemble one another."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import TypeVar

import numpy as np

from kanhu.harness.report import Value

__all__ = ["by_person", "folds", "with_interval"]

_RESAMPLED = 1000
_LOW, _HIGH = 2.5, 97.5  # per cent: an interval of 95 %

Kept = TypeVar("Kept")


def by_person(
    kept: Mapping[str, Kept], figure: Callable[[Sequence[Kept]], float | None], *, seed: int
) -> tuple[float, float]:
    """The interval of 95 % of `figure`, whose people might have been others of the same kind.

    `kept` holds by person what the figure is made of. Draws in which the figure does not exist are left out; both ends
    are NaN where none has it.
    """
    people = sorted(kept)
    if not people:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(0, len(people), (_RESAMPLED, len(people)))
    figures = [figure([kept[people[one]] for one in draw]) for draw in drawn]
    values = [value for value in figures if value is not None]
    if not values:
        return float("nan"), float("nan")
    low, high = np.percentile(values, (_LOW, _HIGH))
    return float(low), float(high)


def with_interval(name: str, value: float, interval: tuple[float, float], *, digits: int = 4) -> dict[str, Value]:
    """One figure by its name, beside it both ends of its interval where there is one."""
    ends = {f"{name}_low": interval[0], f"{name}_high": interval[1]}
    return {key: round(one, digits) for key, one in ({name: value} | ends).items() if key == name or not isnan(one)}


def folds(people: Sequence[str], count: int, *, seed: int) -> list[frozenset[str]]:
    """Everybody in one of `count` parts of about equal size, drawn once: fit on all parts but one, score that one."""
    order = np.random.default_rng(seed).permutation(sorted(set(people)))
    return [frozenset(order[start::count].tolist()) for start in range(min(count, len(order)))]
