"""Homes of people living alone: sensor events and activities, `NAME_sensors.csv.gz` and `NAME_activities.csv.gz`."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.vitals.inactivity import Presence, is_front_door

__all__ = ["SET", "Home", "load_homes"]

SET = "smart_homes"
_LEFT = ("leav", "going-out")
_ABED = ("bed", "sleep")
_BIN_S, _BINS = 1800, 48
_S_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Home:
    """One home; times are seconds, in order."""

    name: str
    acts: tuple[tuple[float, Presence], ...]
    """Beginnings and ends of what sensors saw."""
    absences: tuple[tuple[float, float], ...]
    nights: tuple[tuple[float, float], ...]

    def waking(self) -> NDArray[np.bool_]:
        """The half-hours of the day that count as waking: at least half as often active as its livelier ones."""
        at_s = np.array([one for one, _ in self.acts])
        seen = np.unique(at_s // _BIN_S).astype(np.int64)
        share = np.bincount(seen % _BINS, minlength=_BINS).astype(np.float64)
        share = (np.roll(share, 1) + 2 * share + np.roll(share, -1)) / 4
        waking: NDArray[np.bool_] = share >= np.percentile(share, 75) / 2
        return waking

    def is_away(self, at_s: float) -> bool:
        """Whether its people wrote down that they were out."""
        return any(start <= at_s < end for start, end in self.absences)

    def is_abed(self, at_s: float) -> bool:
        """Whether they wrote down that they slept."""
        return any(start <= at_s < end for start, end in self.nights)


def load_homes(folder: Path) -> list[Home]:
    """Every home of a folder, or of `smart_homes` right below it.

    Raises:
        RecordingsRefused: there is none, or a file is damaged.
    """
    place = folder / SET if (folder / SET).is_dir() else folder
    files = sorted(place.glob("*_sensors.csv.gz"))
    if not files:
        raise RecordingsRefused(str(folder), f"holds no {SET}: no NAME_sensors.csv.gz is there")
    return [_home(file) for file in files]


def _home(file: Path) -> Home:
    name = file.name.removesuffix("_sensors.csv.gz")
    acts: list[tuple[float, Presence]] = []
    for start_s, duration_s, sensor in _rows(file):
        where = Presence.FRONT_DOOR if is_front_door(sensor) else Presence.INSIDE
        acts += [(start_s, where), (start_s + max(duration_s, 0.0), where)]
    activities_file = file.with_name(f"{name}_activities.csv.gz")
    activities = _rows(activities_file) if activities_file.is_file() else []

    def spans(words: tuple[str, ...]) -> tuple[tuple[float, float], ...]:
        return tuple((start, start + long) for start, long, what in activities if what.lower().startswith(words))

    if not acts:
        raise RecordingsRefused(str(file), "holds no event")
    nights = tuple((s, s + long) for s, long, what in activities if any(word in what.lower() for word in _ABED))
    return Home(name, tuple(sorted(acts)), spans(_LEFT), nights)


def _rows(file: Path) -> list[tuple[float, float, str]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            rows = csv.reader(text)
            next(rows)
            return [(float(row[0]), float(row[1]), ",".join(row[2:])) for row in rows if row]
    except (OSError, EOFError, ValueError, IndexError, StopIteration) as error:
        raise RecordingsRefused(str(file), f"is damaged: {error}") from error
