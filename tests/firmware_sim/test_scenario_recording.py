"""A scenario recorded in virtual time: the readings, the plan of what is no reading, and the demands."""

import hashlib
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import ClockState, QualityLevel
from kanhu.contract.recording import Manifest, Recorded, VillagePlan, decode_plan, read_readings
from kanhu.firmware_sim import ScenarioRefused, load_scenario
from kanhu.firmware_sim.cli import main
from kanhu.firmware_sim.recording.scenario_play import record_scenario
from kanhu.firmware_sim.truth import Demand, Happening, HappeningKind, Truth, read_truth

_STORY = """
name = "story"
depth = "pure"
duration = "3 days"

[[home]]
id = "home-01"
device = [
    { id = "cuff-01", kind = "cuff-ble", person = "r-0001" },
    { id = "oximeter-01", kind = "oximeter-cms50d", person = "r-0001" },
    { id = "button-01", kind = "button-bthome", person = "r-0001" },
    { id = "scale-01", kind = "scale", person = "r-0001" },
]
event = [
    { at = "09:00", device = "button-01", action = "press" },
    { at = "day 2 09:30", device = "cuff-01", action = "measure", systolic_mmhg = 150, notices = ["movement"] },
    { at = "10:00", device = "oximeter-01", action = "wear", windows = [{ count = 2 }, { artefact = "finger_out" }] },
]

[[home.resident]]
id = "r-0001"
age_years = 80
sex = "f"
conditions = ["hypertension"]
tags = ["lives_alone"]

[[home.resident.habit]]
device = "cuff-01"
times = ["08:00", "19:00"]

[[home.resident.habit]]
device = "scale-01"
times = ["08:05"]
every_days = 2

[[home.resident.happening]]
kind = "hypertensive_episode"
at = "18:00"
for = "3 h"
severity = 2

[[fault]]
at = "day 2 09:00"
for = "2 h"
on = "gateway home-01"
what = "kill"

[[fault]]
at = "20:00"
for = "30 min"
on = "link home-01"
what = "silent"

[[staff]]
claims_after = "1 min"
absent = [{ from = "22:00", to = "day 2 06:00" }]

[[expected]]
rule = "SOS"
subject = "r-0001"
by = "09:01"
level = 2

[[forbidden]]
rule = "TREND"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "story.toml"
    file.write_text(_STORY, encoding="utf-8")
    return file


@pytest.fixture
def recording(scenario: Path, tmp_path: Path) -> Path:
    _record(scenario, tmp_path / "recording")
    return tmp_path / "recording"


def _record(file: Path, out: Path, *, seed: int | None = None) -> Manifest:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return record_scenario(load_scenario(file), out, recordings=file.parent, digest=digest, seed=seed)


def _readings(recording: Path) -> list[Recorded]:
    with (recording / "village-01" / "readings.bin").open("rb") as stream:
        return [*read_readings(stream, place="readings")]


def _plan(recording: Path) -> VillagePlan:
    return decode_plan((recording / "village-01" / "village.json").read_bytes(), place="plan")


def _truth(recording: Path) -> list[Truth]:
    with (recording / "village-01" / "truth.ndjson").open("rb") as lines:
        return [*read_truth(lines, place="truth")]


def test_habits_and_events_become_readings(recording: Path) -> None:
    metrics = Counter(reading.observation.metric for reading in _readings(recording))
    # 08:00 is after the start at 07:30: three mornings and three evenings; the event in the power cut is not read.
    assert metrics == {"bp": 6, "oximetry": 2, "help_button": 1, "weight": 2}


def test_nothing_is_read_while_the_power_is_off(recording: Path) -> None:
    starts_ms = _readings(recording)[0].true_ms - 30 * 60_000
    cut = range(starts_ms + 25 * 3_600_000 + 1_800_000, starts_ms + 27 * 3_600_000 + 1_800_000)
    assert not [reading for reading in _readings(recording) if reading.true_ms in cut]


def test_what_befalls_a_person_moves_what_is_measured_of_it(recording: Path) -> None:
    (evening,) = (
        reading.observation
        for reading in _readings(recording)
        if reading.observation.metric == "bp" and reading.true_ms == _happening(recording).onset_ms + 3_600_000
    )
    assert (evening.value("systolic") or 0) > 190
    assert _happening(recording).readings == {"bp": 1}


def _happening(recording: Path) -> Happening:
    return next(
        line for line in _truth(recording) if isinstance(line, Happening) and line.kind is HappeningKind.HYPERTENSIVE
    )


def test_faults_become_silences_and_absent_staff_absences(recording: Path) -> None:
    plan = _plan(recording)
    assert [(silence.cause, silence.to_ms - silence.from_ms) for silence in plan.silences] == [
        ("link", 1_800_000),
        ("power", 7_200_000),
    ]
    ((from_ms, to_ms),) = plan.absences
    assert to_ms - from_ms == 8 * 3_600_000
    assert plan.reactions[0].claim_after_s == 60
    assert plan.reactions[0].close_after_s > 365 * 86_400, "never, where nothing is said"


def test_demands_are_copied_and_not_understood(recording: Path) -> None:
    expected, forbidden = (line for line in _truth(recording) if isinstance(line, Demand))
    assert (expected.rule, expected.level, expected.forbidden) == ("SOS", 2, False)
    assert (forbidden.rule, forbidden.subject, forbidden.forbidden) == ("TREND", "*", True)


def test_the_same_scenario_and_seed_give_the_same_bytes(scenario: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        _record(scenario, tmp_path / name, seed=seed)
    same, again, other = (
        {
            file.relative_to(tmp_path / name): file.read_bytes()
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        for name in ("a", "b", "c")
    )
    assert same == again
    assert same[Path("village-01/readings.bin")] != other[Path("village-01/readings.bin")]


def test_a_wrong_clock_is_stamped_on_readings_until_it_is_set(scenario: Path, tmp_path: Path) -> None:
    fault = '\n[[fault]]\nat_s = 0\nfor = "10 h"\non = "clock home-01"\nwhat = "year_1970"\n'
    scenario.write_text(_STORY + fault, encoding="utf-8")
    _record(scenario, tmp_path / "out")
    first, *_, last = _readings(tmp_path / "out")
    assert (first.observation.times.clock, last.observation.times.clock) == (ClockState.UNSET, ClockState.SYNCED)
    assert first.observation.times.arrival_ms < 86_400_000


def test_an_artefact_is_flagged_as_a_gateway_would(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(_STORY.replace("day 2 09:30", "day 2 07:30"), encoding="utf-8")
    _record(scenario, tmp_path / "out")
    flagged = [one.observation for one in _readings(tmp_path / "out") if one.observation.quality.reasons]
    assert [(one.metric, one.quality.level) for one in flagged] == [("bp", QualityLevel.QUESTIONABLE)]


def test_the_register_is_written_with_its_tags(recording: Path) -> None:
    assert 'tags = ["hypertension", "lives_alone"]' in (recording / "site.toml").read_text(encoding="utf-8")


def test_a_scenario_of_real_processes_is_not_recorded(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.write_text('name = "x"\nduration_s = 5\n[[home]]\nid = "home-01"\n', encoding="utf-8")
    assert main(["record", "--scenario", str(scenario), "--out", str(tmp_path / "out")]) == 2
    assert "play it with kanhu-sim serve" in capsys.readouterr().err


def test_a_written_event_stands_in_for_the_habit_of_that_time(scenario: Path, tmp_path: Path) -> None:
    event = '\n[[home.event]]\nat = "08:00"\ndevice = "cuff-01"\naction = "measure"\nsystolic_mmhg = 111\n'
    text = _STORY.replace("event = [", "never = [", 1)
    scenario.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioRefused, match="never is no key here"):
        load_scenario(scenario)
    start = _STORY.index("event = [")
    written = _STORY[:start] + _STORY[_STORY.index("]\n\n[[home.resident]]") + 2 :]
    scenario.write_text(written.replace("\n[[fault]]", event + "\n[[fault]]", 1), encoding="utf-8")
    _record(scenario, tmp_path / "out")
    pressures = [one.observation for one in _readings(tmp_path / "out") if one.observation.metric == "bp"]
    assert [one.value("systolic") == 111 for one in pressures].count(True) == 1
    assert len(pressures) == 6


def test_what_the_manifest_counts_is_there(recording: Path) -> None:
    manifest = msgspec.json.decode((recording / "manifest.json").read_bytes(), type=Manifest)
    assert (manifest.people, manifest.readings) == (1, len(_readings(recording)))
