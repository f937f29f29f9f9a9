"""How far a run is: one line that changes on a terminal, a line now and then in a file."""

from typing import TextIO

from kanhu.contract import Clock
from kanhu.firmware_sim.fleet.play import Phase
from kanhu.firmware_sim.fleet.tally import Tally

__all__ = ["ProgressLine"]

_IN_A_FILE_S = 15.0


class ProgressLine:
    """Writes to a stream, which is not standard output: that is for figures."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        """Nothing is written yet."""
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._told: tuple[Phase, int] | None = None

    def show(self, phase: Phase, tally: Tally, left_s: float) -> None:
        """Say where the run is."""
        text = (
            f"{phase.value}: {tally.online} connected, {tally.sent} readings sent, {tally.receipted} receipted, "
            f"at most {max(0.0, left_s):.0f} s left"
        )
        if self._terminal:
            self._stream.write(f"\r\x1b[K{text}")
        elif not self._is_told(phase):
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line as it is."""
        if self._terminal:
            self._stream.write("\n")

    def _is_told(self, phase: Phase) -> bool:
        now_ns = self._clock.mono_ns()
        if self._told is not None and self._told[0] is phase and now_ns - self._told[1] < _IN_A_FILE_S * 1e9:
            return True
        self._told = (phase, now_ns)
        return False
