"""One bar over all stages with the time that is left: live on a terminal, a line every 15 s in a file."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from kanhu.harness.county.stages import Listener

__all__ = ["Stages", "left_words", "watched"]

_SAY_EVERY_S = 15.0
_ENOUGH = 0.02
"""Before so much is done, an estimate would be a guess."""


class Stages:
    """Knows how much of the whole each stage is, as measured on a county of 1,000 people."""

    def __init__(self, weights: Sequence[tuple[str, float]], progress: Progress | None) -> None:
        """`progress` is None where there is no terminal."""
        total = sum(weight for _, weight in weights)
        self._weights = {name: weight / total for name, weight in weights}
        self._progress = progress
        self._task: TaskID | None = None if progress is None else progress.add_task("", total=1.0, left="")
        self._said_s = time.monotonic()
        self._before = 0.0

    def begin(self, name: str) -> Listener:
        """Start the next stage; answers what hears its progress."""
        before, weight = self._before, self._weights[name]
        self._before += weight
        later = (1 - self._before) / weight  # in units of this stage
        began_s = time.monotonic()
        first: list[float] = []  # what an earlier start had done says nothing about speed

        def hear(share: float) -> None:
            if not first:
                first.append(share)
            left = left_words(time.monotonic() - began_s, share - first[0], 1 - share + later)
            self._show(name, before + share * weight, left)

        return hear

    def _show(self, name: str, share: float, left: str) -> None:
        now_s = time.monotonic()
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=share, description=name, left=left)
        elif now_s - self._said_s >= _SAY_EVERY_S:
            self._said_s = now_s
            print(f"kanhu: {name}: {share:.0%} of all, {left}", file=sys.stderr, flush=True)


def left_words(passed_s: float, made: float, to_make: float) -> str:
    """What is left, in words; nothing where too little is done to say."""
    if made < _ENOUGH:
        return "time left not known yet"
    left_s = round(passed_s * to_make / made)
    return f"{left_s // 60}:{left_s % 60:02d} left"


@contextmanager
def watched(weights: Sequence[tuple[str, float]]) -> Iterator[Stages]:
    """Show the stages while the block runs."""
    if not sys.stderr.isatty():
        yield Stages(weights, None)
        return
    columns = (TextColumn("{task.description:<9}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
               TimeElapsedColumn(), TextColumn("{task.fields[left]}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Stages(weights, progress)
