"""Ask every library, and tell what they say: a table by protocol and library, the differences, and figures."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from kanhu.harness.apart import Apart
from kanhu.harness.prove.telling import telling
from kanhu.harness.report import Output, Report, Value, console, finish, read_limits
from kanhu.harness.stopping import until_told
from kanhu.harness.vectors.second_opinion import peer as peer_program
from kanhu.harness.vectors.second_opinion.asking import answers_of
from kanhu.harness.vectors.second_opinion.opinions import Opinion, Reading, Second, compare, ours_of
from kanhu.harness.vectors.second_opinion.questions import LIBRARIES, asked_of, question
from kanhu.harness.vectors.vector import Vector

__all__ = ["give_second_opinion", "hear"]

_NAME = "vectors-second-opinion"
_LIBRARIES = Apart("second-opinion")
_LONGEST_S = 120
"""Of one library with all its frames; the slowest takes 4 s, most of it imports."""
_Read = tuple[Vector, Mapping[str, object] | Reading]


def give_second_opinion(vectors: Sequence[Vector], *, output: Output, peer: Sequence[str] | None = None) -> int:
    """Print it; 0 where no library and what was published agree against us. `peer` starts another `peer.py`.

    Raises:
        LibrariesMissing: the libraries could not be installed.
        ProgramFailed: one of them did not answer.
    """
    with telling(total_s=0) as teller:
        start = _LIBRARIES.ensure_installed(Path(peer_program.__file__), say=teller.say) if peer is None else peer
    heard = until_told(_conduct(vectors, start))
    _tell(vectors, heard)
    counts = Counter(one.opinion for one in heard)
    asked = {one.vector.id for one in heard}
    figures: dict[str, Value] = {
        "libraries": len({one.library for one in heard}),
        "answers": len(heard),
        **{opinion.name.lower(): counts[opinion] for opinion in Opinion},
        "agree_on_own_frames": sum(one.own_frame and one.opinion is Opinion.AGREE for one in heard),
        "fields": sum(one.fields for one in heard),
        "not_asked": sum(one.id not in asked for one in vectors),
        "against_us": sum(one.against_us for one in heard),
    }
    pinned = _LIBRARIES.versions()
    versions = {library: pinned[library] for library in LIBRARIES}
    return finish(Report(_NAME, figures, read_limits(_NAME), versions=versions), output=output)


async def hear(library: str, read: Sequence[_Read], *, peer: Sequence[str]) -> list[Second]:
    """What one library says of these frames; its process ends with the answer.

    Raises:
        ProgramFailed: it ended badly, was too slow, or answered something else.
    """
    questions = [question(vector) for vector, _ in read]
    answers = await answers_of([*peer, library], questions, doing=f"asking {library}", longest_s=_LONGEST_S)
    return [
        compare(vector, library, {**answer, "value": asked["value"]}, ours=ours)
        for (vector, ours), asked, answer in zip(read, questions, answers, strict=True)
    ]


async def _conduct(vectors: Sequence[Vector], peer: Sequence[str]) -> list[Second]:
    by_library: dict[str, list[_Read]] = {}
    for vector in vectors:
        ours = ours_of(vector)
        if ours is not None:
            for library in asked_of(vector):
                by_library.setdefault(library, []).append((vector, ours))
    running = asyncio.Semaphore(os.cpu_count() or 1)

    async def ask(library: str) -> list[Second]:
        async with running:
            return await hear(library, by_library[library], peer=peer)

    tasks = [asyncio.create_task(ask(library), name=f"ask {library}") for library in by_library]
    try:
        return [one for heard in await asyncio.gather(*tasks) for one in heard]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(vectors: Sequence[Vector], heard: Sequence[Second]) -> None:
    table = Table(title="frames by protocol and library", title_justify="left")
    table.add_column("protocol")
    table.add_column("library")
    for column in (*Opinion, "own frames"):
        table.add_column(column, justify="right")
    for protocol in sorted({one.protocol for one in vectors}):
        mine = [one for one in heard if one.vector.protocol == protocol]
        if not mine:
            table.add_row(protocol, "not asked")
        for library in dict.fromkeys(one.library for one in mine):
            rows = [one for one in mine if one.library == library]
            counts = Counter(one.opinion for one in rows)
            own = sum(one.own_frame for one in rows)
            table.add_row(protocol, library, *(str(counts[one] or "") for one in Opinion), str(own or ""))
    console().print(table)
    for one in heard:
        for difference in one.differences:
            mark = "AGAINST US, " if difference.against_us else "disputed, " if difference.disputed else ""
            line = f"{mark}{one.vector.protocol} {one.vector.id}, {one.library}: {difference}"
            console().print(line, markup=False, highlight=False, soft_wrap=True)
