"""Signals of a body over time: recordings read from a file, one rate made of another, and what a resting body gives.

A recording is CSV: a remark `# rate_hz: 360` somewhere above, the names of its columns, then whole numbers. Columns are
`ecg_uv`, or `x_mg,y_mg,z_mg`.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from kanhu.firmware_sim.errors import RecordRefused

__all__ = ["ACCELERATION", "ECG", "RecordedSignal", "load_signal", "resting_acceleration", "resting_ecg"]

ECG = ("ecg_uv",)
ACCELERATION = ("x_mg", "y_mg", "z_mg")

_RATE_REMARK = "rate_hz:"
_FASTEST_HZ = 10_000
_LARGEST = 30_000  # microvolts or thousandths of g: what a strap sends in 16 bits, with room for the filter
# Of the sinc on each side. From 360 to 130 Hz, half of which is 65: 58 Hz keep their height, 75 Hz keep 0.2 % of it.
_LOBES = 16
_BEATS, _BEATS_S = 17, 15  # 68 a minute
_BREATHS = 4  # in the same 15 s


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """Samples at one rate, each with a number for each column."""

    columns: tuple[str, ...]
    rate_hz: Fraction
    samples: tuple[tuple[int, ...], ...]

    def at(self, rate_hz: int) -> tuple[tuple[int, ...], ...]:
        """All of it at another rate."""
        return tuple(self.sample(number, rate_hz) for number in range(self.count(rate_hz)))

    def count(self, rate_hz: int) -> int:
        """How many samples it has at another rate: from the first to the last moment that was recorded."""
        return int((len(self.samples) - 1) * rate_hz / self.rate_hz) + 1

    def sample(self, number: int, rate_hz: int) -> tuple[int, ...]:
        """One of these; as recorded where the rate is its own.

        Each new sample is a weighted mean of the recorded ones around it: a sinc that ends at half the lower of the two
        rates, so nothing is folded down, under a Hann window, its weights scaled to one, so a constant stays what it
        is, also at the ends, where fewer samples are weighed and none is made up. Then the nearest whole number.
        """
        if rate_hz == self.rate_hz:
            return self.samples[number]
        step = self.rate_hz / rate_hz  # recorded samples a new one
        return self._weighed(float(number * step), float(max(step, Fraction(1))))

    def _weighed(self, place: float, width: float) -> tuple[int, ...]:
        """`place` and the width of one lobe are in recorded samples."""
        reach = _LOBES * width
        first, last = max(0, math.ceil(place - reach)), min(len(self.samples) - 1, math.floor(place + reach))
        weights = [_kernel((at - place) / width) for at in range(first, last + 1)]
        total = sum(weights)
        near = self.samples[first : last + 1]
        return tuple(
            round(sum(weight * value for weight, value in zip(weights, column, strict=True)) / total)
            for column in zip(*near, strict=True)
        )


def load_signal(file: Path) -> RecordedSignal:
    """Read a recording.

    Raises:
        RecordRefused: a line is none of a recording; it names the line and what to write.
        OSError: the file cannot be read.
    """
    rate: Fraction | None = None
    columns: tuple[str, ...] | None = None
    samples: list[tuple[int, ...]] = []
    with file.open(encoding="utf-8", newline="") as lines:
        number = 0
        for number, row in enumerate(csv.reader(lines), start=1):
            if not row:
                continue
            if row[0].startswith("#"):
                rate = _rate(",".join(row)[1:].strip(), file, number) or rate
            elif columns is None:
                columns = tuple(name.strip() for name in row)
                if columns not in {ECG, ACCELERATION}:
                    raise RecordRefused(file, number, f"name the columns {','.join(ECG)} or {','.join(ACCELERATION)}")
            else:
                samples.append(_sample(row, len(columns), file, number))
    if rate is None:
        raise RecordRefused(file, number, f"say its rate in a remark, as in # {_RATE_REMARK} 360")
    if columns is None or len(samples) < 2:
        raise RecordRefused(file, number, "a recording has two samples at least")
    return RecordedSignal(columns, rate, tuple(samples))


def resting_ecg(rate_hz: int = 130) -> RecordedSignal:
    """Fifteen seconds of a regular rhythm, 68 beats a minute; a drawing of P, QRS and T, no body's."""
    waves = ((-0.17, 0.025, 120), (-0.02, 0.010, -90), (0.0, 0.012, 1100), (0.025, 0.010, -220), (0.28, 0.050, 260))
    beat_s = _BEATS_S / _BEATS

    def microvolts(number: int) -> int:
        since = (number / rate_hz + beat_s / 2) % beat_s - beat_s / 2
        return round(sum(high * math.exp(-(((since - at) / wide) ** 2) / 2) for at, wide, high in waves))

    return RecordedSignal(ECG, Fraction(rate_hz), tuple((microvolts(one),) for one in range(rate_hz * _BEATS_S)))


def resting_acceleration(rate_hz: int = 200) -> RecordedSignal:
    """Fifteen seconds of a chest that breathes, upright."""
    swing = [math.sin(2 * math.pi * _BREATHS * number / (rate_hz * _BEATS_S)) for number in range(rate_hz * _BEATS_S)]
    return RecordedSignal(
        ACCELERATION,
        Fraction(rate_hz),
        tuple((-980 + round(4 * breath), -20, 190 + round(25 * breath)) for breath in swing),
    )


def _kernel(lobe: float) -> float:
    window = (1 + math.cos(math.pi * lobe / _LOBES)) / 2
    return window * (math.sin(math.pi * lobe) / (math.pi * lobe) if lobe else 1.0)


def _rate(remark: str, file: Path, line: int) -> Fraction | None:
    if not remark.startswith(_RATE_REMARK):
        return None
    try:
        rate = Fraction(remark.removeprefix(_RATE_REMARK).strip())
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= _FASTEST_HZ:
        raise RecordRefused(file, line, f"{remark!r} is no rate from 1 to {_FASTEST_HZ} Hz")
    return rate


def _sample(row: Sequence[str], count: int, file: Path, line: int) -> tuple[int, ...]:
    try:
        sample = tuple(int(value) for value in row)
    except ValueError:
        sample = ()
    if len(sample) != count or max(map(abs, sample)) > _LARGEST:
        raise RecordRefused(file, line, f"{','.join(row)[:40]!r} is not {count} whole numbers up to {_LARGEST}")
    return sample
