"""The import arrows hold, and a planted import of each forbidden kind turns them red by name."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.layout import PARTS, ROOT, manifest

_LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@dataclass(frozen=True, slots=True)
class Planted:
    """One import nobody may write, and the contracts that must name it."""

    importer: str
    imported: str
    broken: frozenset[str]

    @property
    def folder(self) -> str:
        return self.importer.split(".")[1].replace("_", "-")


FORBIDDEN = [
    Planted("kanhu.cloud", "kanhu.edge", frozenset({"cloud-without-edge"})),
    Planted("kanhu.cloud", "kanhu.firmware_sim", frozenset({"arrows", "cloud-without-edge"})),
    Planted("kanhu.edge", "kanhu.cloud", frozenset({"arrows"})),
    Planted("kanhu.gateway", "kanhu.cloud", frozenset({"arrows"})),
    Planted("kanhu.vitals", "kanhu.edge", frozenset({"arrows"})),
    Planted("kanhu.contract", "kanhu.vitals", frozenset({"arrows"})),
    Planted("kanhu.gateway", "kanhu.harness", frozenset({"arrows"})),
    Planted("kanhu.firmware_sim.wire", "kanhu.vitals", frozenset({"simulator-without-judges"})),
    Planted("kanhu.firmware_sim.wire", "kanhu.edge", frozenset({"simulator-without-judges"})),
    Planted("kanhu.firmware_sim.scenario", "kanhu.firmware_sim.recording", frozenset({"simulator-layers"})),
    Planted("kanhu.harness.demo", "kanhu.cloud", frozenset({"demo-imports-no-part"})),
    Planted("kanhu.vitals", "asyncio", frozenset({"vitals-pure"})),
    Planted("kanhu.vitals", "sqlite3", frozenset({"vitals-pure"})),
    Planted("kanhu.edge.codecs", "logging", frozenset({"codecs-pure"})),
    Planted("kanhu.gateway", "fastapi", frozenset({"gateway-light"})),
]


def test_arrows_hold() -> None:
    done = _lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_no_contract_lets_siblings_import_each_other() -> None:
    contracts = manifest(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    layers = [layer for contract in contracts for layer in contract.get("layers", [])]
    assert layers
    assert [layer for layer in layers if ":" in layer] == []


def test_every_contract_has_a_planted_import() -> None:
    contracts = manifest(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {name for planted in FORBIDDEN for name in planted.broken}


@pytest.mark.parametrize("planted", FORBIDDEN, ids=lambda planted: f"{planted.importer}-imports-{planted.imported}")
def test_forbidden_import_is_named(planted: Planted, tmp_path: Path) -> None:
    copy = _copy_of_the_sources(tmp_path)
    package = copy / planted.folder / "src" / Path(*planted.importer.split("."))
    (package / "planted.py").write_text(f"import {planted.imported}\n", encoding="utf-8")
    done = _lint_imports(copy)
    assert done.returncode != 0
    assert _broken_contracts(done.stdout) == planted.broken, done.stdout
    assert f"{planted.importer}.planted -> {planted.imported}" in done.stdout


def _copy_of_the_sources(target: Path) -> Path:
    for part in PARTS:
        shutil.copytree(part.source, target / part.folder / "src", ignore=_unneeded)
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def _unneeded(folder: str, names: list[str]) -> set[str]:
    return {
        name for name in names if name == "__pycache__" or not (Path(folder, name).is_dir() or name.endswith(".py"))
    }


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the sources under a root, which go before the installed ones."""
    search_path = ":".join(str(root / part.folder / "src") for part in PARTS)
    return subprocess.run(
        [str(_LINT_IMPORTS), "--no-logo", "--no-cache", "--config", str(root / "pyproject.toml")],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": search_path, "COLUMNS": "300", "NO_COLOR": "1"},
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )


def _broken_contracts(report: str) -> set[str]:
    contracts = manifest(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    broken = set(re.findall(r"^(.+) BROKEN\b", report, re.MULTILINE))
    return {contract["id"] for contract in contracts if contract["name"] in broken}
