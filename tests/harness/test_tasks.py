"""A task ends in words and with the exit code that its help promises, whatever ended it."""

from collections.abc import Sequence

import pytest

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.tasks import Task, run_task
from kanhu.harness.village.stage import VillageFailed

_TASKS = {"this": Task("one that ends as it is told", __name__)}
_ENDS: dict[str, BaseException] = {
    "failed": ProgramFailed("a fleet", "no such port"),
    "village": VillageFailed("the county did not answer"),
    "cannot": CannotBeHad("a disk", "needs root"),
    "stopped": KeyboardInterrupt(),
}


def main(arguments: Sequence[str]) -> int:
    """Be the task."""
    if arguments[0] in _ENDS:
        raise _ENDS[arguments[0]]
    return int(arguments[0])


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("0", 0, ""),
        ("1", 1, ""),
        ("failed", 1, "kanhu: a fleet failed:\nno such port\n"),
        ("village", 1, "kanhu: the county did not answer\n"),
        ("cannot", 3, "kanhu: a disk cannot be had here: needs root\n"),
        ("stopped", 130, "kanhu: stopped; nothing is left behind\n"),
    ],
)
def test_what_ends_a_task_is_said_in_a_line_and_told_by_the_code(
    capsys: pytest.CaptureFixture[str], word: str, code: int, said: str
) -> None:
    assert run_task("prove", _TASKS, ["this", word]) == code
    assert capsys.readouterr().err == said


def test_an_error_that_nobody_expected_is_not_put_into_words() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        run_task("prove", _TASKS, ["this", "no number"])
