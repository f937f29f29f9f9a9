"""Where the parts lie: read by every architecture test."""

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "ROOT", "Part", "manifest", "modules", "syntax_tree", "tracked_files"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Part:
    """One folder of the repository that is a distribution of its own."""

    folder: str
    module: str

    @property
    def distribution(self) -> str:
        """Name on a package index."""
        return f"kanhu-{self.folder}"

    @property
    def source(self) -> Path:
        """Folder that goes on the import path."""
        return ROOT / self.folder / "src"

    @property
    def package(self) -> Path:
        """Folder of the part's own package."""
        return self.source / "kanhu" / self.module


PARTS = tuple(
    Part(folder, folder.replace("-", "_"))
    for folder in ("contract", "vitals", "edge", "gateway", "cloud", "firmware-sim", "harness")
)


@cache
def manifest(path: Path) -> dict[str, Any]:
    """Read one pyproject.toml."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def modules(part: Part) -> list[Path]:
    """List every Python file of a part, in order."""
    return sorted(part.package.rglob("*.py"))


def syntax_tree(path: Path) -> ast.Module:
    """Parse one file; a fault names it."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def tracked_files() -> list[Path]:
    """List the files under version control that are still there; in an unpacked archive, every file."""
    if not (ROOT / ".git").exists():
        hidden = {".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__"}
        return sorted(path for path in ROOT.rglob("*") if path.is_file() and not hidden.intersection(path.parts))
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]  # the folder may belong to another user
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
