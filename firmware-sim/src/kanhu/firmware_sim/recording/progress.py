"""How far a recording has come: one line that moves on a terminal, a line now and then in a file, or JSON."""

from enum import Enum, auto
from typing import IO

import msgspec

from kanhu.contract.clock import Clock

_FILE_EVERY_S = 15.0
_TERMINAL_EVERY_S = 0.25
_MINUTE_S = 60


class ProgressForm(Enum):
    """For whom it is written."""

    TERMINAL = auto()
    FILE = auto()
    JSON = auto()


class Progress:
    """Counts village-days and estimates what is left."""

    def __init__(self, out: IO[str], *, form: ProgressForm, of: int, clock: Clock) -> None:
        """`of` village-days are to be made in all."""
        self._out = out
        self._form = form
        self._of = max(1, of)
        self._clock = clock
        self._done: dict[str, int] = {}
        self._ready_before = 0
        self._began_ns = clock.mono_ns()
        self._said_ns = self._began_ns

    def told(self, village: str, day: int, days: int) -> None:
        """A village has come so far."""
        if village not in self._done and day == days:
            self._ready_before += days  # it was whole before this run, and says nothing about its speed
        self._done[village] = day
        if self._form is ProgressForm.JSON:
            self._say(
                msgspec.json.encode({"village": village, "done": sum(self._done.values()), "of": self._of}).decode()
            )
            return
        every_s = _TERMINAL_EVERY_S if self._form is ProgressForm.TERMINAL else _FILE_EVERY_S
        now_ns = self._clock.mono_ns()
        if now_ns - self._said_ns >= every_s * 1e9:
            self._said_ns = now_ns
            self._show(now_ns)

    def end(self) -> None:
        """Leave the line."""
        if self._form is ProgressForm.TERMINAL:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _show(self, now_ns: int) -> None:
        done = sum(self._done.values())
        made = done - self._ready_before
        passed_s = (now_ns - self._began_ns) / 1e9
        left_s = round(passed_s / made * (self._of - done)) if made > 0 else 0
        left = f", {left_s // _MINUTE_S}:{left_s % _MINUTE_S:02d} left" if made > 0 else ""
        line = f"recording: {100 * done // self._of:3d} %, {done} of {self._of} village-days{left}"
        self._say(f"\r\x1b[K{line}" if self._form is ProgressForm.TERMINAL else line)

    def _say(self, line: str) -> None:
        self._out.write(line if self._form is ProgressForm.TERMINAL else f"{line}\n")
        self._out.flush()
