"""A measurement is good only where every limit is kept, and its last line is for machines."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.harness.errors import LimitsRefused
from kanhu.harness.report import LIMITS_PATH, Limit, Output, Report, Verdict, finish, read_limits, settings

AT_MOST_TEN = Limit("at_most", 10, "a box of ten")


def test_broken_limit_makes_the_report_bad() -> None:
    assert Report("x", {"used": 10}, {"used": AT_MOST_TEN}).ok
    assert not Report("x", {"used": 11}, {"used": AT_MOST_TEN}).ok


def test_figure_that_was_not_measured_breaks_its_limit() -> None:
    report = Report("x", {}, {"used": AT_MOST_TEN})
    assert report.verdicts() == {"used": Verdict.NOT_MEASURED}
    assert not report.ok


def test_figure_without_a_limit_is_only_reported() -> None:
    report = Report("x", {"seen": 5}, {})
    assert report.verdicts() == {"seen": Verdict.REPORTED}
    assert report.ok


@given(bound=st.integers(), value=st.integers())
def test_bounds_include_themselves(bound: int, value: int) -> None:
    def verdict(comparison: str) -> bool:
        return Limit(comparison, bound, "reason").judge(value) is Verdict.KEPT

    assert verdict("at_most") == (value <= bound)
    assert verdict("at_least") == (value >= bound)
    assert verdict("equals") == (value == bound)


def test_no_figure_is_good_where_it_is_not_a_number() -> None:
    assert Limit("at_most", 1.0, "reason").judge(float("nan")) is Verdict.BROKEN
    assert Limit("at_least", 1.0, "reason").judge("many") is Verdict.BROKEN


@pytest.mark.parametrize(("used", "expected"), [(3, 0), (30, 1)])
def test_last_line_is_one_json_object_and_the_exit_code_follows_ok(
    capsys: pytest.CaptureFixture[str], used: int, expected: int
) -> None:
    report = Report("x", {"used": used}, {"used": AT_MOST_TEN}, seed=7, versions={"kanhu": "0.1.0"})
    assert finish(report, output=Output.TABLE_AND_JSON) == expected
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(printed) == {"name", "ok", "figures", "seed", "machine", "versions"}
    assert (printed["name"], printed["ok"], printed["figures"], printed["seed"]) == (
        "x",
        not expected,
        {"used": used},
        7,
    )


def test_table_shows_the_reason_of_each_limit(capsys: pytest.CaptureFixture[str]) -> None:
    finish(Report("x", {"used": 3}, {"used": AT_MOST_TEN}), output=Output.TABLE)
    assert "a box of ten" in capsys.readouterr().out


@pytest.mark.parametrize(
    "row",
    [
        "",
        "at_most = 1",
        'reason = "why"',
        'at_most = 1\nreason = " "',
        'at_most = 1\nat_least = 0\nreason = "why"',
        'at_most = 1\nreason = "why"\nunit = "s"',
    ],
)
def test_limit_without_one_bound_and_a_reason_is_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(f"[x.figures.used]\n{row}\n", encoding="utf-8")
    with pytest.raises(LimitsRefused, match=r"x\.used"):
        read_limits("x", path=path)


def test_measurement_without_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.touch()
    with pytest.raises(LimitsRefused, match="x"):
        settings("x", path=path)


def test_every_shipped_limit_can_be_read() -> None:
    assert read_limits("wheels", path=LIMITS_PATH)
