"""Files stay small, carry a noun for a name, and mention no machine but the reader's own."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.layout import PARTS, ROOT, modules, syntax_tree, tracked_files

_MOST_LINES = 500
_SIZED = {".py", ".js", ".css"}
_FOLDERS = {part.folder for part in PARTS} | {"tests"}
_NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

# Written in pieces, so that this file does not contain what it looks for.
_FOREIGN = {
    "a folder of somebody's machine": re.compile(
        r"(?<![\w.~-])/(?:" + "work|root|opt/" + "pypi|opt/" + r"wheels)(?:/|\b(?![-\w./]))"
    ),
    "a neighbouring folder": re.compile(r"\.\./" + r"shared\b"),
    "a registry host": re.compile(
        "|".join(
            [r"pypi\." + "org", r"pythonhosted\." + "org", r"registry\.npmjs\." + "org", r"simple/" + r"?\s+--index"]
        )
    ),
    "a scratch folder": re.compile(r"/tm" + r"p/(?:brief|v0|bash_jobs)"),
}


def test_no_file_grows_past_500_lines() -> None:
    sizes = {path: len(_text(path).splitlines()) for path in tracked_files() if _is_ours_to_size(path)}
    worst = max(sizes, key=lambda path: sizes[path])
    too_long = {str(path.relative_to(ROOT)): lines for path, lines in sizes.items() if lines > _MOST_LINES}
    assert too_long == {}, f"the longest is {worst.relative_to(ROOT)} with {sizes[worst]} lines"


def test_no_file_mentions_another_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number} names {what}: {line.strip()[:80]}"
        for path in tracked_files()
        if (text := _text_or_none(path)) is not None
        for number, line in enumerate(text.splitlines(), start=1)
        for what in foreign_words(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("data = '/wo" + "rk/main'", ["a folder of somebody's machine"]),
        ("see ../sha" + "red/design", ["a neighbouring folder"]),
        ("https://py" + "pi.org/simple", ["a registry host"]),
        ("https://example.org/work/", []),
        ("/var/lib/kanhu and ./work/x and network/root/y", []),
    ],
)
def test_foreign_words_are_recognised(line: str, expected: list[str]) -> None:
    assert foreign_words(line) == expected


def test_modules_are_named_for_what_they_hold() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    everything = [*(path for part in PARTS for path in modules(part)), *tests]
    assert [str(path.relative_to(ROOT)) for path in everything if path.stem.strip("_") in _NAMELESS] == []


def test_nothing_ships_unwritten() -> None:
    unwritten = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for part in PARTS
        for path in modules(part)
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)
    ]
    assert unwritten == []


def foreign_words(line: str) -> list[str]:
    """Name each kind of foreign mention in a line."""
    return [what for what, pattern in _FOREIGN.items() if pattern.search(line)]


def _is_ours_to_size(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    vendored = "vendor" in relative.parts or ".min." in path.name  # other people's files, served as they came
    return relative.parts[0] in _FOLDERS and path.suffix in _SIZED and not vendored


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _text_or_none(path: Path) -> str | None:
    """Return a file's text, or None for a font, a picture, a dictionary."""
    try:
        return _text(path)
    except UnicodeDecodeError:
        return None
