"""How a long run says how far it is: a bar on a terminal, a line every fifteen seconds in a file; on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Teller", "telling"]

_LINE_EVERY_S = 15.0


class Teller:
    """Told how far a run is; decides itself when to say so."""

    def __init__(self, bar: Progress | None, *, total_s: float) -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("", total=total_s)
        self._total_s = total_s
        self._began_s = self._said_s = time.monotonic()

    def now(self, at_s: float, text: str) -> None:
        """The run is so far."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=min(at_s, self._total_s), description=text)
        elif time.monotonic() - self._said_s >= _LINE_EVERY_S:
            self._said_s = time.monotonic()
            left_s = max(0.0, self._total_s - at_s)
            self.say(f"{text}, {left_s:.0f} s left")

    def share(self, done: int, of: int, text: str) -> None:
        """So much of all is done; how long the rest takes is reckoned from how long this took."""
        now_s = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=of, description=text)
            return
        if not done:
            self._began_s = now_s
        elif now_s - self._said_s >= _LINE_EVERY_S:
            self._said_s = now_s
            left_s = (now_s - self._began_s) / done * (of - done)
            self.say(f"{text}: {done} of {of}, about {left_s:.0f} s left")

    def say(self, text: str) -> None:
        """A line of its own."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


@contextmanager
def telling(*, total_s: float) -> Iterator[Teller]:
    """Show how far a run is while it lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Teller(None, total_s=total_s)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Teller(bar, total_s=total_s)
