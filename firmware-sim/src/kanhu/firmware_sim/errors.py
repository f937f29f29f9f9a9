"""Everything that can go wrong in the simulator.

SimulatorError
├── ScenarioRefused     a scenario file that cannot be played; names the file, the place and the remedy
├── RecordRefused       a file of beat intervals that cannot be replayed
├── TruthRefused        a file of truths that cannot be read back
└── NotEncodable        a value the device's format has no room for
"""

from pathlib import Path


class SimulatorError(Exception):
    """Base of this part's errors."""


class ScenarioRefused(SimulatorError, ValueError):
    """A scenario file that cannot be played."""

    def __init__(self, file: Path, place: str, remedy: str) -> None:
        """Keep where it went wrong and what to do."""
        super().__init__(f"{file}: {place}: {remedy}")
        self.file = file
        self.place = place
        self.remedy = remedy


class RecordRefused(SimulatorError, ValueError):
    """A file of beat intervals that cannot be replayed."""

    def __init__(self, file: Path, line: int, detail: str) -> None:
        """Keep the line, counted from 1."""
        super().__init__(f"{file}, line {line}: {detail}")
        self.file = file
        self.line = line
        self.detail = detail


class TruthRefused(SimulatorError, ValueError):
    """A file of truths that cannot be read back."""

    def __init__(self, place: str, line: int, detail: str) -> None:
        """Keep the line, counted from 1."""
        super().__init__(f"{place}, line {line}: {detail}")
        self.place = place
        self.line = line
        self.detail = detail


class NotEncodable(SimulatorError, ValueError):
    """A value the device's format has no room for."""
