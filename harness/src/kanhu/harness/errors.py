"""What can go wrong in the harness.

HarnessError
  LimitsRefused   harness/limits.toml does not say one bound and its reason
  ProgramFailed   a program the harness started did not end well
"""

__all__ = ["HarnessError", "LimitsRefused", "ProgramFailed"]


class HarnessError(Exception):
    """Base of every error raised here."""


class LimitsRefused(HarnessError):
    """A section of the limits file cannot be used."""

    def __init__(self, where: str, fault: str) -> None:
        super().__init__(f"harness/limits.toml, [{where}]: {fault}")
        self.where = where
        self.fault = fault


class ProgramFailed(HarnessError):
    """A program the harness started did not end well; `said` is what it printed."""

    def __init__(self, doing: str, said: str) -> None:
        super().__init__(f"{doing} failed:\n{said.rstrip()}")
        self.doing = doing
        self.said = said
