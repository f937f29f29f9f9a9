"""Microseconds a frame of libraries of the field beside ours, on published frames that both of them decode.

Theirs run in an environment of their own; what hands a frame over is made before the clock starts, and a parser that
remembers frames is made anew for each. Ours is timed with the unpacking of the frame and its renaming to the
publisher's words, which is to our loss.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from kanhu.harness.report import console
from kanhu.harness.vectors.families import adapter_for
from kanhu.harness.vectors.second_opinion.asking import answers_of
from kanhu.harness.vectors.second_opinion.opinions import Reading, ours_of
from kanhu.harness.vectors.second_opinion.questions import LIBRARIES, asked_of, question
from kanhu.harness.vectors.vector import Vector

__all__ = ["Beside", "beside", "tell_beside"]

_REPEATS, _CALLS = 5, 40
_LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Beside:
    """One library; medians in microseconds a frame over frames that both decode, None where there is none."""

    library: str
    asked: int
    decoded: int
    theirs_us: float | None
    ours_us: float | None


async def beside(vectors: Sequence[Vector], *, peer: Sequence[str]) -> list[Beside]:
    """Every library that is asked of one of them, one after the other; `peer` starts `peer.py`.

    Raises:
        ProgramFailed: one ended badly, was too slow, or answered something else.
    """
    ours = [one for one in vectors if not isinstance(ours_of(one), Reading | None)]
    found = []
    for library in LIBRARIES:
        mine = [one for one in ours if library in asked_of(one)]
        if mine:
            found.append(await _one(library, mine, peer))
    return found


async def _one(library: str, vectors: Sequence[Vector], peer: Sequence[str]) -> Beside:
    answers = await answers_of(
        [*peer, library, str(_CALLS), str(_REPEATS)],
        [question(one) for one in vectors],
        doing=f"timing {library}",
        longest_s=_LONGEST_S,
    )
    times = [answer.get("us") for answer in answers]
    both = [(us, one) for us, one in zip(times, vectors, strict=True) if us is not None]
    if not both:
        return Beside(library, len(vectors), 0, None, None)
    ours_us = await asyncio.to_thread(lambda: [_ours(one) for _, one in both])
    return Beside(library, len(vectors), len(both), statistics.median(us for us, _ in both), statistics.median(ours_us))


def _ours(vector: Vector) -> float:
    adapter = adapter_for(vector.protocol)
    if adapter is None:
        raise ValueError(vector.protocol)
    took = []
    for _ in range(_REPEATS + 1):
        began_s = time.perf_counter()
        for _ in range(_CALLS):
            adapter(vector)
        took.append(1e6 * (time.perf_counter() - began_s) / _CALLS)
    return statistics.median(took[1:])  # the first warms up


def tell_beside(found: Sequence[Beside]) -> None:
    """One row a library."""
    table = Table(title="microseconds a frame, median of frames that both decode", title_justify="left")
    for column in ("library", "frames", "it decodes", "theirs", "ours"):
        table.add_column(column)
    for one in found:
        times = ("decodes none", "") if one.theirs_us is None else (f"{one.theirs_us:.1f}", f"{one.ours_us:.1f}")
        table.add_row(one.library, str(one.asked), str(one.decoded), *times)
    console().print(table)
