"""A part declares what it imports, in its own manifest; extras count."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.layout import PARTS, ROOT, Part, manifest, modules, syntax_tree

_OWN_MODULES = {part.module: part.distribution for part in PARTS}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.folder)
def test_part_declares_every_import(part: Part) -> None:
    declared = declared_distributions(ROOT / part.folder / "pyproject.toml") | {part.distribution}
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(part)
        for name in imported_modules(syntax_tree(path))
        if not declared.intersection(distributions_of(name))
    }
    assert sorted(undeclared) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os\nimport asyncio.tasks", set()),
        ("import fastapi", {"fastapi"}),
        ("def train():\n    from sklearn.linear_model import X", {"sklearn"}),
        ("from kanhu.edge.codecs import y", {"kanhu.edge"}),
        ("from kanhu import cloud", {"kanhu.cloud"}),
        ("import kanhu.vitals.scores", {"kanhu.vitals"}),
    ],
)
def test_imports_are_seen_wherever_they_stand(source: str, expected: set[str]) -> None:
    assert imported_modules(ast.parse(source)) == expected


def test_an_import_that_nothing_declares_is_caught() -> None:
    declared = declared_distributions(ROOT / "vitals" / "pyproject.toml")
    assert declared.isdisjoint(distributions_of("fastapi"))
    assert declared.isdisjoint(distributions_of("kanhu.edge"))
    assert not declared.isdisjoint(distributions_of("numpy"))


def imported_modules(tree: ast.Module) -> set[str]:
    """Return the top-level module of each import beyond the standard library; kanhu by part."""
    return {name for name in map(_owner, _imported_names(tree)) if name not in sys.stdlib_module_names}


def distributions_of(module: str) -> frozenset[str]:
    """Return the distributions that provide a module, names as package indexes normalise them."""
    if module.startswith("kanhu."):
        return frozenset({_OWN_MODULES[module.removeprefix("kanhu.")]})
    return frozenset(_normalised(name) for name in _providers().get(module, [module]))


def declared_distributions(path: Path) -> set[str]:
    """Return every distribution a manifest asks for, those of its extras included."""
    project = manifest(path)["project"]
    groups = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    return {_normalised(Requirement(need).name) for group in groups for need in group}


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _owner(name: str) -> str:
    pieces = name.split(".")
    return ".".join(pieces[:2]) if pieces[0] == "kanhu" else pieces[0]


@cache
def _providers() -> dict[str, list[str]]:
    return {module: list(names) for module, names in importlib.metadata.packages_distributions().items()}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
