"""`./run prove`: its tasks, and what it says to a wrong word."""

import re

import pytest

from kanhu.harness.prove.__main__ import TASKS, main
from tests.architecture.layout import ROOT


def test_the_door_and_the_table_know_the_same_tasks() -> None:
    listed = re.search(r"^_PROVEN = \((.+)\)$", (ROOT / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed is not None
    assert {name.strip(' "') for name in listed.group(1).split(",") if name.strip()} == set(TASKS)


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 2), (["nothing"], 2)])
def test_help_lists_every_task_and_an_unknown_one_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert main(words) == code
    said = capsys.readouterr()
    assert all(name in said.out + said.err for name in TASKS)
