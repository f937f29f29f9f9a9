"""The library: every pure story raises what it must and nothing else, and a story that is not kept goes red."""

import hashlib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from kanhu.cloud.replay.command import replay
from kanhu.firmware_sim import load_scenario
from kanhu.firmware_sim.recording.scenario_play import record_scenario
from kanhu.firmware_sim.scenario import recordings_folder
from kanhu.firmware_sim.scenario.model import Depth, Scenario
from kanhu.harness.faults import Place, Target
from kanhu.harness.ledger import Account
from kanhu.harness.prove.demands import Judgement
from kanhu.harness.prove.process_play import Course
from kanhu.harness.prove.process_scenario import as_play, judge_course
from kanhu.harness.prove.pure_scenario import verdict
from kanhu.harness.prove.scenarios import LIBRARY, main

CORE_PACK = resources.files("kanhu.vitals.packs") / "core.toml"
FILES = sorted(LIBRARY.glob("*.toml"))
SCENARIOS = {file.stem: load_scenario(file) for file in FILES}
PURE = [file for file in FILES if SCENARIOS[file.stem].depth is not Depth.PROCESS]
PROCESS = [file for file in FILES if SCENARIOS[file.stem].depth is not Depth.PURE]


def _played(file: Path, folder: Path, *, pack: Path | None = None) -> Judgement:
    """As `./run prove scenarios` does, with both programs called in this process."""
    scenario = load_scenario(file, recordings=_recordings(file))
    recording = folder / "recording"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    record_scenario(scenario, recording, recordings=_recordings(file), digest=digest)
    outcome = folder / "outcome.ndjson"
    replay(recording, outcome, pack=pack, jobs=1, progress=None)
    return verdict(recording, outcome)


def _recordings(file: Path) -> Path:
    return recordings_folder(SCENARIOS[file.stem], file) if file.stem in SCENARIOS else file.parent


@pytest.mark.parametrize("file", PURE, ids=lambda file: file.stem)
def test_the_story_raises_what_it_must_and_nothing_else(file: Path, tmp_path: Path) -> None:
    judgement = _played(file, tmp_path)
    assert (judgement.missing, judgement.forbidden) == ([], [])


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_story_is_told_and_demands_something(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.name == name
    assert len(scenario.story.split()) > 20
    assert scenario.hazards
    assert scenario.expected or scenario.forbidden


def test_the_library_covers_what_the_code_of_today_can_meet() -> None:
    covered = {hazard for scenario in SCENARIOS.values() for hazard in scenario.hazards}
    assert covered >= {"H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H11", "H13", "H15"}
    assert len(SCENARIOS) >= 24


@pytest.mark.parametrize("file", PROCESS, ids=lambda file: file.stem)
def test_every_fault_of_a_story_for_processes_can_be_played(file: Path) -> None:
    play = as_play(SCENARIOS[file.stem], file)
    own = [fault for fault in SCENARIOS[file.stem].fault if not fault.on.startswith("device ")]  # the simulator plays
    assert len(play.faults) == len(own)
    names = {home.id for home in play.homes}
    assert {fault.target for fault in play.faults} <= {
        Target(Place.BROKER),
        Target(Place.CLOUD),
        *(Target(place, name) for place in (Place.LINK, Place.GATEWAY) for name in names),
    }


_CALL = LIBRARY / "sos-repeated.toml"
_OXYGEN = LIBRARY / "falling-oxygen.toml"


def _changed(file: Path, folder: Path, before: str, after: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert before in text
    changed = folder / "changed.toml"
    changed.write_text(text.replace(before, after), encoding="utf-8")
    return changed


@pytest.mark.parametrize(("name", "kept"), [("loose-finger", False), ("county-cut-off", True)])
def test_a_story_of_devices_without_alerts_is_not_kept_where_no_reading_was_stored(name: str, kept: bool) -> None:
    nothing = Account(0, 0, {}, 0, lost=0, duplicated=0, wrong=0, unclaimed=0)
    silent = Course(account=nothing, drained=True)
    assert judge_course(SCENARIOS[name], silent).kept is kept
    heard = Course(account=replace(nothing, stored=1), drained=True)
    assert judge_course(SCENARIOS[name], heard).kept


def test_a_story_that_asks_for_less_goes_red(tmp_path: Path) -> None:
    text = _CALL.read_text(encoding="utf-8")
    file = _changed(_CALL, tmp_path, text[text.index("[[expected]]") :], "")
    assert _played(file, tmp_path).forbidden == ["nobody asked for: SOS high for r-0001"]


def test_a_story_that_asks_for_more_goes_red(tmp_path: Path) -> None:
    more = '[[expected]]\nrule = "FALL"\nby = "1 h"\n\n[[expected]]'
    file = _changed(_CALL, tmp_path, "[[expected]]", more)
    assert _played(file, tmp_path).missing == ["FALL of any priority for anybody: never came"]


def test_a_limit_that_was_moved_goes_red(tmp_path: Path) -> None:
    text = CORE_PACK.read_text(encoding="utf-8")
    assert 'at_or_below = "92"' in text
    pack = tmp_path / "pack.toml"
    pack.write_text(text.replace('at_or_below = "92"', 'at_or_below = "86"'), encoding="utf-8")
    judgement = _played(_OXYGEN, tmp_path, pack=pack)
    assert any("SPO2-LOW medium" in said for said in judgement.missing)


def test_a_name_that_is_not_there_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "broker-kiled"]) == 2
    assert "did you mean broker-killed?" in capsys.readouterr().out


def test_a_file_of_ones_own_is_judged_like_one_of_the_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = _changed(_CALL, tmp_path, "[[expected]]", '[[expected]]\nrule = "FALL"\nby = "1 h"\n\n[[expected]]')
    assert main(["--only", str(own)]) == 1
    assert "FALL of any priority for anybody: never came" in capsys.readouterr().err


def test_a_file_that_cannot_be_played_so_is_answered_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "nowhere/mine.toml"]) == 2
    assert "nowhere/mine.toml: file: cannot be read" in capsys.readouterr().out
    assert main(["--only", str(_CALL), "--depth", "process"]) == 2
    assert "leave out --depth" in capsys.readouterr().out


def test_scenarios_are_small() -> None:
    assert all(len(file.read_text(encoding="utf-8").splitlines()) < 200 for file in FILES)


def test_the_story_of_a_scenario_stands_at_its_top() -> None:
    def second_key(scenario: Scenario) -> str:
        text = (LIBRARY / f"{scenario.name}.toml").read_text(encoding="utf-8")
        return text.splitlines()[1].split(" ")[0]

    assert {second_key(scenario) for scenario in SCENARIOS.values()} == {"story"}
