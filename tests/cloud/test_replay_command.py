"""`kanhu-cloud replay`: the same bytes however it is run, goes on after a stop, and refuses what it cannot use."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

import kanhu.vitals.packs
from kanhu.cloud.cli import main
from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.replay import command, work
from kanhu.cloud.replay.command import replay
from kanhu.cloud.replay.parts import Parts
from kanhu.cloud.replay.work import Told
from kanhu.contract.recording import MANIFEST_FILE, READINGS_FILE, VILLAGE_FILE, VillagePlan
from tests.cloud.recorded import DAY_MS, HOUR_MS, PROMPT, SECOND_MS, START_MS, Village, read, record

NAMES = ("v001", "v002", "v003")


def _villages() -> list[Village]:
    villages = []
    for number, name in enumerate(NAMES):
        village = Village(name, plan=VillagePlan(name, reactions=PROMPT))
        for day in range(2):
            morning_ms = START_MS + day * DAY_MS + (8 + number) * HOUR_MS
            village.press(morning_ms)
            for window in range(4):
                village.oximetry(morning_ms + HOUR_MS + window * 10 * SECOND_MS, 90 + window, number=2)
        villages.append(village)
    return villages


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three villages of two days."""
    return record(tmp_path / "recording", *_villages(), days=2)


def _replayed(recording: Path, out: Path) -> bytes:
    replay(recording, out, pack=None, jobs=1, progress=None)
    return out.read_bytes()


def test_a_second_replay_into_the_same_file_waits_its_turn_in_words(recording: Path, tmp_path: Path) -> None:
    with Parts(tmp_path / "outcome").alone(), pytest.raises(ReplayRefused, match="another kanhu-cloud replay"):
        replay(recording, tmp_path / "outcome", pack=None, jobs=1, progress=None)
    assert _replayed(recording, tmp_path / "outcome")


def test_twice_gives_the_same_bytes_and_leaves_nothing_beside_the_outcome(recording: Path, tmp_path: Path) -> None:
    first = _replayed(recording, tmp_path / "one" / "outcome")
    second = _replayed(recording, tmp_path / "two" / "outcome")
    assert first == second
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["outcome"]
    alerts, counts = read(tmp_path / "one" / "outcome")
    assert [line.village for line in counts] == [*NAMES]
    assert {alert.village for alert in alerts} == {*NAMES}


def test_other_processes_other_hash_seeds_same_bytes(recording: Path, tmp_path: Path) -> None:
    once = _replayed(recording, tmp_path / "outcome")
    out = tmp_path / "by-two"
    done = _run(recording, out, "--jobs", "2", "--progress", seed="7")
    assert (done.returncode, done.stdout) == (0, f"30 readings replayed into {out}\n")
    assert out.read_bytes() == once
    said = [msgspec.json.decode(line) for line in done.stderr.splitlines()]
    whole = [line["whole"] for line in said]
    assert whole == sorted(whole)
    assert said[-1]["whole"] == said[-1]["villages"] == 3
    assert all(line["village"] in NAMES and 0 <= line["done"] <= line["of"] == 2 for line in said)


def test_what_was_stopped_goes_on_where_it_stopped_and_gives_the_same_bytes(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = _replayed(recording, tmp_path / "once")
    out = tmp_path / "outcome"

    def stop(self: command.Progress, told: Told) -> None:
        if told.village == "v002":
            raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(command.Progress, "hear", stop)
        arguments = ["replay", "--recording", str(recording), "--out", str(out)]
        assert main(arguments) == command.STOPPED
    assert not out.exists()
    parts = out.with_name("outcome.parts")
    assert sorted(path.name for path in parts.iterdir()) == ["v001.done", "v001.ndjson"]
    played: list[str] = []
    whole = work._Player.play

    def play(player: work._Player, village: str, hear: work.Hear) -> None:
        played.append(village)
        whole(player, village, hear)

    monkeypatch.setattr(work._Player, "play", play)
    assert _replayed(recording, out) == once
    assert played == ["v002", "v003"]
    assert not parts.exists()


def test_a_part_that_is_damaged_is_made_again(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = _replayed(recording, tmp_path / "once")
    out = _stopped_before_the_end(recording, tmp_path, monkeypatch)
    (tmp_path / "outcome.parts" / "v001.ndjson").write_bytes(b"{}\n")
    assert _replayed(recording, out) == once


def test_parts_of_other_settings_are_refused_with_the_remedy(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = _stopped_before_the_end(recording, tmp_path, monkeypatch)
    manifest = recording / MANIFEST_FILE
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"seed":1', '"seed":2'), encoding="utf-8")
    with pytest.raises(ReplayRefused, match="another recording, rule pack or version; remove the folder"):
        _replayed(recording, out)


def test_another_pack_judges_otherwise(recording: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.toml"
    shipped = files(kanhu.vitals.packs).joinpath("core.toml").read_text(encoding="utf-8")
    pack.write_text(shipped.replace('at_or_below = "92"', 'at_or_below = "89"'), encoding="utf-8")
    replay(recording, tmp_path / "outcome", pack=pack, jobs=1, progress=None)
    assert {alert.rule for alert in read(tmp_path / "outcome")[0]} == {"SOS"}


def test_a_recording_cut_anywhere_is_refused_with_its_place(recording: Path, tmp_path: Path) -> None:
    """In the middle of a frame by its reader, between two frames by the count in the manifest."""
    file = recording / "v001" / READINGS_FILE
    whole = file.read_bytes()
    second = 4 + int.from_bytes(whole[:4], "big")
    for length, said in ((len(whole) - 5, "the file ends in the middle"), (second, "its manifest says 30")):
        file.write_bytes(whole[:length])
        with pytest.raises(ReplayRefused, match=said):
            _replayed(recording, tmp_path / f"outcome-{length}")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (MANIFEST_FILE, '"format":1', '"format":2', r"manifest.json: format 2, this version reads 1"),
        (MANIFEST_FILE, "{", "[", r"manifest.json: .*; record it again"),
        (MANIFEST_FILE, "Asia/Shanghai", "Asia/Nowhere", r"no time zone 'Asia/Nowhere'"),
        (MANIFEST_FILE, '"ends_ms":', '"ends_ms":9999', r"more than 3660 days"),
        (MANIFEST_FILE, '"v003"', '"v004"', r"v004/.*: No such file"),
        ("site.toml", 'id = "v003"\nkind', 'id = "v009"\nkind', r"v003"),
        (f"v002/{VILLAGE_FILE}", '"v002"', '"v003"', r"village.json: is of village 'v003'"),
    ],
)
def test_a_recording_that_does_not_fit_together_is_refused(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, said: str
) -> None:
    file = recording / name
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    out = tmp_path / "outcome"
    assert main(["replay", "--recording", str(recording), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("kanhu-cloud: ")
    assert error.count("\n") == 1
    assert re.search(said, error), error
    assert not out.exists()


@pytest.mark.parametrize("jobs", ["0", "two", "65", "-1", "²"])
def test_wrong_jobs_are_refused_before_anything_starts(recording: Path, tmp_path: Path, jobs: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--recording", str(recording), "--out", str(tmp_path / "outcome"), "--jobs", jobs])
    assert ended.value.code == 2


def test_a_pack_that_must_not_run_is_refused_before_anything_starts(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack.toml"
    pack.write_text('version = "1"\n', encoding="utf-8")
    arguments = ["replay", "--recording", str(recording), "--out", str(tmp_path / "outcome"), "--pack", str(pack)]
    assert main(arguments) == 1
    assert str(pack) in capsys.readouterr().err
    assert not (tmp_path / "outcome.parts").exists()


def test_sigterm_ends_the_workers_and_says_how_to_go_on(tmp_path: Path) -> None:
    """Enough readings that it cannot be done before the signal comes."""
    villages = []
    for name in NAMES:
        village = Village(name)
        for second in range(4000):
            village.strap(START_MS + second * SECOND_MS, 70 + second % 5)
        villages.append(village)
    recording = record(tmp_path / "recording", *villages)
    out = tmp_path / "outcome"
    arguments = _arguments(recording, out, "--jobs", "2")
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, process_group=0) as running:
        scratch = tmp_path / "outcome.parts"
        while not [*scratch.glob("*.scratch/ledger.db")]:
            assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        _, error = running.communicate(timeout=30)
    assert running.returncode == command.STOPPED
    assert error == "kanhu-cloud: stopped; the same command goes on where it stopped\n"
    assert not [*scratch.glob("*.scratch")]
    assert _is_gone(running.pid)


def _stopped_before_the_end(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    out = tmp_path / "outcome"
    with monkeypatch.context() as broken:
        broken.setattr(Parts, "readings", lambda *_: 0)
        with pytest.raises(ReplayRefused, match="0 readings, its manifest says 30"):
            replay(recording, out, pack=None, jobs=1, progress=None)
    return out


def _is_gone(group: int) -> bool:
    """Whether no process of a group is left; a helper of the workers ends a moment after them."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _arguments(recording: Path, out: Path, *rest: str) -> list[str]:
    return [sys.executable, "-m", "kanhu.cloud.cli", "replay", "--recording", str(recording), "--out", str(out), *rest]


def _run(recording: Path, out: Path, *rest: str, seed: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    arguments = _arguments(recording, out, *rest)
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)
