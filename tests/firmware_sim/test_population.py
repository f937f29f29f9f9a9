"""The people of a county are as published shares say, and what befalls them can be seen by somebody."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from kanhu.cloud.people.site import read_site
from kanhu.contract import check_gateway_id
from kanhu.firmware_sim.population import (
    Fate,
    Household,
    Inhabitant,
    Instrument,
    Village,
    draw_fate,
    draw_village,
    rates,
    register_toml,
    village_sizes,
)
from kanhu.firmware_sim.scenario.model import Condition
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.vitals import unknown_tag

_DAY_S = 86_400.0
_PEOPLE = 2000

# What is published for people of 65 and over in Chinese villages; rates.py names the sources.
_PUBLISHED = {
    Condition.HYPERTENSION: (0.44, 0.50),
    Condition.DIABETES: (0.165, 0.215),
    Condition.COPD: (0.11, 0.15),
    Condition.HEART_FAILURE: (0.03, 0.06),
}


def _villages(people: int = _PEOPLE, seed: str = "5") -> list[Village]:
    sizes = village_sizes(people)
    return [draw_village(number, people=size, seed=seed) for number, size in enumerate(sizes, 1)]


def _unlike_published(villages: list[Village]) -> Iterator[str]:
    """What is outside of the published ranges."""
    people = [person for village in villages for person in village.people]
    for condition, (low, high) in _PUBLISHED.items():
        share = sum(person.has(condition) for person in people) / len(people)
        if not low <= share <= high:
            yield condition.value
    ages = [person.resident.age_years for person in people]
    old = sum(age >= 80 for age in ages) / len(ages)
    checks = {
        "fibrillation": (0.03, sum(person.fibrillates for person in people) / len(people), 0.06),
        "women": (0.48, sum(person.resident.sex == "f" for person in people) / len(people), 0.56),
        "alone": (0.10, sum("lives_alone" in person.tags for person in people) / len(people), 0.25),
        "mean age": (71.0, sum(ages) / len(ages), 75.0),
        "over 80": (0.14, old, 0.23),
        "from 65 on": (0.90, sum(65 <= age <= 95 for age in ages) / len(ages), 1.0),
    }
    yield from (name for name, (low, value, high) in checks.items() if not low <= value <= high)


def test_people_are_as_published() -> None:
    assert [*_unlike_published(_villages())] == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("PREVALENCE", {**rates.PREVALENCE, Condition.HYPERTENSION: 0.3}, "hypertension"),
        ("PREVALENCE", {**rates.PREVALENCE, Condition.COPD: 0.3}, "copd"),
        ("HOUSEHOLDS", (("alone", 0.02), ("couple", 0.5), ("family", 0.48)), "alone"),
        ("AGES", ((65, 0.1), (70, 0.1), (75, 0.1), (80, 0.2), (85, 0.3), (90, 0.2)), "mean age"),
        ("FIBRILLATION_SHARE", 0.2, "fibrillation"),
    ],
)
def test_people_unlike_published_are_noticed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, found: str
) -> None:
    monkeypatch.setattr(rates, name, value)
    assert found in [*_unlike_published(_villages())]


def test_villages_hold_everybody_in_about_twenty_fives() -> None:
    for people in (1, 12, 13, 38, 50, 999, 1000):
        sizes = village_sizes(people)
        assert sum(sizes) == people
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= 38
    assert [len(village.people) for village in _villages(120)] == village_sizes(120)


def test_the_same_seed_draws_the_same_people_whatever_the_size_of_the_county() -> None:
    small, large = _villages(25, "1"), _villages(1000, "1")
    assert small[0] == large[0]
    assert _villages(25, "2")[0] != small[0]


def test_couples_share_a_gateway_and_only_who_lives_alone_is_watched_by_sensors() -> None:
    homes = [home for village in _villages(500) for home in village.homes]
    assert {len(home.people) for home in homes if home.household is Household.COUPLE} == {2}
    for home in homes:
        assert home.has_sensors == all("lives_alone" in person.tags for person in home.people)
        assert home.has_sensors <= (Instrument.BUTTON in home.people[0].owns)


def test_devices_follow_conditions() -> None:
    people = [person for village in _villages() for person in village.people]

    def share(instrument: Instrument, condition: Condition) -> tuple[float, float]:
        those = [person for person in people if person.has(condition)]
        others = [person for person in people if not person.resident.conditions]
        return (
            sum(instrument in person.owns for person in those) / len(those),
            sum(instrument in person.owns for person in others) / len(others),
        )

    for instrument, condition in (
        (Instrument.CUFF, Condition.HYPERTENSION),
        (Instrument.OXIMETER, Condition.COPD),
        (Instrument.METER, Condition.DIABETES),
        (Instrument.SCALES, Condition.HEART_FAILURE),
    ):
        owning, without = share(instrument, condition)
        assert owning > 0.7
        assert without < 0.25
    assert all(Instrument.STRAP in person.owns for person in people if person.fibrillates)


def _fates(days: int = 30) -> list[tuple[Inhabitant, Fate]]:
    return [
        (person, draw_fate(person, home.household, seed="5", days=days))
        for village in _villages(1000)
        for home in village.homes
        for person in home.people
    ]


def test_a_thousand_people_in_thirty_days_see_enough_of_every_emergency() -> None:
    kinds = Counter(episode.kind for _, fate in _fates() for episode in fate.episodes)
    assert 400 <= sum(kinds.values()) <= 900
    emergencies = {
        HappeningKind.DESATURATION, HappeningKind.HYPERTENSIVE, HappeningKind.FAST_HEART, HappeningKind.SLOW_HEART,
        HappeningKind.HYPOGLYCAEMIA, HappeningKind.FALL, HappeningKind.LONG_LIE, HappeningKind.FIBRILLATION,
        HappeningKind.INFECTION, HappeningKind.WEIGHT_GAIN, HappeningKind.CALL,
    }  # fmt: skip  # one set
    assert {kind for kind in emergencies if kinds[kind] < 20} == set()


def test_nothing_befalls_where_no_device_could_see_it() -> None:
    needs = {
        HappeningKind.DESATURATION: Instrument.OXIMETER,
        HappeningKind.HYPERTENSIVE: Instrument.CUFF,
        HappeningKind.FAST_HEART: Instrument.STRAP,
        HappeningKind.SLOW_HEART: Instrument.STRAP,
        HappeningKind.HYPOGLYCAEMIA: Instrument.METER,
        HappeningKind.FIBRILLATION: Instrument.STRAP,
        HappeningKind.WEIGHT_GAIN: Instrument.SCALES,
        HappeningKind.FALL: Instrument.BUTTON,
        HappeningKind.CALL: Instrument.BUTTON,
    }
    for person, fate in _fates():
        assert all(needs[each.kind] in person.owns for each in fate.episodes if each.kind in needs)


@pytest.mark.parametrize("days", [1, 3, 30])
def test_episodes_of_a_person_end_in_time_and_keep_apart(days: int) -> None:
    for _, fate in _fates(days):
        passing = [
            each
            for each in fate.episodes
            if each.kind is not HappeningKind.LONG_LIE
            and not (each.kind is HappeningKind.FIBRILLATION and each.onset_s == 0)
        ]
        assert all(each.onset_s >= 0 and each.end_s <= days * _DAY_S for each in fate.episodes)
        for before, after in pairwise(passing):
            assert after.onset_s - before.end_s >= 12 * 3600


def test_nothing_short_befalls_in_the_dark() -> None:
    dark = [(day * _DAY_S + 6 * 3600, day * _DAY_S + 16 * 3600) for day in range(30)]
    slow = {HappeningKind.INFECTION, HappeningKind.WEIGHT_GAIN, HappeningKind.FIBRILLATION}
    for village in _villages(250):
        for home in village.homes:
            for person in home.people:
                fate = draw_fate(person, home.household, seed="5", days=30, dark=dark)
                for each in fate.episodes:
                    inside = any(from_s <= each.onset_s <= to_s for from_s, to_s in dark)
                    assert not inside or each.kind in slow


def test_the_register_is_one_that_a_county_loads(tmp_path: Path) -> None:
    villages = _villages(250)
    file = tmp_path / "site.toml"
    file.write_text(register_toml(villages, seed="5"), encoding="utf-8")
    site = read_site(file)
    assert len(site.resident) == 250
    assert {contact.resident for contact in site.contact} == {resident.id for resident in site.resident}
    assert [problem for each in site.resident if (problem := unknown_tag(each.tags))] == []
    assert all(check_gateway_id(gateway.id) for gateway in site.gateway)
    assert len({place.en for place in site.place}) == len(site.place)
    assert {gateway.id for gateway in site.gateway} == {name for each in villages for name in each.gateways}


def test_names_with_quotes_or_newlines_could_not_break_the_register() -> None:
    (village,) = _villages(10)
    odd = replace(village, name=('quo"te\n[[x]]', "back\\slash"))
    places = tomllib.loads(register_toml([odd], seed="5"))["place"]
    assert places[-1]["zh"] == odd.name[0]
