from pathlib import Path

import numpy as np
import pytest

from kanhu.harness.rhythm import main, score

BEATS = 128 * 4


def _intervals(kind: str) -> np.ndarray:
    random = np.random.default_rng(1)
    return random.integers(400, 1200, BEATS) if kind == "irregular" else random.integers(795, 805, BEATS)


def _recordings(folder: Path, *, kind_marked_irregular: str) -> Path:
    """Two records: one marked 1 (irregular), one marked 0; what the first holds is the caller's choice."""
    intervals = np.concatenate([_intervals(kind_marked_irregular), _intervals("regular")])
    marks = np.repeat(np.array([1, 0], dtype=np.uint8), BEATS)
    offsets = np.array([0, BEATS, 2 * BEATS])
    (folder / "afdb_rr").mkdir()
    np.savez(folder / "afdb_rr" / "data.npz", rr_ms=intervals.astype(np.uint16), rhythm=marks, offsets=offsets)
    (folder / "mitdb_beats").mkdir()
    samples = np.cumsum(np.round(intervals * 0.36)).astype(np.int32)
    np.savez(folder / "mitdb_beats" / "data.npz", sample360=samples, rhythm=marks, offsets=offsets)
    return folder


def _main(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["rhythm", "--data", str(folder), "--json"])
    return main()


def test_a_detector_that_finds_what_is_marked_keeps_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _main(_recordings(tmp_path, kind_marked_irregular="irregular"), monkeypatch) == 0


def test_recordings_whose_marks_the_detector_misses_go_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _main(_recordings(tmp_path, kind_marked_irregular="regular"), monkeypatch) == 1


def test_a_missing_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(tmp_path, monkeypatch)
    assert ended.value.code == 2
    assert "afdb_rr" in capsys.readouterr().err


def test_a_window_in_which_the_rhythm_changes_is_left_out() -> None:
    marks = np.zeros(256, dtype=np.uint8)
    marks[64:192] = 1
    tally = score(iter([(np.full(256, 800.0), marks)]))
    assert sum(tally.windows.values()) == 0


def test_a_damaged_recording_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _recordings(tmp_path, kind_marked_irregular="irregular")
    np.savez(folder / "mitdb_beats" / "data.npz", sample360=np.zeros(3))
    for damage in (lambda: None, lambda: (folder / "afdb_rr" / "data.npz").write_bytes(b"PK\x03\x04garbage")):
        damage()
        with pytest.raises(SystemExit) as ended:
            _main(folder, monkeypatch)
        assert ended.value.code == 2
        assert "is damaged" in capsys.readouterr().err
