"""The programs that a county needs, one after the other, each in its own process and heard while it runs."""

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kanhu.harness.errors import ProgramFailed

__all__ = ["Heard", "Listener", "program", "run_stage"]

_STOP_PATIENCE_S = 20.0
_KEPT_LINES = 30
_STOPPED = (130, -signal.SIGINT, -signal.SIGTERM)


class Listener(Protocol):
    """Hears how far a stage is."""

    def __call__(self, share: float) -> None:
        """`share` is 0 at the start and 1 at the end."""


@dataclass(slots=True)
class Heard:
    """Progress lines of a program: `done` of `of`, where `villages` is there each village for itself."""

    of_village: dict[str, float] = field(default_factory=dict)

    def share(self, line: str) -> float | None:
        """How far it is; None for a line that is no progress."""
        try:
            said: Any = msgspec.json.decode(line)
            done, of = float(said["done"]), float(said["of"])
            if "villages" not in said:
                return min(1.0, done / of)
            self.of_village[str(said["village"])] = done / of
            whole = sum(1 for part in self.of_village.values() if part >= 1)
            skipped = max(0, int(said["whole"]) - whole)
            return min(1.0, (sum(self.of_village.values()) + skipped) / float(said["villages"]))
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            return None


def program(name: str) -> str:
    """A program of this environment: beside the Python that runs this."""
    return str(Path(sys.executable).parent / name)


def run_stage(doing: str, command: Sequence[str], *, listener: Listener) -> None:
    """Run a program to its end; what interrupts this one stops it first.

    Raises:
        ProgramFailed: it ended with another status than 0, or could not be started.
        KeyboardInterrupt: it was stopped.
    """
    heard, said = Heard(), deque[str](maxlen=_KEPT_LINES)
    try:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace",
        )  # fmt: skip  # one program, its three streams
    except OSError as error:
        raise ProgramFailed(doing, f"{command[0]}: {error.strerror}") from error
    with process:
        try:
            for line in process.stderr or ():
                share = heard.share(line)
                if share is None:
                    said.append(line)
                else:
                    listener(share)
            code = process.wait()
        finally:
            _stop(process)
    if code in _STOPPED:
        raise KeyboardInterrupt
    if code != 0:
        raise ProgramFailed(doing, "".join(said) or f"ended with status {code}")
    listener(1.0)


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask as Ctrl-C does, so that it keeps what is whole; then insist."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=_STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
