"""Environments in which libraries of the field run: each one of its own, made on first use, and never ours."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kanhu.harness.errors import LibrariesMissing
from kanhu.harness.report import LIMITS_PATH

__all__ = ["Apart", "clean_environment", "remedy_of"]

_STAMP = "installed"


@dataclass(frozen=True, slots=True)
class Apart:
    """One environment, by the name of the file that pins it."""

    name: str

    @property
    def pinned(self) -> Path:
        """Every package with its version and licence."""
        return LIMITS_PATH.parent / "apart" / f"{self.name}.txt"

    @property
    def folder(self) -> Path:
        """Where it stands."""
        return LIMITS_PATH.parents[1] / "run-data" / self.name

    def versions(self) -> dict[str, str]:
        """Pinned, by package."""
        lines = (line.partition("#")[0].strip() for line in self.pinned.read_text(encoding="utf-8").splitlines())
        return dict(line.split("==", 1) for line in lines if line)

    def ensure_installed(self, script: Path, *, say: Callable[[str], None]) -> list[str]:
        """Make it where it is missing or other versions are pinned; answers how to start `script` there.

        Raises:
            LibrariesMissing: something could not be fetched or built; the text ends with the remedy.
        """
        folder = self.folder
        python, stamp = folder / "bin" / "python", folder / _STAMP
        wanted = hashlib.sha256(self.pinned.read_bytes() + platform.python_version().encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
                say(f"installing {len(self.versions())} packages into {folder}, about a minute")
                venv.create(folder, clear=True, with_pip=True)
                _install(python, self.pinned)
                stamp.write_text(wanted, encoding="utf-8")
                say("installed")
        return [str(python), "-I", str(script)]


def clean_environment() -> Mapping[str, str]:
    """Nothing of this Python leaks into the other environment."""
    gone = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    own = str(Path(sys.executable).parent)
    return {**kept, "PATH": os.pathsep.join(part for part in kept.get("PATH", "").split(os.pathsep) if part != own)}


def remedy_of(said: str) -> str:
    """What to do about the last words of pip."""
    words = said.casefold()
    if any(one in words for one in ("no space left", "disk quota")):
        return "the disk is full: free some space (150 MB and more) and start again"
    if any(one in words for one in ("connection", "temporary failure", "timed out", "no matching distribution")):
        return "a package could not be fetched: check the network and pip's index settings, and start again"
    if any(one in words for one in ("cmake", "compiler", "gcc", "c++", "failed building wheel")):
        return "one is built from source: on Debian, apt-get install g++ cmake; then start again"
    return "remove its folder below run-data/ and start again; only comparing with others needs it"


def _install(python: Path, pinned: Path) -> None:
    command = [
        str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
        "-r", str(pinned),
    ]  # fmt: skip  # words by rows
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment(), check=False, text=True
    )
    if ended.returncode:
        raise LibrariesMissing(ended.stdout[-2000:], remedy_of(ended.stdout))
