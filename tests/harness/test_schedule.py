"""Schedules: drawn, written, read back, refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.harness.faults import (
    KINDS,
    Fault,
    Kind,
    Place,
    Schedule,
    ScheduleRefused,
    Target,
    faults_from_tables,
    random_schedule,
    read_schedule,
    schedule_as_json,
    schedule_as_toml,
)
from kanhu.harness.faults.schedule import in_order

_TARGETS = {Target(Place.LINK, "gw-1"): 2.0, Target(Place.GATEWAY, "gw-1"): 1.0, Target(Place.BROKER): 0.5}
_NAMELESS = {Place.BROKER, Place.CLOUD, Place.STAFF}


@st.composite
def _faults(draw: st.DrawFn) -> Fault:
    place = draw(st.sampled_from(list(Place)))
    name = "" if place in _NAMELESS else draw(st.from_regex("[a-z0-9-]{1,8}", fullmatch=True))
    kind = draw(st.sampled_from(list(KINDS[place])))
    amount = draw(st.floats(0.01, 1)) if KINDS[place][kind] else 0.0
    return Fault(draw(st.floats(0, 1e4)), draw(st.floats(0, 1e3)), Target(place, name), kind, amount)


@given(st.lists(_faults(), max_size=6))
def test_a_schedule_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault]
) -> None:
    schedule: Schedule = in_order(faults)
    folder = tmp_path_factory.mktemp("schedule")
    for name, text in (("s.json", schedule_as_json(schedule)), ("s.toml", schedule_as_toml(schedule))):
        (folder / name).write_text(text, encoding="utf-8")
        assert read_schedule(folder / name) == schedule


def test_the_same_seed_draws_the_same_faults_and_another_seed_others() -> None:
    first, again, other = (random_schedule(seed, seconds=30, targets=_TARGETS, rate=1.5) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(first) == 45
    assert all(fault.at_s + fault.for_s <= 30 for fault in first)


def test_no_fault_is_drawn_at_a_place_that_was_not_named() -> None:
    drawn = random_schedule(3, seconds=100, targets=_TARGETS, rate=2)
    assert {fault.target for fault in drawn} == set(_TARGETS)
    assert all(fault.kind in KINDS[fault.target.place] for fault in drawn)


def test_what_a_scenario_leaves_out_has_its_usual_meaning() -> None:
    (fault,) = faults_from_tables([{"at_s": 5, "on": "link home-09", "what": "loss"}])
    assert fault == Fault(5.0, 0.0, Target(Place.LINK, "home-09"), Kind.LOSS, 0.2)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"on": "link home-09", "what": "loss"}, "fault 1, at_s: is missing"),
        ({"at_s": 1, "on": "link home-09", "what": "los"}, "did you mean loss?"),
        ({"at_s": 1, "on": "lnik home-09", "what": "loss"}, "did you mean link?"),
        ({"at_s": 1, "on": "link", "what": "loss"}, "and a name"),
        ({"at_s": 1, "on": "broker two", "what": "kill"}, 'write "broker"'),
        ({"at_s": 1, "on": "broker", "what": "loss"}, "write one of kill, stop, hang"),
        ({"at_s": -1, "on": "broker", "what": "kill"}, "0 or more"),
        ({"at_s": float("nan"), "on": "broker", "what": "kill"}, "is a number"),
        ({"at_s": 1e300, "on": "broker", "what": "kill"}, "at most 1e+09"),
        ({"at_s": 10**400, "on": "broker", "what": "kill"}, "at most 1e+09"),
        ({"at_s": 1, "on": "link a", "what": "loss", "amount": 20}, "a share from 0 to 1"),
        ({"at_s": 1, "for": 2, "on": "broker", "what": "kill"}, "did you mean for_s?"),
    ],
)
def test_a_fault_that_cannot_be_played_is_refused_with_the_remedy(table: dict[str, object], said: str) -> None:
    with pytest.raises(ScheduleRefused, match="fault 1") as refused:
        faults_from_tables([table])
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.toml", "", "needs [[fault]] tables"),
        ("s.toml", '[[faults]]\nat_s = 1\non = "broker"\nwhat = "kill"\n', "needs [[fault]] tables"),
        ("s.json", '{"fault": [], "seed": 3}', "seed: is no key here"),
        ("s.json", "[" * 100_000, "cannot be read"),
        ("s.json", '{"fault": [{"at_s": ' + "9" * 5000 + "}]}", "cannot be read"),
        ("s.json", '{"fault": [3]}', "write [[fault]]"),
        ("s.toml", "\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_no_schedule_is_refused_and_never_played_as_an_empty_one(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ScheduleRefused) as refused:
        read_schedule(tmp_path / name)
    assert said in str(refused.value)


def test_what_never_ends_is_no_schedule() -> None:
    with pytest.raises(ScheduleRefused, match="more than"):
        read_schedule(Path("/dev/zero"))
