"""Simulated people lie where studies find people, and a body that does not is found out, figure by figure."""

import random
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from kanhu.firmware_sim.bodies import Body, DayPlan, VitalState
from kanhu.firmware_sim.population import Inhabitant, draw_village, village_sizes
from kanhu.firmware_sim.ranges import Figure, draw_picture, measure
from kanhu.firmware_sim.ranges.cli import main
from kanhu.firmware_sim.scenario.model import Condition, Resident

_DAY_S = 86_400.0
Spoil = Callable[[VitalState, float], VitalState]


def _county(people: int) -> list[Inhabitant]:
    villages = (draw_village(number, people=size, seed="7") for number, size in enumerate(village_sizes(people), 1))
    return [person for village in villages for person in village.people]


@pytest.fixture(scope="module")
def figures() -> tuple[Figure, ...]:
    return measure(_county(500), seed="7", days=21)


@pytest.fixture(scope="module")
def hundred() -> tuple[Figure, ...]:
    return measure(_county(100), seed="7", days=7)


def _named(name: str, figures: tuple[Figure, ...]) -> Figure:
    return next(figure for figure in figures if figure.name == name)


def test_every_figure_lies_within_its_published_range(figures: tuple[Figure, ...]) -> None:
    assert [f"{figure.name}: {figure.value:.3f}" for figure in figures if not figure.holds] == []


def test_every_figure_names_its_source_and_no_name_stands_twice(figures: tuple[Figure, ...]) -> None:
    assert all(figure.source for figure in figures)
    assert len({figure.name for figure in figures}) == len(figures)


def test_the_picture_has_a_line_for_each_figure_and_needs_nothing_else(figures: tuple[Figure, ...]) -> None:
    picture = draw_picture(figures, title="500 people & 21 days")
    root = ElementTree.fromstring(picture)  # noqa: S314  our own text
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == len(figures)
    assert "script" not in picture
    assert "href" not in picture
    assert picture == draw_picture(figures, title="500 people & 21 days")


class _Spoilt:
    """A body with one thing wrong."""

    def __init__(self, resident: Resident, spoil: Spoil) -> None:
        self._body = Body(resident, seed="7")
        self._spoil = spoil

    def at(self, second: float) -> VitalState:
        return self._spoil(self._body.at(second), second)

    def seated(self, second: float) -> VitalState:
        return self._spoil(self._body.seated(second), second)

    def plan(self, day: int) -> DayPlan:
        return self._body.plan(day)


def _put(**values: float) -> Spoil:
    return lambda state, _: msgspec.structs.replace(state, **values)


def _add(**values: float) -> Spoil:
    return lambda state, _: msgspec.structs.replace(
        state, **{name: getattr(state, name) + value for name, value in values.items()}
    )


def _no_night(state: VitalState, second: float) -> VitalState:
    return msgspec.structs.replace(state, systolic_mmhg=state.systolic_mmhg * (1.16 if second % _DAY_S < 18_000 else 1))


def _wild(state: VitalState, second: float) -> VitalState:
    swing = random.Random(second).gauss(0, 12)
    return msgspec.structs.replace(state, systolic_mmhg=state.systolic_mmhg + swing)


@pytest.mark.parametrize(
    ("figure", "spoil"),
    [
        ("night dip of systolic", _no_night),
        ("systolic, day to day", _put(systolic_mmhg=130.0)),
        ("diastolic, day to day", _put(diastolic_mmhg=78.0)),
        ("systolic, day to day", _wild),
        ("systolic, hypertension", _add(systolic_mmhg=14.0)),
        ("systolic, no hypertension", _add(systolic_mmhg=-12.0)),
        ("saturation, healthy lungs", _add(spo2_percent=-2.0)),
        ("92 % by chance, healthy lungs", _add(spo2_percent=-3.0)),
        ("pulse at rest, women", _add(heart_rate_bpm=8.0)),
        ("systolic 90 by chance", _add(systolic_mmhg=-25.0)),
        ("pulse 40 or 131 by chance", _add(heart_rate_bpm=-25.0)),
        ("respiration, lowest 2.5 %", _add(respiration_per_min=-5.0)),
        ("temperature", _add(temperature_celsius=0.4)),
        ("fasting glucose, diabetes", _put(glucose_mmol_l=5.3)),
        ("rise after supper, diabetes", _put(glucose_mmol_l=5.3)),
    ],
)
def test_a_body_that_is_wrong_in_one_thing_is_found_out(figure: str, spoil: Spoil, hundred: tuple[Figure, ...]) -> None:
    found = measure(_county(100), seed="7", days=7, build=lambda resident: _Spoilt(resident, spoil))
    assert _named(figure, hundred).holds
    assert not _named(figure, found).holds


def test_pressure_that_swings_too_far_is_found_out_by_its_chance_excursions() -> None:
    found = measure(_county(100), seed="7", days=7, build=lambda resident: _Spoilt(resident, _wild))
    excursions = _named("180/110 by chance, hypertension", found)
    assert excursions.value > 2 * excursions.published[1]


def test_a_county_of_the_young_or_the_ill_is_found_out() -> None:
    people = _county(200)
    ill = [person for turn, person in enumerate(people) if person.has(Condition.HYPERTENSION) or turn % 8 == 0]
    young = [person for person in people if person.resident.age_years < 70]
    fails = {figure.name for figure in measure(ill, seed="7", days=7) if not figure.holds}
    assert "hypertension" in fails
    assert not _named("age, median", measure(young, seed="7", days=7)).holds


def test_the_program_prints_a_table_draws_the_picture_and_says_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ranges.svg"
    code = main(["--people", "150", "--days", "7", "--out", str(file)])
    table = capsys.readouterr().out
    assert code == (1 if "OUT " in table else 0)
    assert "night dip of systolic" in table
    assert file.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("wrong", [["--people", "20"], ["--days", "1"]])
def test_too_few_to_say_anything_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(wrong)
    assert refused.value.code == 2
