"""`./run prove`: its tasks, and what it says to a wrong word."""

import re

import pytest

from kanhu.harness.faults import Kind, Place
from kanhu.harness.prove.__main__ import TASKS, main
from kanhu.harness.prove.town import Size
from kanhu.harness.prove.under_faults import drawn_plan, targets_of
from tests.architecture.layout import ROOT


def test_the_door_and_the_table_know_the_same_tasks() -> None:
    listed = re.search(r"^_PROVEN = \((.+?)^\)", (ROOT / "run").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"([^"]+)"', listed.group(1))) == set(TASKS)


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 2), (["nothing"], 2)])
def test_help_lists_every_task_and_an_unknown_one_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert main(words) == code
    said = capsys.readouterr()
    assert all(name in said.out + said.err for name in TASKS)


@pytest.mark.parametrize("seed", range(1, 8))
def test_a_hundred_seconds_of_any_seed_hold_faults_enough_for_the_limit_on_everything_there_is(seed: int) -> None:
    plan = drawn_plan(seconds=100, seed=seed, size=Size())
    asked = [fault for fault in plan.schedule if fault.kind is Kind.KILL or fault.target.place is Place.LINK]
    assert len(asked) > 180  # some meet what is down already; 150 have to hit
    assert {fault.target for fault in plan.schedule} == set(targets_of(plan.size))
