"""What can go wrong in the harness.

HarnessError
  ExpectationsRefused  harness/expectations.toml does not say what has to be raised for each kind of happening
  RecordingUnusable    a recording or an outcome that cannot be scored; names the file and the remedy
  LimitsRefused        harness/limits.toml does not say one bound and its reason
  ProgramFailed        a program the harness started did not end well
  VectorsRefused       a file of published frames that cannot be read
  LibrariesMissing     libraries of the field, to compare with, could not be installed; ends with the remedy
  ProcessDied          a process ended that nobody had told to (village/processes.py)
  VillageFailed        a village did not come up, or a part of it fell over (village/stage.py)
"""

__all__ = [
    "ExpectationsRefused",
    "HarnessError",
    "LibrariesMissing",
    "LimitsRefused",
    "ProgramFailed",
    "RecordingUnusable",
    "VectorsRefused",
]


class HarnessError(Exception):
    """Base of every error raised here."""

    exit_code = 1
    """Of the task that it ends (tasks.py)."""


class ExpectationsRefused(HarnessError):
    """The file of expectations cannot be used."""

    def __init__(self, file: str, fault: str) -> None:
        super().__init__(f"{file}: {fault}")
        self.file = file
        self.fault = fault


class RecordingUnusable(HarnessError):
    """A recording or an outcome cannot be scored."""

    def __init__(self, file: str, fault: str) -> None:
        super().__init__(f"{file}: {fault}")
        self.file = file
        self.fault = fault


class LimitsRefused(HarnessError):
    """A section of the limits file cannot be used."""

    def __init__(self, where: str, fault: str) -> None:
        super().__init__(f"harness/limits.toml, [{where}]: {fault}")
        self.where = where
        self.fault = fault


class VectorsRefused(HarnessError):
    """A file of published frames cannot be read; the text names file and record."""


class LibrariesMissing(HarnessError):
    """Libraries of the field could not be installed; `said` is what the installer printed last."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(f"{said.rstrip()}\nthe libraries to compare with could not be installed: {remedy}")
        self.said = said
        self.remedy = remedy


class ProgramFailed(HarnessError):
    """A program the harness started did not end well; `said` is what it printed."""

    def __init__(self, doing: str, said: str) -> None:
        super().__init__(f"{doing} failed:\n{said.rstrip()}")
        self.doing = doing
        self.said = said
