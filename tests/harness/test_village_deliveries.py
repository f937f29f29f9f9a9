"""When a high alert counts as delivered in time: after it was accepted, and once nothing stands in its way."""

from pathlib import Path

import pytest

from kanhu.harness.faults import Fault, Kind, Place, Target
from kanhu.harness.prove.process_play import Course, Disturbance, Promise
from kanhu.harness.prove.village import deliveries
from kanhu.harness.prove.village_script import draw_village
from kanhu.harness.village.county import SeenAlert

S = 1_000_000_000
PROMISE = Promise("home-03", "a1", "SOS", "high", 100 * S)


def _heard(at_s: float, *, alert: str = "a1", subject: str = "r-03", priority: str = "high") -> SeenAlert:
    at_ns = round(at_s * S)
    return SeenAlert(alert, subject, "SOS", priority, "", at_ns, None, "", heard=[(at_ns, priority)])


def _broken(place: Place, name: str, from_s: float, to_s: float) -> Disturbance:
    fault = Fault(from_s, to_s - from_s, Target(place, name), Kind.KILL)
    return Disturbance(fault, round(from_s * S), round(to_s * S))


def _took_s(*alerts: SeenAlert, broken: tuple[Disturbance, ...] = ()) -> float | None:
    (one,) = deliveries(Course(alerts=[*alerts], promises=[PROMISE], disturbances=[*broken]))
    return None if one.took_ns is None else one.took_ns / S


def test_the_time_runs_from_the_promise_where_nothing_is_broken() -> None:
    assert _took_s(_heard(103)) == 3


@pytest.mark.parametrize(
    "broken",
    [
        _broken(Place.LINK, "home-03", 95, 120),
        _broken(Place.GATEWAY, "home-03", 101, 120),
        _broken(Place.BROKER, "", 99, 120),
        _broken(Place.CLOUD, "", 109, 120),
    ],
)
def test_it_runs_from_the_end_of_what_stood_in_the_way(broken: Disturbance) -> None:
    assert _took_s(_heard(125), broken=(broken,)) == 5


@pytest.mark.parametrize(
    "broken",
    [
        _broken(Place.LINK, "home-04", 95, 120),
        _broken(Place.BROKER, "", 111, 120),
        _broken(Place.BROKER, "", 50, 99),
    ],
    ids=["another home's link", "what broke when it was late already", "what was over before"],
)
def test_nothing_else_excuses(broken: Disturbance) -> None:
    assert _took_s(_heard(125), broken=(broken,)) == 25


def test_one_fault_after_another_is_waited_for() -> None:
    chain = (_broken(Place.LINK, "home-03", 99, 108), _broken(Place.CLOUD, "", 112, 118))
    assert _took_s(_heard(121), broken=chain) == 3


@pytest.mark.parametrize("alert", [_heard(103, alert="a2", subject="r-04"), _heard(103, priority="medium")])
def test_what_nobody_heard_of_is_missing(alert: SeenAlert) -> None:
    assert _took_s(alert) is None
    assert _took_s() is None


def test_a_call_that_joined_an_open_alert_of_the_person_is_delivered_with_it() -> None:
    assert _took_s(_heard(103, alert="a0")) == 3


def test_an_alert_that_was_closed_before_the_call_delivers_nothing() -> None:
    earlier = _heard(80, alert="a0")
    earlier.closed_ns = 99 * S
    assert _took_s(earlier) is None
    earlier.closed_ns = 101 * S
    assert _took_s(earlier) == 0


def test_where_the_alert_itself_came_another_one_of_the_person_does_not_count() -> None:
    assert _took_s(_heard(80, alert="a0"), _heard(104)) == 4


def test_the_time_runs_from_the_arrival_of_the_deciding_value_where_that_is_known() -> None:
    alert = SeenAlert("a1", "r-03", "SOS", "high", "", 103 * S, 5_000, "", heard=[(103 * S, "high")])
    course = Course(began_ns=90 * S, began_ms=0, alerts=[alert], promises=[PROMISE])
    (one,) = deliveries(course)
    assert (one.took_ns or 0) / S == 8, "accepted into the journal at 100 s, arrived at 95 s"


def test_the_same_seed_draws_the_same_village(tmp_path: Path) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        folder.mkdir()
        script = draw_village(folder, homes=5, seconds=200, seed=seed, faults_per_s=0.25)
        drawn.append((script.scenario.read_text(encoding="utf-8"), script.faults))
    same, again, other = drawn
    assert same[1] == again[1]
    assert same[0] == again[0]
    assert same[1] != other[1]


def test_nothing_breaks_at_the_very_beginning_or_end(tmp_path: Path) -> None:
    script = draw_village(tmp_path, homes=40, seconds=600, seed=1, faults_per_s=0.25)
    assert len(script.faults) > 120
    assert all(fault.at_s >= 5 and fault.at_s + fault.for_s <= 580 for fault in script.faults)
    assert {fault.target.place for fault in script.faults} == {Place.LINK, Place.GATEWAY, Place.BROKER, Place.CLOUD}
