"""One figure of a drawn county beside its published range, and what is asked of a body to measure it."""

from dataclasses import dataclass
from typing import Protocol

from kanhu.firmware_sim.bodies import DayPlan, VitalState


class Living(Protocol):
    """A body, or what a test puts in its place."""

    def at(self, second: float) -> VitalState:
        """The state whatever this person is doing."""

    def seated(self, second: float) -> VitalState:
        """The state as when measuring."""

    def plan(self, day: int) -> DayPlan:
        """The hours of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure."""

    name: str
    unit: str
    value: float
    spread: tuple[float, float]
    """The middle 95 % of people or readings; the value twice where there is none."""
    published: tuple[float, float]
    source: str
    slack: float = 0.0
    """What chance alone does to a figure of so few people: two standard errors."""

    @property
    def holds(self) -> bool:
        """Whether the value is within what is published."""
        low, high = self.published
        return low - self.slack <= self.value <= high + self.slack
