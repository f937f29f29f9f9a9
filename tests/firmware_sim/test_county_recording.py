"""A recorded county: the same bytes for the same settings, whole after every interruption, and honest about itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import ClockState, QualityLevel, QualityReason, SubjectKind
from kanhu.contract.recording import (
    MANIFEST_FILE,
    READINGS_FILE,
    TRUTH_FILE,
    VILLAGE_FILE,
    Manifest,
    Recorded,
    VillagePlan,
    decode_plan,
    read_readings,
)
from kanhu.firmware_sim.cli import main
from kanhu.firmware_sim.errors import FolderRefused, RecordRefused
from kanhu.firmware_sim.recording import county as county_module
from kanhu.firmware_sim.recording.county import CountyWish, county_settings, record_county
from kanhu.firmware_sim.recording.rhythms import default_recordings
from kanhu.firmware_sim.truth import Extremes, Happening, HappeningKind, Person, Truth, read_truth

_DAY_MS = 86_400_000
_DAYS = 16
"""Long enough to be interrupted."""
_SEED_OF_A_LONG_LIE = 10


def _wish(out: Path, **changed: int) -> CountyWish:
    values = {"people": 26, "days": 3, "seed": 1, "jobs": 1, **changed}
    return CountyWish(out=out, recordings=default_recordings(), **values)


def _record(out: Path, **changed: int) -> Manifest:
    return record_county(_wish(out, **changed), told=lambda _village, _day, _days: None)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two villages, twelve days."""
    out = tmp_path_factory.mktemp("county")
    _record(out, people=50, days=12, seed=4)
    return out


def _readings(county: Path) -> Iterator[Recorded]:
    for village in ("v001", "v002"):
        with (county / village / READINGS_FILE).open("rb") as stream:
            yield from read_readings(stream, place=village)


def _truth(county: Path) -> list[Truth]:
    found: list[Truth] = []
    for village in ("v001", "v002"):
        with (county / village / TRUTH_FILE).open("rb") as lines:
            found += read_truth(lines, place=village)
    return found


def _plans(county: Path) -> list[VillagePlan]:
    return [decode_plan((county / each / VILLAGE_FILE).read_bytes(), place=each) for each in ("v001", "v002")]


# ------------------------------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("pattern", county_module._DECIDES)
def test_other_code_is_another_simulator(pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(county_module._CODE, tmp_path / "code")
    monkeypatch.setattr(county_module, "_CODE", tmp_path / "code")
    before = county_settings(_wish(tmp_path))
    file = next((tmp_path / "code").glob(pattern))
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert county_settings(_wish(tmp_path)) != before


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        _record(tmp_path / name, people=12, days=2, seed=seed)
    one, same, other = (_bytes(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] == other[name]] == []


def test_more_processes_give_the_same_bytes(tmp_path: Path) -> None:
    _record(tmp_path / "one", people=50, days=2)
    _record(tmp_path / "two", people=50, days=2, jobs=2)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_another_hash_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for hash_seed in ("1", "2"):
        _run(tmp_path / hash_seed, people=12, days=2, environment={"PYTHONHASHSEED": hash_seed})
    assert _bytes(tmp_path / "1") == _bytes(tmp_path / "2")


# ------------------------------------------------------------------------------------------ interruptions


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three villages, made in one go."""
    out = tmp_path_factory.mktemp("whole")
    _record(out, people=75, days=_DAYS)
    return _bytes(out)


def _command(out: Path, *, people: int, days: int, jobs: int = 2) -> list[str]:
    numbers = ["--people", str(people), "--days", str(days), "--jobs", str(jobs)]
    return [sys.executable, "-m", "kanhu.firmware_sim", "record", *numbers, "--out", str(out), "--progress"]


def _run(out: Path, *, people: int, days: int, environment: dict[str, str] | None = None) -> None:
    command = _command(out, people=people, days=days, jobs=1)
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **(environment or {})})


def _begin(out: Path, *, people: int, days: int, says: int) -> "subprocess.Popen[str]":
    """Start it and wait for so many lines of progress."""
    process = subprocess.Popen(
        _command(out, people=people, days=days), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    for _ in range(says):
        assert json.loads(process.stderr.readline())["of"] == 3 * days
    return process


def _members(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[2]) == group:
                found.append(int(stat.parent.name))
    return found


def _all_gone(group: int) -> bool:
    deadline = time.monotonic() + 20
    while _members(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _members(group)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_was_interrupted_goes_on_and_ends_in_the_same_bytes(
    tmp_path: Path, uninterrupted: dict[str, bytes], number: signal.Signals
) -> None:
    folder, returncode, said = _interrupted(tmp_path / "0", number)
    for turn in range(1, 5):
        if (folder / MANIFEST_FILE).exists():  # on a busy machine it may be done before the signal comes
            folder, returncode, said = _interrupted(tmp_path / str(turn), number)
    assert not (folder / MANIFEST_FILE).exists()
    if number is not signal.SIGKILL:
        assert returncode == 130
        assert "goes on from here" in said
        assert "Traceback" not in said
    _record(folder, people=75, days=_DAYS)
    assert _bytes(folder) == uninterrupted


def _interrupted(folder: Path, number: signal.Signals) -> tuple[Path, int, str]:
    """Begin a recording, send it a signal; its folder, how it ended, and what it said."""
    process = _begin(folder, people=75, days=_DAYS, says=1)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert _all_gone(process.pid)  # no worker is left behind, not even by SIGKILL
    return folder, process.returncode, said


def test_a_lost_worker_ends_the_command_with_the_remedy(tmp_path: Path, uninterrupted: dict[str, bytes]) -> None:
    process = _begin(tmp_path, people=75, days=_DAYS, says=1)  # on a busy machine the rest may be quick
    workers = [each for each in _members(process.pid) if b"spawn_main" in _arguments(each)]
    os.kill(max(workers), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert _all_gone(process.pid)
    assert process.returncode == 2
    assert "the same command goes on" in said
    _record(tmp_path, people=75, days=_DAYS)
    assert _bytes(tmp_path) == uninterrupted


def _arguments(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def test_a_whole_village_is_not_made_again(tmp_path: Path) -> None:
    _record(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "v001").iterdir()}
    _record(tmp_path, jobs=2)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "v001").iterdir()} == before


def test_two_runs_in_one_folder_at_once_are_refused_and_the_first_goes_on(
    tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    first = _begin(tmp_path, people=75, days=_DAYS, says=1)
    os.killpg(first.pid, signal.SIGSTOP)  # or a busy machine lets it end before the second begins
    try:
        with pytest.raises(FolderRefused, match="another kanhu-sim"):
            _record(tmp_path, people=75, days=_DAYS)
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert _bytes(tmp_path) == uninterrupted
    _record(tmp_path, people=75, days=_DAYS)  # and leaves it open


@pytest.mark.parametrize("changed", [{"people": 27}, {"days": 4}, {"seed": 2}])
def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path, changed: dict[str, int]) -> None:
    _record(tmp_path)
    before = _bytes(tmp_path)
    with pytest.raises(FolderRefused, match="other settings"):
        _record(tmp_path, **changed)
    assert _bytes(tmp_path) == before


def test_a_folder_without_recorded_beats_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    wish = CountyWish(people=5, days=1, seed=1, out=tmp_path / "out", recordings=tmp_path)
    with pytest.raises(RecordRefused, match="--recordings"):
        record_county(wish, told=lambda _village, _day, _days: None)
    assert not wish.out.exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path, jobs: int) -> None:
    _record(tmp_path, people=50, days=1)
    for name in ("v001", "v002"):
        (tmp_path / name / "done.json").unlink()
        (tmp_path / name / READINGS_FILE).unlink()
        (tmp_path / name / READINGS_FILE).mkdir()
    with pytest.raises(FolderRefused, match="same command goes on"):
        _record(tmp_path, people=50, days=1, jobs=jobs)


@pytest.mark.parametrize(
    "options",
    [
        ["--people", "0", "--days", "1"],
        ["--people", "ten", "--days", "1"],
        ["--people", "10", "--days", "400"],
        ["--people", "10", "--days", "1", "--jobs", "0"],
        ["--people", "10", "--days", "1", "--seed", "-1"],
        ["--days", "1"],
    ],
)
def test_wrong_values_are_refused_before_anything_is_made(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["record", *options, "--out", str(tmp_path / "out")])
    assert refused.value.code == 2
    assert not (tmp_path / "out").exists()


def test_days_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--people", "5", "--out", str(tmp_path / "out")]) == 2
    assert "--days" in capsys.readouterr().err


def test_the_command_ends_with_the_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--people", "5", "--days", "1", "--out", str(tmp_path / "out")]) == 0
    told = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1], type=Manifest)
    assert told == msgspec.json.decode((tmp_path / "out" / MANIFEST_FILE).read_bytes(), type=Manifest)


# ------------------------------------------------------------------------------------------ what is in it


def test_readings_stand_in_order_within_the_recording_and_are_numbered_without_holes(county: Path) -> None:
    manifest = msgspec.json.decode((county / MANIFEST_FILE).read_bytes(), type=Manifest)
    seqs: dict[str, int] = {}
    last: dict[str, int] = {}
    names: set[tuple[str, str, int]] = set()
    for each in _readings(county):
        assert manifest.starts_ms <= each.true_ms < manifest.ends_ms
        assert each.seq == seqs.get(each.gateway, 0) + 1
        assert each.true_ms > last.get(each.gateway, 0)
        seqs[each.gateway], last[each.gateway] = each.seq, each.true_ms
        names.add((each.observation.device, each.observation.times.boot, each.observation.times.mono_ns))
    assert sum(seqs.values()) == manifest.readings == len(names)


def test_every_kind_of_device_is_there_and_flags_are_those_devices_give(county: Path) -> None:
    flags: dict[str, Counter[QualityReason]] = {}
    for each in _readings(county):
        flags.setdefault(each.observation.metric, Counter()).update(each.observation.quality.reasons)
    assert flags.keys() == {
        "bp", "oximetry", "heart_rhythm", "help_button", "motion", "contact", "weight", "temperature_axillary",
        "glucose_capillary",
    }  # fmt: skip  # one set
    assert flags["oximetry"].keys() >= {QualityReason.WEAK_SIGNAL, QualityReason.FINGER_OUT, QualityReason.SEARCHING}
    assert flags["bp"].keys() >= {QualityReason.MOTION, QualityReason.IDENTITY_UNKNOWN}
    assert flags["heart_rhythm"].keys() <= {QualityReason.NO_CONTACT}


def test_people_measure_about_as_often_as_they_are_asked_to(county: Path) -> None:
    taken = Counter(each.observation.metric for each in _readings(county))
    devices = Counter(
        metric for metric, _ in {(each.observation.metric, each.observation.device) for each in _readings(county)}
    )
    cuff_a_day = taken["bp"] / devices["bp"] / 12
    windows_a_day = taken["oximetry"] / devices["oximetry"] / 12
    assert 1.5 <= cuff_a_day <= 4
    assert 3 <= windows_a_day <= 12


def test_artefacts_are_as_rare_as_they_are_said_to_be(county: Path) -> None:
    windows = [each.observation for each in _readings(county) if each.observation.metric == "oximetry"]
    misuse = [each for each in _truth(county) if isinstance(each, Happening) and each.kind is HappeningKind.MISUSE]
    unflagged = sum(each.end_ms - each.onset_ms == 10_000 for each in misuse)
    assert 0.005 <= unflagged / len(windows) <= 0.03
    flagged = sum(each.quality.level is QualityLevel.QUESTIONABLE for each in windows)
    assert 0.05 <= flagged / len(windows) <= 0.2


def test_the_clinic_measures_nobody_known_and_every_session_anew(county: Path) -> None:
    clinic = [each.observation for each in _readings(county) if each.gateway.endswith("-clinic")]
    assert {each.subject.kind for each in clinic} == {SubjectKind.UNIDENTIFIED}
    assert len({each.subject.id for each in clinic}) == len(clinic)
    at_home = [each.observation for each in _readings(county) if not each.gateway.endswith("-clinic")]
    assert {each.subject.kind for each in at_home} == {SubjectKind.RESIDENT, SubjectKind.DWELLING}


def test_without_power_nothing_is_read_and_without_a_link_reading_goes_on(county: Path) -> None:
    silences = [silence for plan in _plans(county) for silence in plan.silences]
    assert {silence.cause for silence in silences} == {"power", "link"}
    inside: Counter[str] = Counter()
    by_gateway: dict[str, list[tuple[int, int, str]]] = {}
    for silence in silences:
        by_gateway.setdefault(silence.gateway, []).append((silence.from_ms, silence.to_ms, silence.cause))
    for each in _readings(county):
        for from_ms, to_ms, cause in by_gateway.get(each.gateway, []):
            if from_ms <= each.true_ms < to_ms:
                inside[cause] += 1
    assert inside["power"] == 0
    assert inside["link"] > 0


def test_silences_of_a_gateway_never_overlap_and_staff_is_planned(county: Path) -> None:
    for plan in _plans(county):
        ends: dict[str, int] = {}
        for silence in sorted(plan.silences, key=lambda each: each.from_ms):
            assert ends.get(silence.gateway, 0) <= silence.from_ms < silence.to_ms
            ends[silence.gateway] = silence.to_ms
        assert len(plan.reactions) > 10
        last = 0
        for from_ms, to_ms in plan.absences:
            assert last <= from_ms < to_ms
            last = to_ms


def test_a_cut_of_power_leaves_a_clock_that_was_restored(county: Path) -> None:
    states = Counter(each.observation.times.clock for each in _readings(county))
    assert states[ClockState.SYNCED] > 0.9 * sum(states.values())
    assert all(
        each.observation.times.arrival_ms == each.true_ms
        for each in _readings(county)
        if each.observation.times.clock is ClockState.SYNCED
    )


def test_happenings_count_the_readings_that_were_taken_of_them(county: Path) -> None:
    readings = [*_readings(county)]
    counted = 0
    kinds = {
        HappeningKind.HYPERTENSIVE: "bp",
        HappeningKind.DESATURATION: "oximetry",
        HappeningKind.CALL: "help_button",
    }
    for happening in _truth(county):
        if not isinstance(happening, Happening) or happening.kind not in kinds:
            continue
        metric = kinds[happening.kind]
        taken = [
            each
            for each in readings
            if each.observation.subject.id == happening.subject
            and each.observation.metric == metric
            and happening.onset_ms <= each.true_ms <= happening.end_ms
        ]
        assert happening.readings.get(metric, 0) == len(taken)
        assert 0 < happening.good.get(metric, 0) <= len(taken)
        counted += 1
    assert counted >= 3


def test_sensors_see_who_lies_on_the_floor_fall_still(tmp_path: Path) -> None:
    _record(tmp_path, people=25, days=30, seed=_SEED_OF_A_LONG_LIE)
    with (tmp_path / "v001" / TRUTH_FILE).open("rb") as lines:
        truth = [*read_truth(lines, place="v001")]
    lies = [each for each in truth if isinstance(each, Happening) and each.kind is HappeningKind.LONG_LIE]
    assert lies
    for lie in lies:
        hours = (lie.end_ms - lie.onset_ms) / 3_600_000
        assert hours >= 1
        assert lie.readings.keys() <= {"motion", "contact"}
        assert lie.readings.get("motion", 0) <= 4  # the last of before, and whoever finds them


def test_a_recording_of_another_simulator_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _record(tmp_path)
    monkeypatch.setattr(county_module, "_DECIDES", ("truth.py",))
    with pytest.raises(FolderRefused, match="other settings"):
        _record(tmp_path)


def test_extremes_hold_a_line_a_day_and_person_within_its_values(county: Path) -> None:
    truth = _truth(county)
    people = {each.subject for each in truth if isinstance(each, Person)}
    lines = [each for each in truth if isinstance(each, Extremes)]
    assert len({(each.subject, each.from_ms) for each in lines}) == len(lines)
    for each in lines:
        assert each.subject in people
        assert each.to_ms - each.from_ms == _DAY_MS
        assert each.values
        assert all(low <= high for low, high in each.values.values())


def test_the_truth_tells_what_must_raise_nothing_by_itself(county: Path) -> None:
    kinds = {each.kind for each in _truth(county) if isinstance(each, Happening)}
    assert kinds >= {HappeningKind.MISUSE, HappeningKind.VISITOR, HappeningKind.GATEWAY_SILENT}


def test_ids_of_happenings_are_unique(county: Path) -> None:
    names = [each.id for each in _truth(county) if isinstance(each, Happening)]
    assert len(names) == len({*names})
