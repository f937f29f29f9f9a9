"""What is scored is a whole recording and an outcome of that recording; anything else is refused with the remedy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kanhu.firmware_sim.recording.county import CountyWish, record_county
from kanhu.firmware_sim.recording.rhythms import default_recordings
from kanhu.harness.county.conduct import scored_outcome
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.scoring.recorded import read_known, read_outcome_file
from kanhu.vitals import core_pack

_NESTED = b"[" * 100_000


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county of two villages."""
    out = tmp_path_factory.mktemp("recording") / "recording"
    record_county(CountyWish(people=40, days=1, seed=3, out=out, recordings=default_recordings()), told=lambda *_: None)
    return out


@pytest.fixture
def recording(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "copy")


def _lines(recording: Path) -> list[dict[str, Any]]:
    """An outcome in which every reading is stored and one alert was told."""
    starts_ms = json.loads((recording / "manifest.json").read_bytes())["starts_ms"]
    told = {"at_ms": starts_ms + 1000, "own_ms": starts_ms + 1000, "priority": "high", "reason": "opened"}
    alert = {"type": "alert", "alert": "a-1", "village": "v001", "gateway": "v001-h01", "subject": "v001-r01",
             "rule": "SOS", "rule_version": "1", "priority": "high", "told": [told]}  # fmt: skip  # one alert
    return [alert, *(_counts(recording, village) for village in ("v001", "v002"))]


def _counts(recording: Path, village: str) -> dict[str, Any]:
    readings = json.loads((recording / village / "done.json").read_bytes())["readings"]
    return {"type": "counts", "village": village, "readings": readings, "stored": readings, "duplicated": 0,
            "refused": 0, "decisions": {}, "stages": {}}  # fmt: skip  # one account


def _score(recording: Path, lines: list[dict[str, Any]], tmp_path: Path) -> None:
    outcome = tmp_path / "outcome.ndjson"
    outcome.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    scored_outcome(recording, outcome, pack=core_pack())


def test_a_whole_recording_and_its_outcome_are_scored(recording: Path, tmp_path: Path) -> None:
    _score(recording, _lines(recording), tmp_path)


def _without_the_last_truth(recording: Path) -> None:
    truth = recording / "v001" / "truth.ndjson"
    truth.write_bytes(b"".join(truth.read_bytes().splitlines(keepends=True)[:-1]))


def _with_swapped_villages(recording: Path) -> None:
    (recording / "v001").rename(recording / "aside")
    (recording / "v002").rename(recording / "v001")
    (recording / "aside").rename(recording / "v002")


def _with_another_byte(recording: Path) -> None:
    readings = recording / "v002" / "readings.bin"
    data = bytearray(readings.read_bytes())
    data[len(data) // 2] ^= 1
    readings.write_bytes(data)


def _manifest(recording: Path, **changed: object) -> None:
    file = recording / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **changed}), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_the_last_truth, "not those done.json names"),
        (_with_swapped_villages, "holds village 'v002'"),
        (_with_another_byte, "not those done.json names"),
        (lambda folder: (folder / "v001" / "done.json").unlink(), "done.json"),
        (lambda folder: (folder / "v001" / "done.json").write_bytes(b"\x00\xff"), "done.json"),
        (lambda folder: (folder / "manifest.json").write_bytes(_NESTED), "manifest.json"),
        (lambda folder: _manifest(folder, villages=["v001", "v001"]), "twice"),
        (lambda folder: _manifest(folder, villages=["v001"]), "its villages have"),
        (lambda folder: _manifest(folder, timezone="Asia/Nowhere"), "no time zone"),
        (lambda folder: _manifest(folder, ends_ms=0), "ends before it begins"),
        (lambda folder: _manifest(folder, ends_ms=2**62), "or never"),
        (lambda folder: _manifest(folder, format=2), "format 2"),
    ],
)
def test_a_recording_that_is_not_as_it_was_recorded_is_refused(
    recording: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(recording)
    with pytest.raises(RecordingUnusable, match="record it again") as refused:
        read_known(recording)
    assert said in str(refused.value)


def _alert(lines: list[dict[str, Any]], **changed: object) -> list[dict[str, Any]]:
    return [{**lines[0], **changed}, *lines[1:]]


def _told(lines: list[dict[str, Any]], **changed: object) -> list[dict[str, Any]]:
    return _alert(lines, told=[{**lines[0]["told"][0], **changed}])


def _account(lines: list[dict[str, Any]], **changed: object) -> list[dict[str, Any]]:
    return [lines[0], {**lines[1], **changed}, lines[2]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: _told(lines, priority="urgent"), "urgent"),
        (lambda lines: _alert(lines, priority="urgent"), "urgent"),
        (lambda lines: _told(lines, at_ms=10**18), "line 1"),
        (lambda lines: _told(lines, at_ms=-1), "line 1"),
        (lambda lines: _told(lines, at_ms=0), "before the recording begins"),
        (lambda lines: _told(lines, held_until_ms=10**30), "line 1"),
        (lambda lines: _alert(lines, level=-1), "line 1"),
        (lambda lines: [lines[0], *lines], "alert 'a-1' of village 'v001' stands there 2 times"),
        (lambda lines: _alert(lines, village="v009"), "'v009' is not in the recording"),
        (lambda lines: [*lines, lines[1]], "2 accounts of village 'v001'"),
        (lambda lines: lines[:2], "0 accounts of village 'v002'"),
        (lambda lines: _account(lines, stored=-5), "line 2"),
        (lambda lines: _account(lines, owed=7), "readings stored, refused or owed"),
        (lambda lines: _account(lines, readings=10**9), "the recording has"),
        (lambda _: [], "0 accounts"),
    ],
)
def test_an_outcome_that_is_not_of_this_recording_is_refused(
    whole: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], said: str
) -> None:
    with pytest.raises(RecordingUnusable, match="again") as refused:
        _score(whole, change(_lines(whole)), tmp_path)
    assert said in str(refused.value)


@pytest.mark.parametrize("line", [_NESTED, b"\x00\xff\x80", b'{"type": "alert"}', b"NaN", b"1e999"])
def test_garbage_for_an_outcome_is_refused_with_its_line(tmp_path: Path, line: bytes) -> None:
    outcome = tmp_path / "outcome.ndjson"
    outcome.write_bytes(b"\n" + line + b"\n")
    with pytest.raises(RecordingUnusable, match="line 1"):
        read_outcome_file(outcome)
