"""Fetch Debian packages with all that they need, as files: by apt, from this machine's sources, in its own folders.

Nothing is installed here, and no root is needed.
"""

from collections.abc import Sequence
from pathlib import Path

from kanhu.harness.wheels import must_run

__all__ = ["fetch"]


def fetch(names: Sequence[str], folder: Path, *, architecture: str) -> list[Path]:
    """These packages and what they depend on, to the last library, for this architecture; the folder is made.

    Raises:
        ProgramFailed: apt cannot fetch them.
    """
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()  # as if nothing were installed
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
        "Dir::Cache": folder / "cache",
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
    }
    command = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
    must_run("apt-get update", [*command, "update"])
    must_run("apt-get", [*command, "install", "--yes", "--no-install-recommends", "--download-only", *names])
    return sorted(folder.glob("cache/archives/*.deb"))
