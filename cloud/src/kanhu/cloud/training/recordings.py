"""Recordings of real people, read from folders of flat arrays.

A set is a folder with `index.csv`, one record a row, and `data.npz`: arrays without pickles, and `offsets` that tell
the records apart. Which set it is, its arrays tell; the folder's name does not matter.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused

__all__ = ["SETS", "Recording", "find_sets", "load_set", "sha256_of"]

SETS: Mapping[str, frozenset[str]] = {
    "sisfall": frozenset({"acc_mg", "gyro_ddps", "peak200_mg"}),
    "weda_fall": frozenset({"t_ms", "acc_cms2", "gyro_mrads"}),
    "smartfallmm": frozenset({"t_ms", "acc_cms2"}),
    "afdb_rr": frozenset({"rr_ms", "rhythm"}),
    "cinc2017_rr": frozenset({"rr_ms"}),
    "cinc2017_ecg": frozenset({"ecg_delta_uv"}),
    "mitdb_beats": frozenset({"sample360", "beat", "rhythm"}),
    "mitdb_ecg": frozenset({"ecg_delta_adu"}),
    "gudb_rpeaks": frozenset({"sample250"}),
    "shanghai_cgm": frozenset({"unix_min", "cgm_dmgdl", "cbg_dmgdl"}),
    "nab": frozenset({"unix", "value", "anomaly_window"}),
}
"""By name the arrays of each set that is known; docs/detection/README.md says what they hold."""

_OFFSETS = "offsets"


@dataclass(frozen=True, slots=True)
class Recording:
    """One record."""

    of: str
    """The set."""
    name: str
    subject: str
    row: Mapping[str, str]
    """Its row of index.csv."""
    arrays: Mapping[str, NDArray[np.generic]]

    def number(self, column: str) -> float | None:
        """One cell as a number; None where it is empty."""
        text = self.row.get(column) or ""
        return float(text) if text else None


def find_sets(folder: Path) -> dict[str, Path]:
    """The known sets in a folder: the folder itself, or those right below it.

    Raises:
        RecordingsRefused: none is there, or two are of one kind.
    """
    found: dict[str, Path] = {}
    for place in (folder, *(sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ())):
        if any(place.glob("set_*.npz")):  # stays come in sets of their own
            found["icu2012"] = place
        if not ((place / "data.npz").is_file() and (place / "index.csv").is_file()):
            continue
        arrays = _names(place / "data.npz")
        for name, needed in SETS.items():
            if arrays - {_OFFSETS} == needed:
                if name in found:
                    raise RecordingsRefused(str(place), f"holds {name}, as {found[name]} does; name one of them")
                found[name] = place
    if not found:
        raise RecordingsRefused(str(folder), "holds no set of recordings that is known; name the folder above them")
    return found


def load_set(name: str, folder: Path) -> list[Recording]:
    """Every record of one set, in the order of its index.

    Raises:
        RecordingsRefused: index and arrays do not belong together, or a file is damaged.
    """
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as rows:
            table = [row for row in csv.DictReader(rows) if row.get("record")]
        with (folder / "data.npz").open("rb") as file, np.load(file) as data:
            offsets = data[_OFFSETS].astype(np.int64).tolist()
            arrays = {array: data[array] for array in sorted(SETS[name])}
    except (ValueError, KeyError, TypeError, csv.Error, BadZipFile, EOFError) as error:
        raise RecordingsRefused(str(folder), f"is damaged: {error}; fetch it again") from error
    whole = {len(array) for array in arrays.values()}
    if len(offsets) != len(table) + 1 or offsets != sorted(offsets) or offsets[0] != 0 or whole != {offsets[-1]}:
        raise RecordingsRefused(str(folder), "its index and its arrays do not belong together; fetch it again")
    return [
        Recording(name, row["record"], row.get("subject") or row["record"], row, _part(arrays, first, end))
        for row, (first, end) in zip(table, pairwise(offsets), strict=True)
    ]


def sha256_of(recordings: Iterable[Recording]) -> str:
    """Of every array of every recording, in their order."""
    digest = hashlib.sha256()
    for recording in recordings:
        digest.update(f"{recording.of}/{recording.name}\n".encode())
        for name in sorted(recording.arrays):
            digest.update(np.ascontiguousarray(recording.arrays[name]).tobytes())
    return digest.hexdigest()


def _part(arrays: Mapping[str, NDArray[np.generic]], first: int, end: int) -> dict[str, NDArray[np.generic]]:
    return {name: array[first:end] for name, array in arrays.items()}


def _names(file: Path) -> frozenset[str]:
    try:
        with file.open("rb") as opened, np.load(opened) as data:
            return frozenset(data.files)
    except (ValueError, BadZipFile, EOFError) as error:
        raise RecordingsRefused(str(file), f"is damaged: {error}; fetch it again") from error
