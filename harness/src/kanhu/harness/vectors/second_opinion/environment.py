"""The environment in which the libraries of the field run: one of its own, made on first use, and never ours."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from kanhu.harness.errors import LibrariesMissing
from kanhu.harness.report import LIMITS_PATH

__all__ = ["PINNED", "clean_environment", "ensure_installed", "pinned_versions", "remedy_of"]

PINNED = LIMITS_PATH.parent / "second-opinion.txt"
"""Every package with its version and licence."""
_FOLDER = LIMITS_PATH.parents[1] / "run-data" / "second-opinion"
_STAMP = "installed"


def ensure_installed(*, say: Callable[[str], None], folder: Path = _FOLDER) -> list[str]:
    """Make the environment where it is missing or other versions are pinned; answers how to start `peer.py` there.

    Raises:
        LibrariesMissing: something could not be fetched or built; the text ends with the remedy.
    """
    python, stamp = folder / "bin" / "python", folder / _STAMP
    script = resources.files("kanhu.harness.vectors.second_opinion") / "peer.py"
    wanted = hashlib.sha256(PINNED.read_bytes() + platform.python_version().encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
            say(f"installing {len(pinned_versions())} packages into {folder}, about a minute; some are built here")
            venv.create(folder, clear=True, with_pip=True)
            _install(python)
            stamp.write_text(wanted, encoding="utf-8")
            say("installed")
    return [str(python), "-I", str(script)]


def pinned_versions() -> dict[str, str]:
    """By package."""
    lines = (line.partition("#")[0].strip() for line in PINNED.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==", 1) for line in lines if line)


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
        return "the disk is full: free 150 MB and start again"
    if any(one in words for one in ("connection", "temporary failure", "timed out", "no matching distribution")):
        return "a package could not be fetched: check the network and pip's index settings, and start again"
    if any(one in words for one in ("cmake", "compiler", "gcc", "c++", "failed building wheel")):
        return "one is built from source: on Debian, apt-get install g++ cmake; then start again"
    return "remove its folder below run-data/ and start again; without --second-opinion nothing of this is needed"


def _install(python: Path) -> None:
    command = [
        str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
        "-r", str(PINNED),
    ]  # fmt: skip  # words by rows
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment(), check=False, text=True
    )
    if ended.returncode:
        raise LibrariesMissing(ended.stdout[-2000:], remedy_of(ended.stdout))
