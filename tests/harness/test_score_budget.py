"""`./run score budget` in a small size: a limit keeps its budget on others, and one set day by day is seen not to."""

import json
from pathlib import Path

import pytest

from kanhu.harness.score import budget


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("_KNOWN", 30), ("_OTHERS", 30), ("_WATCHED_DAYS", 120)):
        monkeypatch.setattr(budget, name, size)


@pytest.mark.usefixtures("small")
def test_the_shipped_way_keeps_its_limits_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "budget.png"
    assert budget.main(["--json", "--plot", str(picture)]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert 1 / 1.5 < figures["budget_ratio"] < 1.5
    assert figures["days_ratio_at_0.01"] < figures["people_ratio_at_0.01"]
    assert picture.stat().st_size > 5_000


@pytest.mark.usefixtures("small")
def test_a_limit_that_nothing_passes_keeps_every_budget_and_goes_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_WAYS", {"people": lambda *_: 99.0})
    assert budget.main([]) == 1
