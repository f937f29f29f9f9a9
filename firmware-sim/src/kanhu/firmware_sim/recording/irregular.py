"""Recorded irregular beats: the intervals that a folder of recordings marks so, and the digest of the folder."""

import hashlib
from pathlib import Path

from kanhu.firmware_sim.bodies import load_recorded_beats
from kanhu.firmware_sim.errors import RecordRefused

__all__ = ["default_recordings", "irregular_intervals", "recordings_digest"]

_IRREGULAR = "af"
_FEWEST_BEATS = 500
_IN_A_CLONE = Path("harness") / "data" / "rr_af"


def default_recordings() -> Path:
    """The recordings of a clone of the repository, which this code runs from; elsewhere they have to be named."""
    return Path(__file__).resolve().parents[5] / _IN_A_CLONE


def irregular_intervals(folder: Path) -> tuple[float, ...]:
    """Milliseconds, in order of file name and beat.

    Raises:
        RecordRefused: no such files, or too few beats so marked.
    """
    beats = [beat for file in _files(folder) for beat in load_recorded_beats(file)]
    found = tuple(beat.rr_ms for beat in beats if beat.rhythm == _IRREGULAR)
    if len(found) < _FEWEST_BEATS:
        detail = f"{len(found)} beats marked {_IRREGULAR!r}, at least {_FEWEST_BEATS}: name a folder with --recordings"
        raise RecordRefused(folder, 1, detail)
    return found


def recordings_digest(folder: Path) -> str:
    """SHA-256 over all files, so that other beats are other settings."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))
