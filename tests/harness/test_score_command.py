"""What every score has in common: whose limits are asked for."""

from pathlib import Path

import pytest

from kanhu.harness.score.command import Measured, Run, conduct

KNOWN = ("sisfall", "weda_fall", "smartfallmm")


def _ends(figures: dict[str, float], sets: set[str], folder: Path) -> int:
    def measure(_run: Run) -> Measured:
        return Measured(figures, frozenset(sets))

    return conduct("falls", measure, ["--data", str(folder)], about="", known=KNOWN)


WRIST = {"weda_fall_sensitivity": 0.95, "weda_fall_false_per_hour": 0.5}


def test_a_limit_of_a_set_that_is_not_there_is_not_asked_for(tmp_path: Path) -> None:
    assert _ends(WRIST, {"weda_fall"}, tmp_path) == 0


def test_a_limit_of_a_set_that_is_there_is_held_and_its_figure_may_not_be_missing(tmp_path: Path) -> None:
    assert _ends(WRIST | {"weda_fall_sensitivity": 0.5}, {"weda_fall"}, tmp_path) == 1
    assert _ends(WRIST, {"weda_fall", "sisfall"}, tmp_path) == 1


def test_a_figure_without_a_set_is_of_the_first_that_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(_run: Run) -> Measured:
        return Measured({"noise_found": 0.5}, frozenset({"cinc2017_ecg"}))

    known = ("mitdb_ecg", "cinc2017_ecg")
    assert conduct("beats", measure, ["--data", str(tmp_path)], about="", known=known) == 0
    assert conduct("beats", measure, ["--data", str(tmp_path)], about="", known=known[::-1]) == 1
    assert "not measured" in capsys.readouterr().out
