"""Nothing is raised inside `except*`: with Debian 12's Python (3.11.2) it comes out in a group, caught by nobody."""

import ast
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT

_PARTS = ("contract", "vitals", "edge", "gateway", "cloud", "firmware-sim", "harness", "tests")
_FILES = [file for part in _PARTS for file in sorted((ROOT / part).rglob("*.py"))]


def raised_in_groups(source: str) -> list[int]:
    """Lines of `raise` inside `except*`."""
    handlers = (each for node in ast.walk(ast.parse(source)) if isinstance(node, ast.TryStar) for each in node.handlers)
    return [found.lineno for handler in handlers for found in ast.walk(handler) if isinstance(found, ast.Raise)]


@pytest.mark.parametrize("part", _PARTS)
def test_what_is_raised_is_raised_outside(part: str) -> None:
    files = [file for file in _FILES if file.is_relative_to(ROOT / part)]
    assert {str(file): raised_in_groups(file.read_text(encoding="utf-8")) for file in files} == {
        str(file): [] for file in files
    }


def test_one_inside_is_found() -> None:
    assert raised_in_groups("try:\n    pass\nexcept* OSError as group:\n    raise group.exceptions[0]\n") == [4]


def test_there_are_files_to_look_at() -> None:
    assert all(isinstance(file, Path) for file in _FILES)
    assert len(_FILES) > 1000
