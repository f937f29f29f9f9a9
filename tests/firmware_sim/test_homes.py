"""Homes: sensors say what people do, nobody moves while somebody lies on the floor; villages lose link and power."""

from collections import defaultdict
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.firmware_sim.bodies import Body, Episode
from kanhu.firmware_sim.homes import (
    Dwelling,
    DwellingKind,
    Movement,
    Outage,
    dead_battery,
    gateway_clock,
    has_weak_link,
    outages,
)
from kanhu.firmware_sim.scenario.model import Resident
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_ROOMS = {"bedroom", "main-room", "kitchen", "toilet"}
_DOORS = {"gate", "front-door"}


def _resident(number: int) -> Resident:
    return Resident(id=f"r-{number:04d}", age_years=76, sex="f")


def _home(kind: DwellingKind, *numbers: int, seed: str = "1") -> tuple[Dwelling, dict[str, Body]]:
    residents = [_resident(number) for number in numbers]
    return Dwelling(kind, residents, seed=seed), {each.id: Body(each, seed=seed) for each in residents}


def _week(dwelling: Dwelling, bodies: dict[str, Body]) -> list[Movement]:
    return [line for day in range(7) for line in dwelling.movements(bodies, day)]


@pytest.mark.parametrize("kind", list(DwellingKind))
@pytest.mark.parametrize("numbers", [(1,), (2, 3)])
def test_every_sensor_says_only_changes_in_order_of_time(kind: DwellingKind, numbers: tuple[int, ...]) -> None:
    dwelling, bodies = _home(kind, *numbers)
    lines = _week(dwelling, bodies)
    assert all(earlier.at_s <= later.at_s for earlier, later in pairwise(lines))
    by_sensor: dict[str, list[Movement]] = defaultdict(list)
    for line in lines:
        by_sensor[line.sensor].append(line)
    assert set(by_sensor) == {*dwelling.rooms, *dwelling.doors}
    assert set(dwelling.rooms) <= _ROOMS
    assert set(dwelling.doors) <= _DOORS
    for sensor, said in by_sensor.items():
        assert [line.on for line in said] == [turn % 2 == 0 for turn in range(len(said))]
        assert {line.kind for line in said} == {"contact" if sensor in _DOORS else "motion"}


def test_a_person_alone_gives_some_fifty_changes_a_day() -> None:
    counts = []
    for number, kind in enumerate(list(DwellingKind) * 4):
        dwelling, bodies = _home(kind, number)
        counts += [len([*dwelling.movements(bodies, day)]) for day in range(7)]
    assert 40 < fmean(counts) < 65
    assert min(counts) > 20
    assert max(counts) < 110


def test_the_same_seed_gives_the_same_home_and_another_seed_another() -> None:
    one, same, other = (_week(*_home(DwellingKind.FLAT, 1, seed=seed)) for seed in ("1", "1", "2"))
    assert one == same
    assert one != other


def test_a_day_is_the_same_whichever_day_was_asked_before() -> None:
    dwelling, bodies = _home(DwellingKind.COURTYARD, 1)
    backwards = {day: [*dwelling.movements(bodies, day)] for day in (5, 3, 0)}
    fresh, again = _home(DwellingKind.COURTYARD, 1)
    assert backwards == {day: [*fresh.movements(again, day)] for day in (0, 3, 5)}


def test_who_sleeps_is_not_seen() -> None:
    dwelling, bodies = _home(DwellingKind.FLAT, 1)
    plan = bodies["r-0001"].plan(0)
    nights = [line for line in dwelling.movements(bodies, 0) if line.on and line.at_s < plan.wakes_s - 60]
    up = [line for line in nights if any(rise - 1 <= line.at_s <= back + 1 for rise, back in plan.rises_s)]
    assert nights == up
    assert nights


def test_two_at_home_share_a_bed_and_are_seen_as_one_where_they_are_together() -> None:
    alone, one = _home(DwellingKind.FLAT, 1)
    couple, two = _home(DwellingKind.FLAT, 1, 2)
    assert [bed.residents for bed in couple.beds] == [("r-0001", "r-0002")]
    assert len(_week(couple, two)) < 2 * len(_week(alone, one))


@settings(max_examples=25, deadline=None)
@given(onset_h=st.floats(5, 40), lasts_h=st.floats(1.1, 30), number=st.integers(1, 500))
def test_nobody_moves_or_comes_during_a_long_lie_and_somebody_comes_at_its_end(
    onset_h: float, lasts_h: float, number: int
) -> None:
    resident = _resident(number)
    fallen = Episode(HappeningKind.LONG_LIE, onset_h * _HOUR_S, lasts_h * _HOUR_S)
    body = Body(resident, seed="1", episodes=[fallen])
    dwelling = Dwelling(DwellingKind.COURTYARD, [resident], seed="1")
    lines = [line for day in range(4) for line in dwelling.movements({resident.id: body}, day)]
    during = [line for line in lines if fallen.onset_s + 130 < line.at_s < fallen.end_s - 31]
    assert during == []
    found = [line for line in lines if fallen.end_s - 31 < line.at_s < fallen.end_s + 1 and line.kind == "contact"]
    assert found or fallen.end_s % _DAY_S > _DAY_S - 120  # in the last minutes of a day nobody is written down


def test_the_other_one_goes_on_moving() -> None:
    residents = [_resident(1), _resident(2)]
    fallen = Episode(HappeningKind.LONG_LIE, 8 * _HOUR_S, 8 * _HOUR_S)
    bodies = {"r-0001": Body(residents[0], seed="1", episodes=[fallen]), "r-0002": Body(residents[1], seed="1")}
    lines = Dwelling(DwellingKind.FLAT, residents, seed="1").movements(bodies, 0)
    assert any(line.on and 9 * _HOUR_S < line.at_s < 15 * _HOUR_S for line in lines)


def test_illness_keeps_people_in_and_slow() -> None:
    well: list[int] = []
    ill: list[int] = []
    for number in range(12):
        resident = _resident(number)
        infection = Episode(HappeningKind.INFECTION, 0.0, 7 * _DAY_S)
        dwelling = Dwelling(DwellingKind.FLAT, [resident], seed="1")
        well.append(len([*dwelling.movements({resident.id: Body(resident, seed="1")}, 3)]))
        ill.append(len([*dwelling.movements({resident.id: Body(resident, seed="1", episodes=[infection])}, 3)]))
    assert fmean(ill) < 0.85 * fmean(well)


def test_visitors_come_more_often_at_weekends() -> None:
    weekdays = weekends = 0
    for number in range(60):
        dwelling, bodies = _home(DwellingKind.FLAT, number)
        weekdays += sum(len(dwelling.visits(bodies, day)) for day in (0, 1, 2, 3, 4))
        weekends += sum(len(dwelling.visits(bodies, day)) for day in (5, 6))
    assert weekends / 2 > 1.4 * weekdays / 5
    assert 60 < weekdays < 150


def _county(days: int = 30) -> dict[str, tuple[Outage, ...]]:
    return {
        f"v{number:02d}": outages(f"v{number:02d}", [f"v{number:02d}-h{n}" for n in range(12)], seed="7", days=days)
        for number in range(48)
    }


def test_outages_of_a_gateway_stand_apart_and_within_the_days() -> None:
    for found in _county().values():
        by_gateway: dict[str, list[Outage]] = defaultdict(list)
        for outage in found:
            assert 0 <= outage.from_s < outage.to_s <= 30 * _DAY_S
            by_gateway[outage.gateway].append(outage)
        for own in by_gateway.values():
            assert all(earlier.to_s < later.from_s for earlier, later in pairwise(own))


def test_good_villages_are_heard_nearly_always_and_one_in_eight_is_weak() -> None:
    heard: dict[bool, list[float]] = {True: [], False: []}
    for village, found in _county().items():
        silent_s = sum(outage.to_s - outage.from_s for outage in found)
        heard[has_weak_link(village, seed="7")].append(1 - silent_s / (12 * 30 * _DAY_S))
    assert 2 <= len(heard[True]) <= 11
    assert 0.990 < fmean(heard[False]) < 0.998
    assert 0.970 < fmean(heard[True]) < 0.992


def test_storms_and_cuts_take_a_whole_village_at_once() -> None:
    for found in _county().values():
        long = [outage for outage in found if outage.to_s - outage.from_s > 2 * _HOUR_S]
        for outage in long:
            near = {other.gateway for other in long if abs(other.from_s - outage.from_s) < 60}
            assert len(near) >= 10  # one may have been cut off by itself already
    everything = [outage for found in _county().values() for outage in found]
    assert {outage.cause for outage in everything} == {"link", "power"}


def test_outages_depend_on_seed_and_village_only() -> None:
    assert _county() == _county()
    assert outages("v01", ["g"], seed="7", days=30) != outages("v01", ["g"], seed="8", days=30)
    assert outages("v01", ["g"], seed="7", days=0) == ()


def test_a_few_clocks_are_wrong_until_they_are_set() -> None:
    faults = [fault for number in range(1000) if (fault := gateway_clock(f"g{number}", seed="7"))]
    assert 20 <= len(faults) <= 65
    assert {fault.starts_at_1970 for fault in faults} == {True, False}
    for fault in faults:
        assert 0 < fault.until_s <= _DAY_S
        assert fault.starts_at_1970 == (fault.offset_s == 0.0)
    assert gateway_clock("g1", seed="7") == gateway_clock("g1", seed="7")


def test_a_few_batteries_die_and_are_changed() -> None:
    dead = [stretch for number in range(1000) if (stretch := dead_battery(f"d{number}", seed="7", days=30))]
    assert 20 <= len(dead) <= 65
    assert all(0 < from_s < 30 * _DAY_S and from_s < to_s for from_s, to_s in dead)
