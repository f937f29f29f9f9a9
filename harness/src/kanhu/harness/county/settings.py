"""What one run of a county is asked for, where it keeps its files, and which of them are still good."""

import hashlib
import json
import math
import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import kanhu.cloud
import kanhu.contract
import kanhu.firmware_sim
import kanhu.vitals
from kanhu.harness.county.stages import program

__all__ = ["Judgement", "Wish", "default_folder", "keep_seconds", "kept_seconds"]

_READS = frozenset({".py", ".toml", ".zdict", ".csv"})
_MAKERS = (kanhu.contract, kanhu.firmware_sim)
_JUDGES = (kanhu.contract, kanhu.vitals, kanhu.cloud)
_DIGITS = 12
_TIMES_FILE = "times.json"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One way of judging the recording."""

    pack: Path | None
    command: str | None
    """None: the judge of this version."""

    def outcome(self, folder: Path) -> Path:
        """The file of its outcome, named by everything that decides its bytes."""
        named = hashlib.sha256(self.command.encode() if self.command else _digest(_JUDGES).encode())
        if self.pack is not None:
            named.update(self.pack.read_bytes())
        return folder / f"outcome-{named.hexdigest()[:_DIGITS]}.ndjson"

    def words(self, recording: Path, out: Path, *, jobs: int) -> list[str]:
        """The command line."""
        judge = [program("kanhu-cloud"), "replay"] if self.command is None else shlex.split(self.command)
        pack = [] if self.pack is None else ["--pack", str(self.pack)]
        return [*judge, "--recording", str(recording), "--out", str(out), *pack, "--jobs", str(jobs), "--progress"]


@dataclass(frozen=True, slots=True)
class Wish:
    """A whole run."""

    people: int
    days: int
    seed: int
    jobs: int
    folder: Path
    judged: Judgement
    against: Judgement | Path | None
    """Another judgement of the same recording, or an outcome that is there already."""

    @property
    def recording(self) -> Path:
        """Where the recording lies."""
        return self.folder / "recording"


def default_folder(*, people: int, days: int, seed: int) -> Path:
    """Where nobody named a folder: the same for the same settings and version, so that a second start goes on."""
    cache = os.environ.get("XDG_CACHE_HOME")
    base = Path(cache) if cache else Path.home() / ".cache"
    if not os.access(base if base.exists() else base.parent, os.W_OK):
        base = Path(tempfile.gettempdir()) / f"kanhu-{os.getuid()}"
    return base / "kanhu" / "county" / f"{people}-people-{days}-days-seed-{seed}-{_digest(_MAKERS)}"


def keep_seconds(folder: Path, key: str, seconds: float) -> float:
    """Add what a stage took to what earlier starts of it took; answers with the sum."""
    kept = _times(folder)
    kept[key] = kept.get(key, 0.0) + seconds
    (folder / _TIMES_FILE).write_text(json.dumps(kept, sort_keys=True) + "\n", encoding="utf-8")
    return kept[key]


def kept_seconds(folder: Path, key: str) -> float:
    """What earlier starts of a stage took; 0 where there were none."""
    return _times(folder).get(key, 0.0)


def _times(folder: Path) -> dict[str, float]:
    try:
        kept = json.loads((folder / _TIMES_FILE).read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in kept.items() if 0 <= value < math.inf}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # only figures of time are lost with it
        return {}


def _digest(packages: tuple[ModuleType, ...]) -> str:
    """Of every file that decides what these packages do."""
    digest = hashlib.sha256()
    for package in packages:
        for root in package.__path__:
            for path in sorted(path for path in Path(root).rglob("*") if path.suffix in _READS):
                digest.update(f"{package.__name__} {path.relative_to(root)}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
