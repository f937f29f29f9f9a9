"""Scenario files: what cannot be played is refused with its place; the shipped morning can be."""

from pathlib import Path

import pytest

from kanhu.firmware_sim import Scenario, ScenarioRefused, load_scenario
from kanhu.firmware_sim.scenario.model import Measure, Press, Wear

_SCENARIOS = Path(__file__).parents[2] / "harness" / "scenarios"

_HEAD = """
name = "test"
duration_s = 60
[[home]]
id = "home-01"
resident = [{ id = "r-0001", age_years = 80, sex = "f" }]
device = [
    { id = "cuff-01", kind = "cuff-ble", person = "r-0001" },
    { id = "oximeter-01", kind = "oximeter-cms50d" },
    { id = "strap-01", kind = "strap-ble" },
]
"""


def _load(folder: Path, text: str) -> Scenario:
    file = folder / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)


def _event(text: str) -> str:
    return f"{_HEAD}\n[[home.event]]\n{text}\n"


def test_the_morning_can_be_played() -> None:
    scenario = load_scenario(_SCENARIOS / "morning.toml")
    assert [home.id for home in scenario.home] == [f"home-{number:02}" for number in range(1, 13)] + ["clinic-01"]
    assert scenario.home[-1].kind == "clinic"
    assert {(alert.subject, alert.rule, alert.priority) for alert in scenario.expected} == {
        ("r-0005", "SOS", "high"),
        ("r-0003", "BP-SEVERE", "medium"),
        ("r-0002", "SPO2-LOW", "medium"),
        ("home-09", "WATCH-LOST", "technical"),
    }


def test_nothing_in_home_09_speaks_while_its_power_is_off() -> None:
    scenario = load_scenario(_SCENARIOS / "morning.toml")
    (home,) = (home for home in scenario.home if home.id == "home-09")
    assert [(fault.at_s, fault.for_s, fault.on) for fault in scenario.fault] == [(25, 50, "gateway home-09")]
    assert [event.at_s for event in home.event if isinstance(event, Measure)] == [6]
    assert not [event for event in home.event if isinstance(event, Press | Wear)]


def test_every_home_of_the_morning_stands_in_the_register() -> None:
    register = (_SCENARIOS / "site.toml").read_text(encoding="utf-8")
    for home in load_scenario(_SCENARIOS / "morning.toml").home:
        assert f'id = "{home.id}"' in register
        for resident in home.resident:
            assert f'id = "{resident.id}"\ngateway = "{home.id}"' in register


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "contents"),
        (_HEAD.replace("duration_s", "length"), "duration"),
        (_HEAD.replace('kind = "cuff-ble"', 'kind = "cuff"'), "cuff"),
        (_HEAD.replace("r-0001", "R 1"), "matching regex"),
        (_HEAD.replace('sex = "f"', 'sex = "f", conditions = ["age"]'), "age"),
        (_HEAD.replace('person = "r-0001"', 'person = "r-0002"'), "no resident of home-01"),
        (_HEAD.replace("oximeter-01", "cuff-01"), "its own id"),
        ('starts_at = "25:00"' + _HEAD, "time of day"),
        (_HEAD + '[[fault]]\nat_s = 1\non = "gateway home-99"\nwhat = "kill"', "no home home-99"),
        (_HEAD + '[[fault]]\nat_s = 1\non = "gateway"\nwhat = "kill"', "and a name"),
        (_HEAD + '[[fault]]\nat_s = 1\non = "broker home-01"\nwhat = "kill"', 'write "broker"'),
        (_HEAD + '[[fault]]\nat_s = 1\nfor_s = inf\non = "broker"\nwhat = "kill"', "for_s"),
        (_HEAD + '[[fault]]\nat_s = 1\non = "clock home-01"\nwhat = "step"\namount = nan', "amount"),
        (_HEAD + '[[fault]]\nat_s = 1\non = "clock home-01"\nwhat = "step"\namount = 1e30', "amount"),
        (_HEAD + "[[forbidden]]\nfrom = 50\nby = 40", "by lies before from"),
        (_HEAD + "[[staff]]\nclaims_after = 1\nabsent = [{ from = 50, to = 40 }]", "to does not lie behind from"),
        ("duration_s = inf" + _HEAD.replace("duration_s = 60", ""), "duration_s"),
        ("seed = " + "9" * 5000 + _HEAD, "contents"),
        (".".join("a" * 5000) + " = 1" + _HEAD, "contents"),
        (_event(f'at = "day {"9" * 5000} 07:30"\ndevice = "cuff-01"\naction = "measure"'), "moment such as"),
        (_event(f'at = "{"9" * 500} s"\ndevice = "cuff-01"\naction = "measure"'), "at_s"),
        (_event('at_s = 1\ndevice = "cuff-02"\naction = "measure"'), "no device cuff-02"),
        (_event('at_s = 1\ndevice = "cuff-01"\naction = "press"'), "cannot do this"),
        (_event('at_s = 61\ndevice = "cuff-01"\naction = "measure"'), "ends at 60 s"),
        (_event('at_s = 1\ndevice = "cuff-01"\naction = "measure"\nsystolic = 120'), "systolic"),
        (_event('at_s = 1\ndevice = "strap-01"\naction = "wear"\nwindows = [{}]'), "no windows"),
        (_event('at_s = 1\ndevice = "strap-01"\naction = "wear"\nrhythm = "record"'), "rr_file"),
        (
            _event('at_s = 1\ndevice = "strap-01"\naction = "wear"\nrhythm = "record"\nrr_file = "none.csv"'),
            "there is no file",
        ),
        (_event('at_s = 1\ndevice = "oximeter-01"\naction = "wear"\nrr_file = "none.csv"'), "replays no beats"),
        (
            _event('at_s = 1\ndevice = "oximeter-01"\naction = "wear"\nwindows = [{ count = 2 }]')
            + '[[home.event]]\nat_s = 20\ndevice = "oximeter-01"\naction = "wear"',
            "not over yet",
        ),
        (
            _event('at_s = 1\ndevice = "oximeter-01"\naction = "wear"\nwindows = [{}]')
            + '[[home.event]]\nat_s = 13\ndevice = "oximeter-01"\naction = "wear"',
            "leave no pause",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ScenarioRefused, match=complaint):
        _load(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioRefused, match="cannot be read"):
        load_scenario(tmp_path / "none.toml")


def test_what_never_ends_is_no_scenario() -> None:
    with pytest.raises(ScenarioRefused, match="more than"):
        load_scenario(Path("/dev/zero"))


def test_recordings_are_found_in_the_folder_the_caller_names(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    beats.mkdir()
    (beats / "a.csv").write_text("rr_ms\n800\n", encoding="utf-8")
    file = tmp_path / "scenario.toml"
    wear = 'at_s = 1\ndevice = "strap-01"\naction = "wear"\nrhythm = "record"\nrr_file = "a.csv"'
    file.write_text(_event(wear), encoding="utf-8")
    with pytest.raises(ScenarioRefused):
        load_scenario(file)
    assert load_scenario(file, recordings=beats).name == "test"
