"""Single heartbeats: a regular sinus rhythm drawn from the body, or a real recording."""

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kanhu.firmware_sim.bodies.body import Body
from kanhu.firmware_sim.errors import RecordRefused

_BREATHS_PER_S = 0.25
_BREATHING_SHARE = 0.015  # respiratory arrhythmia is small in old age
_JITTER_SHARE = 0.006
_SHORTEST_MS, _LONGEST_MS = 200, 4000


@dataclass(frozen=True, slots=True)
class Beat:
    """One interval between beats, and what the truth calls the rhythm."""

    rr_ms: float
    rhythm: str


class BeatSource(Protocol):
    """Beats one after the other, without end."""

    def next_beat(self, second: float) -> Beat:
        """The beat that begins at this second."""


class SinusBeats:
    """A regular rhythm at the body's rate, with breathing and a little jitter."""

    def __init__(self, body: Body, *, seed: str) -> None:
        """Draw from `seed`."""
        self._body = body
        self._draw = random.Random(f"{seed}/beats")

    def next_beat(self, second: float) -> Beat:
        """The beat that begins at this second."""
        rr_ms = 60_000 / self._body.at(second).heart_rate_bpm
        breathing = _BREATHING_SHARE * math.sin(2 * math.pi * _BREATHS_PER_S * second)
        return Beat(rr_ms * (1 + breathing + self._draw.gauss(0, _JITTER_SHARE)), "sinus")


class RecordedBeats:
    """The beats of a recording, from a given one on, and from its start again when it ends."""

    def __init__(self, beats: tuple[Beat, ...], *, first: int = 0) -> None:
        """Begin with beat number `first`, counted from 0."""
        self._beats = beats
        self._following = self._from(first)

    def next_beat(self, second: float) -> Beat:  # noqa: ARG002  a recording has its own time
        """The next beat of the recording."""
        return next(self._following)

    def _from(self, first: int) -> Iterator[Beat]:
        position = first % len(self._beats)
        while True:
            yield self._beats[position]
            position = (position + 1) % len(self._beats)


def load_recorded_beats(file: Path) -> tuple[Beat, ...]:
    """Read a recording: CSV with the columns rr_ms and, optionally, rhythm; lines with # in front are remarks.

    Raises:
        RecordRefused: the file cannot be read, has no beats, or holds an interval no heart has.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordRefused(file, 1, f"cannot be read: {error}") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    if len(lines) < 2 or "rr_ms" not in lines[0][1].split(","):
        raise RecordRefused(file, 1, "needs a header with rr_ms and at least one beat")
    try:
        rows = [*csv.DictReader(line for _, line in lines)]
    except csv.Error as error:
        raise RecordRefused(file, 1, f"is no CSV: {error}") from error
    if len(rows) != len(lines) - 1:
        raise RecordRefused(file, 1, "a quotation mark without its end, or an empty row; write one beat a line")
    return tuple(_beat(file, number, row) for (number, _), row in zip(lines[1:], rows, strict=True))


def _beat(file: Path, number: int, row: dict[str, str]) -> Beat:
    try:
        rr_ms = float(row["rr_ms"])
    except (TypeError, ValueError):
        raise RecordRefused(file, number, f"{row['rr_ms']!r} is not a number of milliseconds") from None
    if not _SHORTEST_MS <= rr_ms <= _LONGEST_MS:
        raise RecordRefused(file, number, f"{rr_ms:g} ms is not between {_SHORTEST_MS} and {_LONGEST_MS} ms")
    return Beat(rr_ms, row.get("rhythm") or "unlabelled")
