"""Recorded beats for straps: fibrillation, and hearts with extra beats, from a folder of recordings and its digest."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kanhu.firmware_sim.bodies import load_recorded_beats
from kanhu.firmware_sim.errors import RecordRefused

__all__ = ["Rhythms", "default_recordings", "load_rhythms", "recordings_digest"]

_FIBRILLATION = "af"
_FEWEST_BEATS = 500
_IN_A_CLONE = Path("harness") / "data"


@dataclass(frozen=True, slots=True)
class Rhythms:
    """Intervals between beats, in milliseconds."""

    irregular_ms: tuple[float, ...]
    """All that are marked as fibrillation, one record after the other."""
    extra_ms: tuple[tuple[float, ...], ...] = ()
    """Records without any: hearts with extra beats."""


def default_recordings() -> Path:
    """The recordings of a clone of the repository, which this code runs from; elsewhere they have to be named."""
    return Path(__file__).resolve().parents[5] / _IN_A_CLONE


def load_rhythms(folder: Path) -> Rhythms:
    """All recordings in the folder and below, in order of their names.

    Raises:
        RecordRefused: a file is damaged, or too few beats are marked as fibrillation.
    """
    records = [load_recorded_beats(file) for file in _files(folder)]
    irregular = tuple(beat.rr_ms for beats in records for beat in beats if beat.rhythm == _FIBRILLATION)
    if len(irregular) < _FEWEST_BEATS:
        found = f"{len(irregular)} beats marked {_FIBRILLATION!r}, at least {_FEWEST_BEATS}"
        raise RecordRefused(folder, 1, f"{found}: name a folder with --recordings")
    others = [beats for beats in records if all(beat.rhythm != _FIBRILLATION for beat in beats)]
    return Rhythms(irregular, tuple(tuple(beat.rr_ms for beat in beats) for beats in others))


def recordings_digest(folder: Path) -> str:
    """SHA-256 over all files, so that other beats are other settings."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.csv"))
