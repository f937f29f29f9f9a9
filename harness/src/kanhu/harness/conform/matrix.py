"""Runs cells side by side, the longest first, keeps what is done in a folder, and says how far it is."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from kanhu.contract import Clock
from kanhu.harness.conform.candidates import Candidate
from kanhu.harness.conform.cell import Figures, Pace, run_cell
from kanhu.harness.conform.rows import Row
from kanhu.harness.errors import HarnessError
from kanhu.harness.village.processes import Processes

__all__ = ["Kept", "KeptRefused", "run_matrix"]

_AROUND_S = 75.0
"""What a cell takes besides its fault: start, readings before and after, drain."""
_SAY_EVERY_S = 15.0  # where the screen is a file
_TICK_S = 1.0
_FILE = "figures.ndjson"


class KeptRefused(HarnessError):
    """The folder holds figures that were made otherwise."""


@dataclass(slots=True)
class Kept:
    """Figures of cells that are done; in a file where there is a folder, so that a run can be taken up again."""

    path: Path | None
    done: dict[tuple[str, str], Figures] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path | None, *, made_by: dict[str, Any]) -> Self:
        """Read what is there.

        Raises:
            KeptRefused: it was made with other settings.
        """
        if folder is None:
            return cls(None)
        folder.mkdir(parents=True, exist_ok=True)
        kept = cls(folder / _FILE)
        if kept.path is None or not kept.path.exists():
            kept._append(made_by)
            return kept
        lines = kept.path.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):  # cut short by a kill: that cell is played again
            kept.path.write_bytes(b"".join(lines[:-1]))
            del lines[-1]
        if not lines:
            kept._append(made_by)
            return kept
        try:
            first, *rest = [msgspec.json.decode(line) for line in lines]
            for figures in msgspec.convert(rest, list[Figures]):
                kept.done[figures.candidate, figures.row] = figures
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise KeptRefused(f"{kept.path} is damaged ({error}); name another --folder, or remove it") from error
        if first != made_by:
            raise KeptRefused(f"{kept.path} was made with {first}; name another --folder, or remove it")
        return kept

    def add(self, figures: Figures) -> None:
        """Keep one cell."""
        self.done[figures.candidate, figures.row] = figures
        self._append(asdict(figures))

    def _append(self, line: dict[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")


@dataclass(slots=True)
class _Running:
    """How far all cells are, in seconds of work."""

    planned_s: dict[tuple[str, str], float]
    jobs: int
    clock: Clock
    began_s: dict[tuple[str, str], float] = field(default_factory=dict)
    ended: set[tuple[str, str]] = field(default_factory=set)

    def worked_s(self) -> float:
        now_s = self.clock.mono_ns() / 1e9
        return sum(
            planned_s if key in self.ended else min(planned_s, now_s - self.began_s.get(key, now_s))
            for key, planned_s in self.planned_s.items()
        )

    def left_s(self) -> float:
        now_s = self.clock.mono_ns() / 1e9
        longest_s = max(
            (
                planned_s - min(planned_s, now_s - self.began_s.get(key, now_s))
                for key, planned_s in self.planned_s.items()
                if key not in self.ended
            ),
            default=0.0,
        )
        return max(longest_s, (sum(self.planned_s.values()) - self.worked_s()) / self.jobs)


async def run_matrix(
    cells: Sequence[tuple[Candidate, Row]],
    *,
    folder: Path,
    processes: Processes,
    kept: Kept,
    clock: Clock,
    pace: Pace,
    jobs: int,
    seed: int,
) -> None:
    """Fill what is missing in `kept`.

    Raises:
        HarnessError: the first cell that could not be run; the others are stopped.
    """
    waiting = [(candidate, row) for candidate, row in cells if (candidate.name, row.name) not in kept.done]
    waiting.sort(key=lambda cell: -cell[1].lasts_s)
    planned_s = {(candidate.name, row.name): row.lasts_s + _AROUND_S for candidate, row in waiting}
    running = _Running(planned_s, max(1, min(jobs, len(waiting))), clock)
    turns = asyncio.Semaphore(jobs)

    async def one(candidate: Candidate, row: Row) -> None:
        key = (candidate.name, row.name)
        async with turns:
            running.began_s[key] = clock.mono_ns() / 1e9
            figures = await run_cell(
                candidate,
                row,
                folder=folder / f"{candidate.name}-{row.name}",
                processes=processes,
                clock=clock,
                pace=pace,
                seed=seed,
            )
        running.ended.add(key)
        kept.add(figures)

    telling = asyncio.create_task(_tell(running), name="progress")
    try:
        async with asyncio.TaskGroup() as tasks:
            for candidate, row in waiting:
                tasks.create_task(one(candidate, row), name=f"{candidate.name} {row.name}")
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(running: _Running) -> None:
    total = len(running.planned_s)
    if not sys.stderr.isatty():
        while True:
            await asyncio.sleep(_SAY_EVERY_S)
            left_s = running.left_s()
            print(
                f"conform: {len(running.ended)} of {total} cells, about {left_s:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("cells", total=sum(running.planned_s.values()))
        while True:
            description = f"{len(running.ended)} of {total} cells"
            progress.update(bar, completed=running.worked_s(), description=description)
            await asyncio.sleep(_TICK_S)
