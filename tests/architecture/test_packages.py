"""Every part is a typed, described member of the kanhu namespace, at one version."""

import ast
import importlib.metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hatch_build import APART
from hatch_build import PARTS as COLLECTED_PARTS
from kanhu.contract.version import VERSION
from tests.architecture.layout import PARTS, ROOT, Part, manifest, modules, syntax_tree

OWN = {part.distribution for part in PARTS}

each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.folder)


def test_nobody_closes_the_namespace() -> None:
    strays = [path for path in ROOT.rglob("kanhu/__init__.py") if ".venv" not in path.parts]
    assert strays == [], "kanhu/__init__.py hides the other parts"


@each_part
def test_part_ships_its_types(part: Part) -> None:
    assert (part.package / "py.typed").is_file()


@each_part
def test_every_folder_says_what_lives_there(part: Part) -> None:
    folders = {path.parent for path in modules(part) if "migrations" not in path.parts}
    silent = [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not _described(folder / "__init__.py")]
    assert silent == []


@each_part
def test_part_lists_its_public_names(part: Part) -> None:
    tree = syntax_tree(part.package / "__init__.py")
    assigned = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    assert "__all__" in assigned


@each_part
def test_every_part_reads_the_one_version(part: Part) -> None:
    project = manifest(ROOT / part.folder / "pyproject.toml")
    assert project["project"]["dynamic"] == ["version"]
    source = ROOT / part.folder / project["tool"]["hatch"]["version"]["path"]
    assert source.resolve() == ROOT / "contract/src/kanhu/contract/version.py"


@each_part
def test_parts_ask_for_one_another_at_the_one_version(part: Part) -> None:
    project = manifest(ROOT / part.folder / "pyproject.toml")["project"]
    needs = [
        *project["dependencies"],
        *(need for extra in project.get("optional-dependencies", {}).values() for need in extra),
    ]
    own = [Requirement(need) for need in needs if Requirement(need).name in OWN]
    assert [str(need.specifier) for need in own] == [f"=={VERSION}"] * len(own)


@each_part
def test_part_carries_its_distribution_name_and_licence(part: Part) -> None:
    project = manifest(ROOT / part.folder / "pyproject.toml")["project"]
    assert (project["name"], project["license"]) == (part.distribution, "Apache-2.0")


def test_installed_version_is_the_constant() -> None:
    assert importlib.metadata.version("kanhu") == VERSION


def test_root_install_collects_every_part() -> None:
    assert list(COLLECTED_PARTS) == [part.folder for part in PARTS]
    assert sorted(path.parent.name for path in ROOT.glob("*/pyproject.toml")) == sorted(COLLECTED_PARTS)


def test_root_install_takes_each_third_party_need_and_none_of_our_own() -> None:
    declared = {
        Requirement(need).name
        for part in PARTS
        for project in [manifest(ROOT / part.folder / "pyproject.toml")["project"]]
        for group in [project["dependencies"], *_taken(project.get("optional-dependencies", {}))]
        for need in group
    }
    collected = {
        Requirement(need).name for need in importlib.metadata.requires("kanhu") or [] if "extra ==" not in need
    }
    assert collected == declared - OWN


def test_a_tool_of_one_proof_is_asked_for_by_name_in_the_root_too() -> None:
    extras = manifest(ROOT / "pyproject.toml")["project"]["optional-dependencies"]
    of_parts = {
        name: asked
        for part in PARTS
        for name, asked in manifest(ROOT / part.folder / "pyproject.toml")["project"]
        .get("optional-dependencies", {})
        .items()
        if name in APART
    }
    assert {name: extras[name] for name in APART} == of_parts


def _taken(extras: dict[str, list[str]]) -> list[list[str]]:
    return [asked for name, asked in extras.items() if name not in APART]


def _described(path: Path) -> bool:
    return path.is_file() and bool(ast.get_docstring(syntax_tree(path)))
