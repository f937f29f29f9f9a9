"""Everything that can go wrong in the simulator.

SimulatorError
├── ScenarioRefused     a scenario file that cannot be played; names the file, the place and the remedy
├── RecordRefused       a file of beat intervals that cannot be replayed
├── TruthRefused        a file of truths that cannot be read back
├── FolderRefused       a folder that cannot take this recording; names the remedy
├── WorkerLost          a process that made a part of a recording was ended from outside
├── NotEncodable        a value the device's format has no room for
├── UnitRefused         a protocol unit of a short message that no network would take
├── MqttRefused         bytes from a broker that a client cannot make sense of
├── ModelRefused        a simulated device that there is not, or whose package cannot be used
└── FleetRefused        a fleet that cannot be run here; says what to do
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


class FolderRefused(SimulatorError):
    """A folder that cannot take this recording."""

    def __init__(self, folder: Path, remedy: str) -> None:
        """Keep which folder; `remedy` is for people."""
        super().__init__(f"{folder}: {remedy}")
        self.folder = folder
        self.remedy = remedy


class WorkerLost(SimulatorError):
    """A process that made a part of a recording was ended from outside."""

    def __init__(self) -> None:
        """Say how to go on."""
        super().__init__("a process was ended from outside, perhaps for want of memory; the same command goes on")


class NotEncodable(SimulatorError, ValueError):
    """A value the device's format has no room for."""


class UnitRefused(SimulatorError, ValueError):
    """A protocol unit of a short message that no network would take."""


class MqttRefused(SimulatorError, ValueError):
    """Bytes from a broker that a client cannot make sense of."""


class FleetRefused(SimulatorError):
    """A fleet that cannot be run here; the text says what to do."""


class ModelRefused(SimulatorError):
    """A simulated device that cannot be served by itself."""

    def __init__(self, model: str, detail: str) -> None:
        """Keep which, and why."""
        super().__init__(f"model {model!r}: {detail}")
        self.model = model
        self.detail = detail
