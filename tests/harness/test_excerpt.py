"""A recording cut out of public data is what the data says, and the simulator reads it."""

from pathlib import Path

import numpy as np
import pytest

from kanhu.firmware_sim.bodies.signals import load_signal
from kanhu.harness.excerpt import main


def folder(tmp_path: Path, **arrays: object) -> Path:
    made = tmp_path / "set"
    made.mkdir()
    (made / "index.csv").write_text("record,n\nfirst,3\nsecond,5\n", encoding="utf-8")
    np.savez(made / "data.npz", offsets=np.array([0, 3, 8]), **{name: np.array(each) for name, each in arrays.items()})  # type: ignore[arg-type]  # numpy names its own options in the same place
    return made


def cut(made: Path, *more: str) -> tuple[tuple[str, ...], int, tuple[tuple[int, ...], ...]]:
    out = made.parent / "out.csv"
    assert main([str(made), "second", "--out", str(out), *more]) == 0
    signal = load_signal(out)
    return signal.columns, int(signal.rate_hz), signal.samples


def test_an_electrocardiogram_of_the_arrhythmia_database_is_in_microvolts(tmp_path: Path) -> None:
    made = folder(tmp_path, ecg_delta_adu=[1, 2, 3, 1024, 0, 200, -400, 1])
    assert cut(made) == (("ecg_uv",), 360, ((0,), (0,), (1000,), (-1000,), (-995,)))


def test_an_electrocardiogram_of_the_challenge_is_as_published(tmp_path: Path) -> None:
    made = folder(tmp_path, ecg_delta_uv=[1, 2, 3, -14, 4, 0, 20, 1])
    assert cut(made) == (("ecg_uv",), 300, ((-14,), (-10,), (-10,), (10,), (11,)))


def test_an_acceleration_at_a_rate_is_left_as_it_is(tmp_path: Path) -> None:
    made = folder(tmp_path, acc_mg=[[number, 0, -number] for number in range(8)], gyro_ddps=[[0] * 3] * 8)
    columns, rate_hz, samples = cut(made, "--from", "0.02", "--seconds", "0.06")
    assert (columns, rate_hz, samples) == (("x_mg", "y_mg", "z_mg"), 50, ((4, 0, -4), (5, 0, -5), (6, 0, -6)))


def test_an_acceleration_with_times_is_drawn_between_them(tmp_path: Path) -> None:
    times = [0, 0, 0, 1000, 1020, 1060, 1080, 1120]
    steps = [[0, 0, 0]] * 3 + [[0, 981, 0], [98, 981, 0], [294, 981, 0], [0, 981, 0], [0, 981, 0]]
    columns, rate_hz, samples = cut(folder(tmp_path, t_ms=times, acc_cms2=steps))
    assert (columns, rate_hz) == (("x_mg", "y_mg", "z_mg"), 50)
    assert samples == ((0, 1000, 0), (100, 1000, 0), (200, 1000, 0), (300, 1000, 0), *((0, 1000, 0),) * 3)


@pytest.mark.parametrize(
    ("record", "more", "said"),
    [("third", [], "no record 'third'"), ("second", ["--from", "9"], "begin earlier"), ("second", [], "neither")],
)
def test_what_cannot_be_cut_is_refused_with_the_remedy(
    record: str, more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = folder(tmp_path, **{"other" if said == "neither" else "acc_mg": [[0, 0, 0]] * 8})
    assert main([str(made), record, "--out", str(tmp_path / "out.csv"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone"), "1", "--out", str(tmp_path / "out.csv")]) == 2
    assert "gone" in capsys.readouterr().err
