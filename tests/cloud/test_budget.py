"""`kanhu-cloud budget`: a limit that keeps a budget on the county's own history, and what it would cost."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from kanhu.cloud.budget.asked import budgeted
from kanhu.cloud.budget.history import Person, scores_of
from kanhu.cloud.cli import main
from kanhu.contract import FakeClock
from kanhu.vitals import Rule, core_pack
from kanhu.vitals.rules.records import TrendTrigger
from tests.cloud.test_trend import weeks
from tests.cloud.town import Town

FIRST = date(2026, 3, 1)
BUDGET = 0.01


def trend() -> tuple[Rule, TrendTrigger]:
    rule = core_pack().rule("TREND")
    assert rule is not None
    assert isinstance(rule.trigger, TrendTrigger)
    return rule, rule.trigger


def people(count: int, *, seed: int, days: int = 90, ill_from: int | None = None) -> Iterator[Person]:
    """Pulse and pressure of each day, drawn; ill ones have both higher from one day on."""
    random = np.random.default_rng(seed)
    for number in range(count):
        pulse, pressure = random.normal(70, 5, days), random.normal(130, 9, days)
        if ill_from is not None:
            pulse[ill_from:] += 15
            pressure[ill_from:] += 27
        yield Person(
            f"r-{number}",
            {
                FIRST + timedelta(days=day): {
                    "heart_rate": Decimal(str(round(pulse[day], 1))),
                    "systolic": Decimal(str(round(pressure[day], 1))),
                }
                for day in range(days)
            },
        )


def test_the_limit_keeps_its_budget_on_other_people_and_finds_changes_sooner_than_a_higher_one() -> None:
    rule, trigger = trend()
    asked = budgeted(people(30, seed=1), rule, trigger, real={}, budget_per_day=BUDGET, say=lambda _: None)
    assert asked.people == 30
    assert asked.limits["by_budget"] < asked.limits["as_set"]
    held = [scores_of(person.summaries, rule) for person in people(30, seed=2)]
    over = sum(float(np.nanmax(one.values)) > asked.limits["by_budget"] for one in held if one is not None)
    assert 0 < over / (30 * 75) < 1.5 * BUDGET
    for change in asked.changes:
        assert change.people == 30
        assert change.found["by_budget"] > change.found["as_set"]


def test_alerts_that_people_closed_as_real_are_no_false_ones_and_are_named_where_they_would_be_missed() -> None:
    rule, trigger = trend()
    ill = list(people(12, seed=3, ill_from=80))
    days = {person.subject: [FIRST + timedelta(days=88)] for person in ill}
    blind = budgeted(iter(ill), rule, trigger, real={}, budget_per_day=BUDGET, say=lambda _: None)
    told = budgeted(iter(ill), rule, trigger, real=days, budget_per_day=BUDGET, say=lambda _: None)
    assert told.real == 12
    assert told.alerts_per_day["as_set"] < blind.alerts_per_day["as_set"]
    assert told.missed["as_set"] == 0
    early = {person.subject: [FIRST + timedelta(days=50)] for person in ill}
    assert (
        budgeted(iter(ill), rule, trigger, real=early, budget_per_day=BUDGET, say=lambda _: None).missed["as_set"] == 12
    )


def test_few_people_get_no_limit_but_a_word(town: Town, clock: FakeClock, capsys: pytest.CaptureFixture[str]) -> None:
    weeks(town, clock, days=40)
    config = town.folder / "cloud.toml"
    config.write_text(f'data = "{town.folder}"\n')
    assert main(["budget", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "1 people" in said
    assert "so few people cannot vouch" in said
    assert main(["budget", "--config", str(config), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["reason"] == "too_few"
    assert answer["alerts_per_day"] == {"as_set": 0.0}


def test_an_empty_history_and_an_absurd_budget_are_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text(f'data = "{tmp_path}"\n')
    assert main(["migrate", "--config", str(config)]) == 0
    assert main(["budget", "--config", str(config)]) == 1
    assert "ask again when they have" in capsys.readouterr().err
    for wrong in ("0", "nan", "2", "many"):
        with pytest.raises(SystemExit) as ended:
            main(["budget", "--per-day", wrong])
        assert ended.value.code == 2
