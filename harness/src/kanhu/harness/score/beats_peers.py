"""Libraries of the field asked where the beats are: whole records at once, each with its own defaults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.score.command import Run
from kanhu.harness.score.peers import Peers
from kanhu.harness.score.peers_beats import LIBRARIES

__all__ = ["Asked", "asked", "versions"]

_TASK = "beats"
_ASKED = ("wfdb", "neurokit2", "biosppy", "py-ecg-detectors")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one library found."""

    library: str
    beats: Mapping[str, NDArray[np.float64]]
    """By record, samples."""
    us_per_sample: float
    failed: int
    """Records on which it raised; they count as records without a beat."""


def asked(signals_mv: Mapping[str, NDArray[np.float64]], rate_hz: float, run: Run) -> Iterator[Asked]:
    """Every library, one after the other.

    Raises:
        LibrariesMissing: they could not be installed.
        ProgramFailed: one ended badly, or answered something else.
    """
    offsets = np.cumsum([0, *(len(signal) for signal in signals_mv.values())])
    question = {
        "signal": np.concatenate(list(signals_mv.values())),
        "offsets": offsets,
        "rate_hz": np.asarray(rate_hz),
    }
    for library in LIBRARIES:
        run.say(f"{library}: {len(signals_mv)} records")
        answer = Peers(_TASK).ask(library, question, say=run.say)
        cuts, beats = answer["offsets"].tolist(), answer["beats"].astype(np.float64)
        if len(cuts) != len(signals_mv) + 1 or cuts[-1] != len(beats):
            raise ProgramFailed(f"asking {library}", f"{len(cuts) - 1} answers to {len(signals_mv)} records")
        found = {name: beats[cuts[one] : cuts[one + 1]] for one, name in enumerate(signals_mv)}
        us_per_sample = 1e6 * float(answer["seconds"]) / max(int(offsets[-1]), 1)
        yield Asked(library, found, us_per_sample, int(answer["failed"]))


def versions() -> dict[str, str]:
    """Of those that are asked."""
    return Peers(_TASK).versions(*_ASKED)
