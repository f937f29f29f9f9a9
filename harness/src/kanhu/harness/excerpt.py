"""Cut a recording for `kanhu-sim device strap-polar --recording` out of a folder of public data.

    python -m kanhu.harness.excerpt DIR RECORD --seconds 30 --out ecg.csv

The folder holds `index.csv`, one record a row, and `data.npz`: flat arrays, and `offsets` that tell the records apart.
Nothing is resampled here but what has no rate of its own (`t_ms`, a time a sample, which a watch stamps in bursts):
that is drawn as straight lines between its samples, 50 points a second.
"""

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.errors import RecordingUnusable

_ADU_ZERO, _UV_AN_ADU = 1024, 5  # MIT-BIH Arrhythmia: 200 units a millivolt
_MITDB_HZ, _CINC_HZ, _ACCELERATION_HZ = 360, 300, 50
_MG_A_CMS2 = 1000 / 980.665

_Signal = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Whole numbers, a row a sample."""

    columns: str
    rate_hz: int
    samples: _Signal

    def part(self, first_s: float, seconds: float) -> "Excerpt":
        """So many seconds from there on, or what there is of them."""
        first = round(first_s * self.rate_hz)
        return Excerpt(self.columns, self.rate_hz, self.samples[first : first + round(seconds * self.rate_hz)])

    def write(self, file: Path, *, about: str) -> None:
        """As the simulator reads it."""
        rows = [",".join(map(str, sample)) for sample in self.samples.tolist()]
        file.write_text("\n".join([f"# {about}", f"# rate_hz: {self.rate_hz}", self.columns, *rows, ""]), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the file; 2 where there is no such record."""
    parser = argparse.ArgumentParser(prog="python -m kanhu.harness.excerpt", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("record", help="as the first column of its index.csv says")
    parser.add_argument("--from", dest="first_s", type=float, default=0.0, metavar="S", help="begin here (default 0)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of it (default 30)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        part = load(options.folder, options.record).part(options.first_s, options.seconds)
        if len(part.samples) < 2:
            raise RecordingUnusable(options.record, f"has nothing from {options.first_s:g} s on; begin earlier")
        part.write(options.out, about=f"{options.folder.name}, {options.record}, from {options.first_s:g} s on")
    except (OSError, RecordingUnusable) as error:
        print(f"excerpt: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(part.samples)} samples of {part.columns} at {part.rate_hz} Hz")
    return 0


def load(folder: Path, record: str) -> Excerpt:
    """One whole record.

    Raises:
        RecordingUnusable: there is none of this name, or the folder is not of this format.
        OSError: it cannot be read.
    """
    with (folder / "index.csv").open(encoding="utf-8", newline="") as rows:
        names = [row[0] for row in list(csv.reader(rows))[1:] if row]
    if record not in names:
        raise RecordingUnusable(str(folder / "index.csv"), f"has no record {record!r}; the first is {names[:1]}")
    place = names.index(record)
    try:
        with np.load(folder / "data.npz") as data:
            first, end = data["offsets"][place : place + 2]
            return _excerpt({name: data[name][first:end] for name in data.files if name != "offsets"})
    except (ValueError, KeyError, IndexError, BadZipFile) as error:
        raise RecordingUnusable(str(folder / "data.npz"), f"is not of the format of its README: {error}") from error


def _excerpt(arrays: dict[str, NDArray[np.int16]]) -> Excerpt:
    if "ecg_delta_adu" in arrays:
        adu = np.cumsum(arrays["ecg_delta_adu"], dtype=np.int64)
        return Excerpt("ecg_uv", _MITDB_HZ, ((adu - _ADU_ZERO) * _UV_AN_ADU)[:, None])
    if "ecg_delta_uv" in arrays:
        return Excerpt("ecg_uv", _CINC_HZ, np.cumsum(arrays["ecg_delta_uv"], dtype=np.int64)[:, None])
    if "acc_mg" in arrays:
        return Excerpt("x_mg,y_mg,z_mg", _ACCELERATION_HZ, arrays["acc_mg"].astype(np.int64))
    if "acc_cms2" not in arrays:
        raise ValueError(f"neither an electrocardiogram nor an acceleration among {sorted(arrays)}")
    times_ms = arrays["t_ms"]
    even_ms = np.arange(times_ms[0], times_ms[-1] + 1, 1000 // _ACCELERATION_HZ)
    axes = [np.interp(even_ms, times_ms, axis) * _MG_A_CMS2 for axis in arrays["acc_cms2"].T]
    return Excerpt("x_mg,y_mg,z_mg", _ACCELERATION_HZ, np.rint(np.column_stack(axes)).astype(np.int64))


if __name__ == "__main__":
    sys.exit(main())
