"""`./run score rhythm`: any folder of those formats, other people, any number; every figure and answer is explained."""

import json
from pathlib import Path

import numpy as np
import pytest

from kanhu.harness.score import rhythm_peers
from kanhu.harness.score.rhythm import main
from kanhu.harness.score.rhythm_rule import tally_of
from kanhu.harness.score.rhythm_streams import Counted, counted, listened, together
from kanhu.vitals.models import model_named
from kanhu.vitals.rhythm.detector import Rhythm
from kanhu.vitals.rhythm.strip import Strip
from tests.architecture.layout import ROOT

BEATS = 128 * 4
PAGE = (ROOT / "docs/detection/rhythm.md").read_text(encoding="utf-8")
OF_SETS = ("afdb_rr_", "mitdb_beats_", "gudb_rpeaks_", "cinc2017_rr_")


def _intervals(kind: str) -> np.ndarray:
    random = np.random.default_rng(1)
    return random.integers(400, 1200, BEATS) if kind == "irregular" else random.integers(795, 805, BEATS)


def _set(place: Path, rows: list[str], **arrays: np.ndarray) -> None:
    place.mkdir(parents=True)
    (place / "index.csv").write_text("record,subject,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    np.savez(place / "data.npz", allow_pickle=False, **arrays)


def _recordings(folder: Path, *, kind_marked_irregular: str) -> Path:
    """One record, half of it marked 1 (irregular); what that half holds is the caller's choice. All four sets."""
    intervals = np.concatenate([_intervals(kind_marked_irregular), _intervals("regular")])
    marks = np.repeat(np.array([1, 0], dtype=np.uint8), BEATS)
    offsets = np.array([0, BEATS, 2 * BEATS])
    rows = ["a,nobody-a,A", "b,nobody-b,N"]
    _set(folder / "one", rows, rr_ms=intervals.astype(np.uint16), rhythm=marks, offsets=offsets)
    samples = np.cumsum(np.round(intervals * 0.36)).astype(np.int32)
    _set(folder / "two", rows, sample360=samples, beat=marks, rhythm=marks, offsets=offsets)
    steady = np.cumsum(np.round(_intervals("regular") * 0.25)).astype(np.int32)
    _set(folder / "three", rows[:1], sample250=steady, offsets=np.array([0, BEATS]))
    _set(folder / "four", rows, rr_ms=intervals.astype(np.uint16), offsets=offsets)
    return folder


def _figures(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    figures: dict[str, float] = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    return figures


def test_a_detector_that_finds_what_is_marked_keeps_its_limits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    folder = _recordings(tmp_path / "sets", kind_marked_irregular="irregular")
    assert main(["--data", str(folder), "--json", "--peers", "--plot", str(picture)]) == 0
    figures = _figures(capsys)
    assert figures["f1"] == figures["afdb_rr_f1"] > 0.985
    assert figures["gudb_rpeaks_false_episodes"] == 0
    assert figures["cinc2017_rr_f1"] == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert {name for name in figures if name.startswith("zhou_2014")} != set()


def test_every_figure_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(_recordings(tmp_path / "sets", kind_marked_irregular="irregular")), "--json"])
    bare = set()
    for name in _figures(capsys):
        for one in OF_SETS:
            name = name.removeprefix(one)  # noqa: PLW2901  # stripped step by step
        bare.add(name.removesuffix("_low").removesuffix("_high"))
    assert sorted(name for name in bare if f"`{name}`" not in PAGE) == []


def test_every_answer_is_explained() -> None:
    assert [reason for reason in (*Rhythm, *Strip) if f"`{reason}`" not in PAGE] == []


def test_every_peer_is_explained() -> None:
    assert [peer for peer in rhythm_peers.PEERS if f"`{peer}`" not in PAGE] == []


def test_recordings_whose_marks_the_detector_misses_go_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _recordings(tmp_path / "sets", kind_marked_irregular="regular")
    assert main(["--data", str(folder), "--json"]) == 1
    assert _figures(capsys)["sensitivity"] == 0


@pytest.mark.parametrize("one", ["one", "two", "three", "four"])
def test_one_set_alone_is_held_to_its_own_limits(one: str, tmp_path: Path) -> None:
    folder = _recordings(tmp_path / "sets", kind_marked_irregular="irregular")
    assert main(["--data", str(folder / one), "--json"]) == 0


def test_a_window_in_which_the_rhythm_changes_is_left_out() -> None:
    marks = np.zeros(256, dtype=np.int64)
    marks[64:192] = 1
    assert sum(tally_of(iter([(np.full(256, 800.0), marks)])).windows.values()) == 0


def test_flutter_counts_neither_as_right_nor_as_wrong() -> None:
    intervals, marks = np.full(40, 800.0), np.repeat([0, 2, 1, 255], 10)
    called = np.repeat([False, True, True, True], 10)
    whole = counted(intervals, marks, called)
    assert (whole.found, whole.missed, whole.false, whole.calm) == (10, 0, 0, 10)
    assert (whole.flutter, whole.flutter_called, whole.false_episodes) == (10, 10, 0)


def test_an_episode_without_any_fibrillation_is_false_and_counted_by_the_hour() -> None:
    intervals, marks = np.full(9000, 800.0), np.zeros(9000, dtype=np.int64)
    called = np.zeros(9000, dtype=np.bool_)
    called[100:200] = called[400:500] = True
    whole = together([counted(intervals, marks, called), Counted(found=1)])
    assert (whole.false_episodes, whole.false, whole.found) == (2, 200, 1)
    assert whole.false_per_24h() == pytest.approx(24)


def test_what_is_scored_is_what_was_told_and_when() -> None:
    beats = np.concatenate([_intervals("regular"), _intervals("irregular"), _intervals("regular")]).astype(float)
    marks = np.repeat([0, 1, 0], BEATS)
    stream = listened(beats, model_named("rhythm"))
    whole = counted(beats, marks, stream.called, stream)
    assert whole.false_episodes == 0
    assert len(whole.delays_s) == 1
    assert 10 < whole.delays_s[0] < 200


@pytest.mark.parametrize("peer", sorted(rhythm_peers.PEERS))
def test_published_methods_tell_disorder_from_a_steady_pulse(peer: str) -> None:
    called = rhythm_peers.PEERS[peer]
    assert called(_intervals("irregular").astype(float)).mean() > 0.8
    assert called(np.full(BEATS, 800.0)).mean() < 0.1
