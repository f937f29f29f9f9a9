"""What can go wrong with faults themselves.

HarnessError
  ScheduleRefused   a schedule cannot be played as it stands
  CannotBeHad       this machine cannot make that fault; the text says what is missing
"""

from kanhu.harness.errors import HarnessError

__all__ = ["CannotBeHad", "ScheduleRefused"]


class ScheduleRefused(HarnessError):
    """A schedule cannot be played as it stands."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


class CannotBeHad(HarnessError):
    """This machine cannot make that fault."""

    exit_code = 3

    def __init__(self, fault: str, why: str) -> None:
        super().__init__(f"{fault} cannot be had here: {why}")
        self.fault = fault
        self.why = why
