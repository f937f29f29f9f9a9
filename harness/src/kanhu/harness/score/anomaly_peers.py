"""Libraries of the field asked how new each value of a series is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.score.command import Run
from kanhu.harness.score.peers import Peers
from kanhu.harness.score.peers_anomaly import LIBRARIES

__all__ = ["Asked", "asked", "versions"]

_TASK = "anomaly"
_ASKED = ("river", "pyod", "adtk", "stumpy")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one library answered."""

    library: str
    scores: Mapping[str, NDArray[np.float64]]
    """By series, one a value, the larger the newer."""
    us_per_sample: float
    failed: int
    """Series on which it raised: nothing in them is new."""


def asked(values: Mapping[str, NDArray[np.float64]], run: Run) -> Iterator[Asked]:
    """Every library, one after the other.

    Raises:
        LibrariesMissing: they could not be installed.
        ProgramFailed: one ended badly, or answered something else.
    """
    offsets = np.cumsum([0, *map(len, values.values())])
    question = {"value": np.concatenate(list(values.values())), "offsets": offsets}
    for library in LIBRARIES:
        run.say(f"{library}: {len(values)} series")
        answer = Peers(_TASK).ask(library, question, say=run.say)
        scores = answer["score"].astype(np.float64)
        if len(scores) != offsets[-1]:
            raise ProgramFailed(f"asking {library}", f"{len(scores)} scores of {offsets[-1]} values")
        by_name = dict(zip(values, np.split(scores, offsets[1:-1]), strict=True))
        yield Asked(library, by_name, 1e6 * float(answer["seconds"]) / max(int(offsets[-1]), 1), int(answer["failed"]))


def versions() -> dict[str, str]:
    """Of those that are asked."""
    return Peers(_TASK).versions(*_ASKED)
