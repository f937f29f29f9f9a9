"""`./run score rhythm`: how well windows of beats are told apart, on recordings whose rhythm people have marked.

Reads the folders `afdb_rr` and `mitdb_beats` of a data folder (flat numpy arrays with offsets, one record a subject)
and asks the detector of the gateway, with the numbers of the shipped rule pack, window by window.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.vitals import core_pack
from kanhu.vitals.rhythm import Irregularity, RhythmLimits, irregularity
from kanhu.vitals.rules.records import RhythmTrigger

_NAMES = {1: "fibrillation", 2: "flutter", 255: "before the first mark"}  # both sets; every other mark is "other"
_SAMPLES_PER_MS = 0.36  # mitdb has 360 samples a second
_STEPS_PER_MS = 1.024  # a strap sends intervals in 1/1024 s

_Record = tuple[NDArray[np.float64], NDArray[np.uint8]]


@dataclass(slots=True)
class Tally:
    """Windows of one rhythm, and how many of them the detector called irregular."""

    windows: dict[str, int] = field(default_factory=lambda: {"fibrillation": 0, "flutter": 0, "other": 0})
    irregular: dict[str, int] = field(default_factory=lambda: {"fibrillation": 0, "flutter": 0, "other": 0})

    def percent(self, rhythm: str) -> float:
        """Share of a rhythm's windows called irregular."""
        return round(100 * self.irregular[rhythm] / self.windows[rhythm], 1) if self.windows[rhythm] else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 where the figures keep their limits."""
    parser = argparse.ArgumentParser(
        prog="./run score rhythm", description="Windows of beats told apart, on marked recordings."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="holds afdb_rr and mitdb_beats")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args(arguments)
    for name in ("afdb_rr", "mitdb_beats"):
        if not (options.data / name / "data.npz").is_file():
            parser.error(f"{options.data / name / 'data.npz'} is not there; --data names the folder of the recordings")
    figures: dict[str, Value] = {}
    for name, records in (("afdb", _afdb(options.data)), ("mitdb", _mitdb(options.data))):
        try:
            tally = score(records)
        except (OSError, ValueError, KeyError, IndexError, TypeError, BadZipFile) as error:
            parser.error(f"the recording of {name} in {options.data} is damaged: {error}; fetch it again")
        figures |= {
            f"{name}_fibrillation_windows": tally.windows["fibrillation"],
            f"{name}_found_percent": tally.percent("fibrillation"),
            f"{name}_other_windows": tally.windows["other"],
            f"{name}_false_percent": tally.percent("other"),
            f"{name}_flutter_windows": tally.windows["flutter"],
            f"{name}_flutter_found": tally.irregular["flutter"],
        }
    versions = {package: metadata.version(package) for package in ("kanhu", "numpy")}
    report = Report("rhythm", figures, read_limits("rhythm"), versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def score(records: Iterator[_Record]) -> Tally:
    """Count windows of one rhythm each, one after another; those in which the rhythm changes are left out."""
    trigger = next(rule.trigger for rule in core_pack().rules if isinstance(rule.trigger, RhythmTrigger))
    limits = RhythmLimits(trigger.symbol_bpm, trigger.entropy_above, trigger.filtered_entropy_above)
    tally = Tally()
    for intervals, marks in records:
        for start in range(0, len(intervals) - trigger.window_beats + 1, trigger.window_beats):
            window = slice(start, start + trigger.window_beats)
            rhythms = {_NAMES.get(mark, "other") for mark in marks[window].tolist()}
            rhythm = rhythms.pop()
            if rhythms or rhythm not in tally.windows:
                continue
            tally.windows[rhythm] += 1
            sent = np.round(intervals[window] * _STEPS_PER_MS) / _STEPS_PER_MS
            tally.irregular[rhythm] += irregularity(sent.tolist(), limits) is Irregularity.IRREGULAR
    return tally


def _afdb(data: Path) -> Iterator[_Record]:
    with (data / "afdb_rr" / "data.npz").open("rb") as file, np.load(file) as arrays:
        intervals, marks, offsets = arrays["rr_ms"].astype(np.float64), arrays["rhythm"], arrays["offsets"]
    for first, last in pairwise(offsets):
        yield intervals[first:last], marks[first:last]


def _mitdb(data: Path) -> Iterator[_Record]:
    with (data / "mitdb_beats" / "data.npz").open("rb") as file, np.load(file) as arrays:
        samples, marks, offsets = arrays["sample360"], arrays["rhythm"], arrays["offsets"]
    for first, last in pairwise(offsets):
        yield np.diff(samples[first:last]) / _SAMPLES_PER_MS, marks[first + 1 : last]


if __name__ == "__main__":
    sys.exit(main())
