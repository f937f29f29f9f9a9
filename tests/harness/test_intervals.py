"""How sure a figure is, by person."""

import math
from collections.abc import Sequence

from kanhu.harness.score.intervals import by_person, folds


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_people_who_agree_leave_no_doubt_and_people_who_differ_do() -> None:
    assert by_person({"a": 1.0, "b": 1.0, "c": 1.0}, _mean, seed=1) == (1.0, 1.0)
    low, high = by_person({"a": 0.0, "b": 1.0, "c": 0.5}, _mean, seed=1)
    assert low < 0.5 < high
    assert by_person({"a": 0.0, "b": 1.0, "c": 0.5}, _mean, seed=1) == (low, high)


def test_a_figure_that_nobody_has_is_no_number() -> None:
    assert all(map(math.isnan, by_person({"a": 0.0}, lambda _kept: None, seed=1)))
    assert all(map(math.isnan, by_person({}, lambda _kept: 0.0, seed=1)))


def test_everybody_is_in_one_part_and_parts_do_not_depend_on_the_order() -> None:
    people = [f"p{number}" for number in range(11)]
    parts = folds(people, 5, seed=1)
    assert sorted(person for part in parts for person in part) == sorted(people)
    assert {len(part) for part in parts} == {2, 3}
    assert folds(people[::-1], 5, seed=1) == parts
